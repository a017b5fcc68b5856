//! Payers' keys: made, and deregistered for good (decisions C4, C6).

use super::Scene;
use crate::billing::Payer;
use crate::code::Code;
use crate::command::Actor;
use crate::command::NewPayer;
use crate::ident::PayerNo;
use crate::notice::{Outcome, Subject};
use crate::refusal::Refusal;
use crate::view::{About, Change, EventKind, Reply, Write};

pub(super) fn add(at: &Scene<'_>, new: &NewPayer) -> Result<Change, Refusal> {
    let partner = at.partner()?;
    if at.view.alias.is_some() {
        return Err(Code::P0141.into());
    }
    if partner.suspended {
        return Err(Code::CDAU9998.into());
    }
    let no = PayerNo(at.context.serial);
    let payer = Payer {
        no,
        partner: partner.no,
        method: new.method,
        owner: new.owner,
        org: new.org.clone(),
        org_name: new.org_name.clone(),
        alias: new.alias,
        made_at: at.context.now,
        removed_at: None,
    };
    let event = at.event(EventKind::PayerAdded, About::Payer(no), Some(partner.no));
    Ok(Change {
        writes: vec![Write::NewPayer(payer, new.instrument.clone()), Write::Event(event)],
        reply: Reply::Payer(no),
        serials: 1,
    })
}

/// One answer for a key that is another partner's, that never was, and that is gone (decision C4). The
/// partner that asked for it knows; who did not is told (wire facts 2.10).
pub(super) fn remove(at: &Scene<'_>) -> Result<Change, Refusal> {
    let partner = at.partner()?;
    let own = |payer: &&Payer| payer.partner == partner.no && payer.removed_at.is_none();
    let by_hand = *at.actor != Actor::Partner;
    let missing = if by_hand { Code::P0140 } else { Code::PUIF0001 };
    let payer = at.view.payer.filter(own).ok_or(missing)?;
    let payer = Payer { removed_at: Some(at.context.now), ..payer.clone() };
    let event = at.event(EventKind::PayerRemoved, About::Payer(payer.no), Some(partner.no));
    let mut writes = vec![Write::Event(event)];
    if by_hand {
        let subject = Subject::Payer(payer.no);
        writes.push(at.notice(partner.no, subject, Outcome::Deregistered));
    }
    let no = payer.no;
    writes.push(Write::Payer(payer));
    Ok(Change { writes, reply: Reply::Payer(no), serials: 0 })
}
