//! Which call is which, and what every call goes through: size, time, token.

use crate::answer::{self, Answer, Body};
use crate::calls;
use crate::control;
use crate::desk::Desk;
use crate::gate::Gate;
use crate::settings::Settings;
use crate::token::{self, Tokens};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::AUTHORIZATION;
use hyper::{Method, Request, Response, StatusCode};
use ichae_domain::time::Time;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Bytes of a body at most.
const BODY_MAX: usize = 65_536;
/// In which a body must have arrived.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Everything that a call may need.
pub struct Centre {
    pub settings: Settings,
    pub tokens: Arc<Tokens>,
    pub gate: Arc<Gate>,
    pub desk: Desk,
    /// Something may be due sooner than was thought.
    pub due: Arc<Notify>,
}

impl Centre {
    pub fn now(&self) -> Time {
        (self.settings.clock)()
    }
}

const TOKEN: &str = "/oauth/2.0/token";

#[derive(Clone, Copy)]
enum Call {
    RealName,
    Receive,
    Deposit,
    Inquiry,
    Status,
}

/// The paths of the API, each with its one method (openbanking 4 to 10).
const CALLS: &[(&str, Method, Call)] = &[
    ("/v2.0/inquiry/real_name", Method::POST, Call::RealName),
    ("/v2.0/inquiry/receive", Method::POST, Call::Receive),
    ("/v2.0/transfer/deposit/acnt_num", Method::POST, Call::Deposit),
    ("/v2.0/transfer/result", Method::POST, Call::Inquiry),
    ("/v2.0/bank/status", Method::GET, Call::Status),
];

/// Answers a request, or does not.
pub async fn call(centre: &Centre, request: Request<Incoming>, from: IpAddr) -> Answer {
    let at = centre.now();
    let (head, body) = request.into_parts();
    let body = match read(body).await {
        Ok(body) => body,
        Err(status) => return Ok(answer::text(status, "the body")),
    };
    let path = head.uri.path();
    if let Some(path) = path.strip_prefix("/control/") {
        if !is_here(from) {
            return Ok(nothing());
        }
        return Ok(control::call(centre, &head.method, path, head.uri.query(), &body).await);
    }
    if path == TOKEN {
        return Ok(match head.method {
            Method::POST => token::call(centre, &body, at),
            _ => answer::code(at, "O0010"),
        });
    }
    let Some((_, method, call)) = CALLS.iter().find(|(known, ..)| *known == path) else {
        return Ok(nothing());
    };
    if head.method != *method {
        return Ok(answer::code(at, "O0010"));
    }
    let given = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if let Some(code) = centre.tokens.refuses(token, at) {
        return Ok(answer::code(at, code));
    }
    match call {
        Call::RealName => Ok(calls::check::real_name(centre, &body, at)),
        Call::Receive => Ok(calls::check::receive(centre, &body, at)),
        Call::Deposit => calls::deposit::call(centre, &body, token, at).await,
        Call::Inquiry => calls::inquiry::call(centre, &body, at).await,
        Call::Status => Ok(calls::status::call(centre, at)),
    }
}

/// Whether a caller is on this machine; whoever comes from elsewhere finds no control.
fn is_here(from: IpAddr) -> bool {
    from.to_canonical().is_loopback()
}

fn nothing() -> Response<Body> {
    answer::text(StatusCode::NOT_FOUND, "there is nothing here")
}

async fn read(body: Incoming) -> Result<Bytes, StatusCode> {
    let whole = Limited::new(body, BODY_MAX).collect();
    match tokio::time::timeout(BODY_TIME, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(StatusCode::PAYLOAD_TOO_LARGE)
        }
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_is_for_this_machine() {
        for (from, here) in [
            ("127.0.0.1", true),
            ("127.1.2.3", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("10.0.0.1", false),
            ("0.0.0.0", false),
            ("::ffff:10.0.0.1", false),
            ("fe80::1", false),
        ] {
            assert_eq!(is_here(from.parse().unwrap()), here, "{from}");
        }
    }
}
