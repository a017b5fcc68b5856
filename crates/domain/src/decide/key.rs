//! Billing keys (decisions H11, H12).

use super::Scene;
use crate::code::Code;
use crate::command::NewKey;
use crate::ident::KeyNo;
use crate::key::BillingKey;
use crate::refusal::Refusal;
use crate::view::{About, Change, EventKind, Reply, Write};

/// The same partner, sub_id, bank, account and holder info get the same live key; a dead one gets a
/// new key beside it.
pub(super) fn register(at: &Scene<'_>, new: &NewKey) -> Result<Change, Refusal> {
    let partner = at.partner()?;
    if let Some(key) = at.view.key.filter(|key| key.dead.is_none()) {
        return Ok(Change::none(Reply::Key(key.no, false)));
    }
    let fingerprint = *new.fingerprints.first().ok_or(Code::T0999)?;
    let no = KeyNo(at.context.serial);
    let key = BillingKey {
        no,
        partner: partner.no,
        sub_id: new.sub_id.clone(),
        bank: new.bank.clone(),
        made_at: at.context.now,
        dead: None,
    };
    let event = at.event(EventKind::KeyMade, About::Key(no), Some(partner.no));
    Ok(Change {
        writes: vec![Write::NewKey(key, new.account.clone(), fingerprint), Write::Event(event)],
        reply: Reply::Key(no, true),
        serials: 1,
    })
}
