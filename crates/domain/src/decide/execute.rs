//! `/transfer/execute`: NOW and CANCEL, of a whole group or of what waits on one key (decision H10).

use super::Scene;
use crate::code::Code;
use crate::command::{Action, Execute, Target};
use crate::group::{Group, Mode};
use crate::ledger::{Entry, Ledger, Subject};
use crate::money::Won;
use crate::payout::{Payout, State, state_of};
use crate::refusal::Refusal;
use crate::view::{About, Change, EventKind, Reply, Write};

pub(super) fn execute(at: &Scene<'_>, execute: &Execute) -> Result<Change, Refusal> {
    let partner = at.partner()?;
    if partner.suspended && *at.actor == crate::command::Actor::Partner {
        return Err(Code::T0340.into());
    }
    let group = at.view.group.filter(|g| g.partner == partner.no).ok_or(Code::E0101)?;
    let per_call = at.context.rules.webhook_per_call;
    let url = execute.webhook_url.clone().filter(|_| per_call);
    let needs_url = per_call && url.is_none() && partner.webhook_url.is_none();
    if execute.action == Action::Now && needs_url {
        return Err(Code::E0120.into());
    }
    let taken = match &execute.target {
        Target::All => whole(at, group, execute.action, url)?,
        Target::Rows(_) => rows(at, group, execute.action, url.as_ref())?,
    };
    finish(at, group, execute.action, taken)
}

/// What an execution takes: count, sum, the group's new row, and the writes for rows of their own.
struct Taken {
    rows: i64,
    total: Won,
    group: Group,
    ledger: Ledger,
    writes: Vec<Write>,
}

/// ALL costs what ALL on one costs: the group changes, its rows do not.
fn whole(
    at: &Scene<'_>,
    group: &Group,
    action: Action,
    url: Option<String>,
) -> Result<Taken, Refusal> {
    if group.waiting == 0 {
        return Err(Code::E0130.into());
    }
    let (rows, total) = (group.waiting, group.waiting_sum);
    let mut next = Group { waiting: 0, waiting_sum: Won::ZERO, ..group.clone() };
    let mut ledger = at.ledger()?.clone();
    let mut writes = Vec::new();
    match action {
        Action::Now => {
            next.mode = Mode::Executing;
            next.unclaimed = rows;
            next.webhook_url = url;
        }
        Action::Cancel => {
            next.mode = Mode::Canceled;
            let (after, posting) =
                at.post(&ledger, Entry::Cancel, total, Subject::Group(group.no), Code::T0999)?;
            ledger = after;
            writes.push(posting);
        }
    }
    Ok(Taken { rows, total, group: next, ledger, writes })
}

/// What waits on one key; each row gets a state of its own.
fn rows(
    at: &Scene<'_>,
    group: &Group,
    action: Action,
    url: Option<&String>,
) -> Result<Taken, Refusal> {
    let waits =
        |p: &&&Payout| p.group == group.no && state_of(p.own, group.mode) == State::Requested;
    let mut waiting: Vec<&Payout> = at.view.payouts.iter().filter(waits).copied().collect();
    // A row that is named twice is one row.
    waiting.sort_by_key(|payout| payout.no);
    waiting.dedup_by_key(|payout| payout.no);
    if waiting.is_empty() {
        return Err(Code::E0130.into());
    }
    let mut ledger = at.ledger()?.clone();
    let mut total = Won::ZERO;
    let mut writes = Vec::new();
    for payout in &waiting {
        total = total.plus(payout.amount).ok_or(Code::T0999)?;
        match action {
            Action::Now => {
                writes.push(Write::Own(payout.no, State::Executing, url.cloned()));
            }
            Action::Cancel => {
                let subject = Subject::Payout(payout.no);
                let (after, posting) =
                    at.post(&ledger, Entry::Cancel, payout.amount, subject, Code::T0999)?;
                ledger = after;
                writes.extend([Write::Own(payout.no, State::Canceled, None), posting]);
            }
        }
    }
    let rows = i64::try_from(waiting.len()).map_err(|_| Code::T0999)?;
    let mut next = group.clone();
    next.waiting -= rows;
    next.waiting_sum = Won(next.waiting_sum.0 - total.0);
    if action == Action::Now && matches!(next.mode, Mode::Open | Mode::Filling) {
        next.mode = Mode::Closed;
    }
    Ok(Taken { rows, total, group: next, ledger, writes })
}

fn finish(at: &Scene<'_>, before: &Group, action: Action, taken: Taken) -> Result<Change, Refusal> {
    let Taken { rows, total, group, mut ledger, mut writes } = taken;
    if group.mode != Mode::Open && ledger.open_group == Some(before.no) {
        ledger.open_group = None;
    }
    let kind = match action {
        Action::Now => EventKind::Executed,
        Action::Cancel => EventKind::Canceled,
    };
    let mut event = at.event(kind, About::Group(group.no), Some(group.partner));
    event.amount = Some(total);
    event.note = Some(format!("{rows} rows"));
    let reply = Reply::Executed { total, remain: ledger.available, rows, at: at.context.now };
    writes.extend([Write::Group(group), Write::Ledger(ledger), Write::Event(event)]);
    Ok(Change { writes, reply, serials: 0 })
}
