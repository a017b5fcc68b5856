//! Operators hold a payout or a partner back, and let it go (decision M3).

use super::Scene;
use crate::code::Code;
use crate::command::HoldOrder;
use crate::payout::{State, state_of};
use crate::rail::Hold;
use crate::refusal::Refusal;
use crate::text;
use crate::view::{About, Change, EventKind, Reply, Write};

/// Longest reason, in characters.
const REASON_MAX: usize = 200;

pub(super) fn hold(at: &Scene<'_>, order: &HoldOrder) -> Result<Change, Refusal> {
    let by = at.person()?;
    let reason = text::clean(&order.reason).filter(|r| r.chars().count() <= REASON_MAX);
    let reason = reason.ok_or(Refusal::field(Code::P0134, "reason"))?;
    let partner = at.partner()?;
    let (about, was, write) = match order.payout {
        Some(no) => {
            waits(at, order)?;
            let hold = Hold { at: at.context.now, by: by.to_owned(), reason: reason.clone() };
            let hold = order.held.then_some(hold);
            (About::Payout(no), at.view.hold.is_some(), Write::Hold(no, hold))
        }
        None => {
            let mut held = partner.clone();
            held.held = order.held;
            (About::Partner(partner.no), partner.held, Write::Partner(held))
        }
    };
    if was == order.held {
        return Ok(Change::none(Reply::Stale));
    }
    let kind = if order.held { EventKind::Held } else { EventKind::Released };
    let mut event = at.event(kind, about, Some(partner.no));
    event.note = Some(reason).filter(|reason| !reason.is_empty());
    Ok(Change { writes: vec![write, Write::Event(event)], reply: Reply::Done, serials: 0 })
}

/// Only what has not left yet can be held; a hold is lifted in any state.
fn waits(at: &Scene<'_>, order: &HoldOrder) -> Result<(), Refusal> {
    let payout = at.payout()?;
    let group = at.view.group.filter(|group| group.no == payout.group).ok_or(Code::T0999)?;
    let state = state_of(payout.own, group.mode);
    let waits = matches!(state, State::Requested | State::Executing);
    if order.held && !waits { Err(Code::P0131.into()) } else { Ok(()) }
}
