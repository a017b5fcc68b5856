//! `/transfer/request`: holds the amount, moves nothing (decisions H7 to H9).

use super::Scene;
use crate::code::Code;
use crate::command;
use crate::group::{GROUP_ROWS_MAX, Group, Mode};
use crate::ident::{GroupNo, PayoutNo};
use crate::ledger::{Entry, Subject};
use crate::partner::Partner;
use crate::payout::{Payout, state_of};
use crate::refusal::{Detail, First, Refusal};
use crate::text;
use crate::view::{About, Change, EventKind, Reply, Requested, Write};

pub(super) fn request(at: &Scene<'_>, request: &command::Request) -> Result<Change, Refusal> {
    if let Some((first, group)) = at.view.prior {
        return Err(repeat(first, group, request));
    }
    let partner = at.partner()?;
    check(at, partner, request)?;
    let key = at.view.key.ok_or(Code::R0102)?;
    let serial = at.context.serial;
    let payout_no = PayoutNo(serial);
    let (held, posting) = at.post(
        at.ledger()?,
        Entry::Hold,
        request.amount,
        Subject::Payout(payout_no),
        Code::R0140,
    )?;
    let (group, closed) = join(at, partner, GroupNo(serial + 1), request)?;
    let print = request.print.clone().unwrap_or_else(|| text::print_default(&partner.name));
    let mut ledger = held;
    ledger.open_group = Some(group.no);
    let payout = Payout {
        no: payout_no,
        partner: partner.no,
        group: group.no,
        key: key.no,
        amount: request.amount,
        distinct_key: request.distinct_key.clone(),
        sub_id: request.sub_id.clone(),
        print: print.clone(),
        print_sent: request.print.is_some(),
        at: at.context.now,
        own: None,
        webhook_url: None,
    };
    let mut event = at.event(EventKind::Requested, About::Payout(payout_no), Some(partner.no));
    event.amount = Some(request.amount);
    let reply = Reply::Requested(Box::new(Requested {
        payout: payout_no,
        group: group.no,
        remain: ledger.available,
        print,
        at: at.context.now,
    }));
    let serials = if group.no.0 == serial + 1 { 2 } else { 1 };
    let mut writes = Vec::with_capacity(6);
    writes.extend(closed.map(Write::Group));
    writes.extend([
        Write::Group(group),
        Write::NewPayout(payout),
        Write::Ledger(ledger),
        posting,
        Write::Event(event),
    ]);
    Ok(Change { writes, reply, serials })
}

/// What depends on state or configuration, in the order of the documents' fields (decision H6a).
fn check(at: &Scene<'_>, partner: &Partner, request: &command::Request) -> Result<(), Refusal> {
    if partner.suspended {
        return Err(Code::T0340.into());
    }
    let key = at.view.key.filter(|key| key.partner == partner.no).ok_or(Code::R0102)?;
    if let Some(bank) = key.dead {
        return Err(Refusal { code: Code::R0103, detail: Detail::Bank(bank) });
    }
    if at.context.rules.fixed_amount.is_some_and(|fixed| fixed != request.amount) {
        return Err(Code::R0112.into());
    }
    if partner.transfer_cap.is_some_and(|cap| request.amount > cap) {
        return Err(Code::R0113.into());
    }
    Ok(())
}

/// The open group with one row more, or a new one; a full one is closed with it.
fn join(
    at: &Scene<'_>,
    partner: &Partner,
    fresh: GroupNo,
    request: &command::Request,
) -> Result<(Group, Option<Group>), Refusal> {
    let open = at.view.group.filter(|g| g.mode == Mode::Open);
    let full = open.filter(|g| g.rows >= GROUP_ROWS_MAX);
    let mut group = match open {
        Some(group) if full.is_none() => group.clone(),
        _ => Group::open(fresh, partner.no, at.context.now),
    };
    group.rows += 1;
    group.waiting += 1;
    group.waiting_sum = group.waiting_sum.plus(request.amount).ok_or(Code::R0140)?;
    Ok((group, full.map(|g| Group { mode: Mode::Closed, ..g.clone() })))
}

/// R0132, or R0133 with the first field that differs, in the documents' order (decision H9).
fn repeat(first: &Payout, group: &Group, request: &command::Request) -> Refusal {
    let sent_before = first.print_sent.then_some(&first.print);
    let differs = [
        ("sub_id", first.sub_id != request.sub_id),
        ("billing_tran_id", Some(first.key) != request.key),
        ("tran_amt", first.amount != request.amount),
        ("print_content", sent_before != request.print.as_ref()),
    ]
    .into_iter()
    .find_map(|(name, differs)| differs.then_some(name));
    let code = if differs.is_some() { Code::R0133 } else { Code::R0132 };
    let first = First {
        payout: first.no,
        group: first.group,
        key: first.key,
        amount: first.amount,
        at: first.at,
        state: state_of(first.own, group.mode),
    };
    Refusal { code, detail: Detail::First(Box::new(first), differs) }
}
