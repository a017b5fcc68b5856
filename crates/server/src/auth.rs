//! Who calls, in the order of decision H6a: bearer; form of the credentials; partner and key; the
//! token's partner; source address. Everything after that is the endpoint's own.

use crate::directory::Entry;
use crate::hub::Hub;
use crate::token::{Bearer, Invalid};
use ichae_domain::code::Code;
use ichae_domain::ident::PartnerNo;
use ichae_domain::refusal::Refusal;
use ichae_wire::hub::credentials::{self, Credentials};
use ichae_wire::json::Fields;
use secrecy::SecretString;
use std::net::IpAddr;
use std::sync::Arc;

/// A call with a token: every endpoint but the token's own.
///
/// `authorization` is the header as it came; `given` reads the credentials once the bearer is good.
pub fn caller(
    hub: &Hub,
    authorization: Option<&[u8]>,
    from: IpAddr,
    given: impl FnOnce() -> Result<Credentials, Refusal>,
) -> Result<Arc<Entry>, Refusal> {
    let bearer = bearer(hub, authorization)?;
    let entry = partner(hub, &given()?)?;
    if entry.partner.no != bearer.partner {
        return Err(Code::T0320.into());
    }
    admitted(&entry, from)?;
    Ok(entry)
}

/// A call for a token.
pub fn applicant(hub: &Hub, from: IpAddr, fields: &Fields) -> Result<Arc<Entry>, Refusal> {
    let entry = partner(hub, &credentials::parse(fields)?)?;
    admitted(&entry, from)?;
    Ok(entry)
}

/// Whose a call's token is, where it is one of this installation's and not expired.
pub fn whose(hub: &Hub, authorization: &[u8]) -> Option<PartnerNo> {
    let token = token(std::str::from_utf8(authorization).ok()?)?;
    Some(hub.tokens.load().read(token, hub.now()).ok()?.partner)
}

fn bearer(hub: &Hub, authorization: Option<&[u8]>) -> Result<Bearer, Refusal> {
    let header = authorization.and_then(|header| std::str::from_utf8(header).ok());
    let token = header.and_then(token).ok_or(Code::T0330)?;
    let bearer = hub.tokens.load().read(token, hub.now()).map_err(|invalid| match invalid {
        Invalid::Unreadable => Code::T0330,
        Invalid::Expired => Code::T0331,
    })?;
    // A rotation of the partner's key ends its live tokens (decision H6).
    let current = hub.directory.by_no(bearer.partner);
    let current = current.ok_or_else(|| match hub.cells.by_no(bearer.partner) {
        // It has just gone to another cell.
        Some(_) => Code::T0503,
        None => Code::T0330,
    })?;
    if current.partner.key_generation != bearer.generation {
        return Err(Code::T0331.into());
    }
    Ok(bearer)
}

/// `Bearer` in any case, then the token.
fn token(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn partner(hub: &Hub, given: &Credentials) -> Result<Arc<Entry>, Refusal> {
    known(hub, &given.cst_id, &given.cust_key, Code::T0300)
}

/// The partner whose key this is, else that code; but one that has just gone to another cell is told to come
/// again.
pub fn known(
    hub: &Hub,
    cst_id: &str,
    key: &SecretString,
    code: Code,
) -> Result<Arc<Entry>, Refusal> {
    if let Some(entry) = hub.directory.verify(&hub.sealer, cst_id, key) {
        return Ok(entry);
    }
    let gone = hub.directory.by_id(cst_id).is_none() && hub.cells.by_id(cst_id).is_some();
    Err(if gone { Code::T0503 } else { code }.into())
}

fn admitted(entry: &Entry, from: IpAddr) -> Result<(), Refusal> {
    if entry.admits(from) { Ok(()) } else { Err(Code::T0310.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_takes_the_ordinary_form_only() {
        let table = [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Bearer, abc", None),
            ("Bearer", None),
            ("Bearer ", None),
            ("Basic abc", None),
            ("abc", None),
        ];
        for (header, expected) in table {
            assert_eq!(token(header), expected, "{header:?}");
        }
    }
}
