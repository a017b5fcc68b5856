//! Who may decide: persons with names and keys (decision M2).

use super::Scene;
use crate::code::Code;
use crate::operator::{Operator, PUBLIC_KEY_LENGTH, is_name};
use crate::refusal::Refusal;
use crate::time::Time;
use crate::view::{About, Change, EventKind, Reply, Write};

/// How far the moment of a signature may be from now, in milliseconds.
const SIGNED_WITHIN_MS: i64 = 60_000;

pub(super) fn add(
    at: &Scene<'_>,
    name: &str,
    public_key: [u8; PUBLIC_KEY_LENGTH],
) -> Result<Change, Refusal> {
    if !is_name(name) {
        return Err(Code::P0124.into());
    }
    if at.view.operator.is_some() {
        return Err(Code::P0123.into());
    }
    let operator = Operator {
        name: name.to_owned(),
        public_key,
        added_at: at.context.now,
        revoked_at: None,
        last_signed: Time(0),
    };
    Ok(changed(at, operator, EventKind::OperatorAdded))
}

pub(super) fn revoke(at: &Scene<'_>, name: &str) -> Result<Change, Refusal> {
    let operator = at.view.operator.filter(|o| o.name == name).ok_or(Code::P0121)?;
    if !operator.may_sign() {
        return Ok(Change::none(Reply::Stale));
    }
    // Without one nobody could sign any more, and nobody could add another.
    if at.view.signers <= 1 {
        return Err(Code::P0137.into());
    }
    let revoked = Operator { revoked_at: Some(at.context.now), ..operator.clone() };
    Ok(changed(at, revoked, EventKind::OperatorRevoked))
}

fn changed(at: &Scene<'_>, operator: Operator, kind: EventKind) -> Change {
    let mut event = at.event(kind, About::Operator, None);
    event.note = Some(operator.name.clone());
    let writes = vec![Write::Operator(operator), Write::Event(event)];
    Change { writes, reply: Reply::Done, serials: 0 }
}

/// A signature counts once, and only near the moment that it names.
pub(super) fn sign(at: &Scene<'_>, name: &str, moment: Time) -> Result<Change, Refusal> {
    let operator = at.view.operator.filter(|o| o.name == name && o.may_sign());
    let operator = operator.ok_or(Code::P0121)?;
    let near = (at.context.now.0 - moment.0).abs() <= SIGNED_WITHIN_MS;
    if !near || moment <= operator.last_signed {
        return Err(Code::P0122.into());
    }
    let signed = Operator { last_signed: moment, ..operator.clone() };
    Ok(Change { writes: vec![Write::Operator(signed)], reply: Reply::Done, serials: 0 })
}
