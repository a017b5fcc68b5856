//! What goes out and what comes back, as plain values: the codec never sees a socket.

use std::fmt;

/// Bytes of an answer that are read at most; what is longer is not an answer of this API.
pub const BODY_MAX: usize = 1 << 20;

/// A request, ready to be sent. It may hold account numbers and secrets, so it prints none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// From the host on, with its leading slash.
    pub path: &'static str,
    pub body: Body,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// A POST in JSON.
    Json(Vec<u8>),
    /// A POST of a form; only the token call has one.
    Form(String),
    /// A GET.
    Nothing,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outgoing({}, …)", self.path)
    }
}

/// What the transport saw of one request.
#[derive(Clone, PartialEq, Eq)]
pub enum Got {
    Reply {
        status: u16,
        /// At most [`BODY_MAX`] bytes, or one more where it was cut.
        body: Vec<u8>,
    },
    /// No connection: the failure came before a byte of the request was written.
    NotSent,
    /// Nothing, or not all of it, within the time-out; the request may have arrived.
    TimedOut,
    /// The connection broke; the request may have arrived.
    Lost,
}

impl fmt::Debug for Got {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Got::Reply { status, body } => write!(f, "Reply({status}, {} bytes)", body.len()),
            Got::NotSent => f.write_str("NotSent"),
            Got::TimedOut => f.write_str("TimedOut"),
            Got::Lost => f.write_str("Lost"),
        }
    }
}

/// A field that cannot be written in the form that the API has for it. It names the field, never
/// what stands in it.
///
/// Such a request does not go out. Forms are held before a payout exists, so it says that our own
/// program or data are wrong, and it is answered as the centre's A0004 would be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0} does not fit the message")]
pub struct Unfit(pub &'static str);

impl Unfit {
    /// An error that names the field, unless it fits.
    pub(super) fn unless(fits: bool, field: &'static str) -> Result<(), Unfit> {
        if fits { Ok(()) } else { Err(Unfit(field)) }
    }
}

/// Writes a JSON request.
pub(super) fn json(path: &'static str, request: &impl serde::Serialize) -> Result<Outgoing, Unfit> {
    let body = serde_json::to_vec(request).map_err(|_| Unfit("the request"))?;
    Ok(Outgoing { path, body: Body::Json(body) })
}
