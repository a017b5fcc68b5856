//! What persons decide about money: alone up to a set amount, above it with a second one (decisions
//! H13, M2). The ground of each is written down with the names.

use super::Scene;
use super::bank::{DATE_DOUBT_MS, REFUSED, SETTLED, Step, give_back, return_of};
use super::partner;
use super::trade;
use crate::bank::BankCode;
use crate::code::Code;
use crate::ident::ProposalNo;
use crate::ledger::{Entry, Subject};
use crate::matter::{Act, Matter, NOTE_MAX, Proposal, ProposalState, Verdict};
use crate::payout::{Attempt, State};
use crate::refusal::Refusal;
use crate::text;
use crate::time::Day;
use crate::view::{About, Change, EventKind, Reply, Write};

/// Done at once, or written down as a proposal where a second person is needed. What could not be
/// done now is refused now.
pub(super) fn act(at: &Scene<'_>, act: &Act) -> Result<Change, Refusal> {
    let by = at.person()?;
    let done = carry_out(at, act)?;
    let second = at.context.rules.second_above.is_some_and(|most| act.amount > most);
    let repeated = matches!(done.reply, Reply::Stale | Reply::Funded { repeated: true, .. });
    if !second || repeated {
        return Ok(done);
    }
    let no = ProposalNo(at.context.serial);
    let proposal = Proposal {
        no,
        act: act.clone(),
        by: by.to_owned(),
        at: at.context.now,
        state: ProposalState::Open,
        closed_by: None,
        closed_at: None,
    };
    let event = event(at, EventKind::Proposed, &proposal, &act.matter.text());
    let writes = vec![Write::Proposal(proposal), Write::Event(event)];
    Ok(Change { writes, reply: Reply::Proposed(no), serials: 1 })
}

/// The act is decided anew: what was right when it was proposed may not be any more.
pub(super) fn approve(at: &Scene<'_>, no: ProposalNo, act: &Act) -> Result<Change, Refusal> {
    let by = at.person()?;
    let open = |p: &&Proposal| p.no == no && p.state == ProposalState::Open && p.act == *act;
    let proposal = at.view.proposal.filter(open).ok_or(Code::P0132)?;
    // Nor somebody who was added for it.
    let known = at.view.operator.filter(|o| o.name == by && o.may_sign());
    let known = known.ok_or(Code::P0121)?;
    if proposal.by == by || known.added_at >= proposal.at {
        return Err(Code::P0133.into());
    }
    let mut change = carry_out(at, act)?;
    let closed = close(at, proposal, by, ProposalState::Approved);
    let note = format!("proposed by {}", proposal.by);
    let event = event(at, EventKind::Approved, &closed, &note);
    change.writes.extend([Write::Proposal(closed), Write::Event(event)]);
    Ok(change)
}

pub(super) fn withdraw(at: &Scene<'_>) -> Result<Change, Refusal> {
    let by = at.person()?;
    let open = |p: &&Proposal| p.state == ProposalState::Open;
    let proposal = at.view.proposal.filter(open).ok_or(Code::P0132)?;
    let closed = close(at, proposal, by, ProposalState::Withdrawn);
    let note = format!("proposed by {}", proposal.by);
    let event = event(at, EventKind::Withdrawn, &closed, &note);
    let writes = vec![Write::Proposal(closed), Write::Event(event)];
    Ok(Change { writes, reply: Reply::Done, serials: 0 })
}

fn close(at: &Scene<'_>, proposal: &Proposal, by: &str, state: ProposalState) -> Proposal {
    let (closed_by, closed_at) = (Some(by.to_owned()), Some(at.context.now));
    Proposal { state, closed_by, closed_at, ..proposal.clone() }
}

/// About the payout where there is one, so that its own story tells of it.
fn event(at: &Scene<'_>, kind: EventKind, proposal: &Proposal, note: &str) -> crate::view::Event {
    let about = proposal.act.payout.map_or(About::Proposal(proposal.no), About::Payout);
    let mut event = at.event(kind, about, Some(proposal.act.partner));
    event.amount = Some(proposal.act.amount);
    event.note = Some(format!("proposal {}: {note}", proposal.no.0));
    event
}

fn carry_out(at: &Scene<'_>, act: &Act) -> Result<Change, Refusal> {
    let note = text::clean(&act.note)
        .filter(|note| !note.trim().is_empty() && note.chars().count() <= NOTE_MAX);
    let note = note.ok_or(Code::P0134)?;
    match act.matter {
        Matter::Resolve(Verdict::Settled(day)) => {
            let attempt = resolved(at, act, Some(day))?;
            ended(at, attempt, SETTLED, EventKind::Resolved, &note)
        }
        Matter::Resolve(Verdict::Failed) => {
            let attempt = resolved(at, act, None)?;
            ended(at, attempt, REFUSED, EventKind::Resolved, &note)
        }
        Matter::Correct(day) => correct(at, act, day, &note),
        Matter::Return(code) => returned(at, act, code, &note),
        Matter::Fund(funding) => partner::fund(at, funding, act.amount, &note),
        Matter::Recover => owed(at, act, Entry::Recover, EventKind::Recovered, &note),
        Matter::WriteOff => owed(at, act, Entry::WriteOff, EventKind::WrittenOff, &note),
        Matter::Trade(_, done) => trade::resolve(at, act, done, &note),
    }
}

/// The attempt of a payout in that state, if the act is about this amount of it.
fn attempt_in(at: &Scene<'_>, act: &Act, state: State) -> Result<Attempt, Refusal> {
    let payout = at.payout()?;
    if payout.own != Some(state) || payout.amount != act.amount {
        return Err(Code::P0131.into());
    }
    Ok(at.view.attempt.ok_or(Code::P0131)?.clone())
}

/// An unknown one with its end. That it was never paid can only be known once the business day on
/// which it may have been sent has closed (openbanking 7.2).
fn resolved(at: &Scene<'_>, act: &Act, paid_on: Option<Day>) -> Result<Attempt, Refusal> {
    let mut attempt = attempt_in(at, act, State::Unknown)?;
    let today = at.context.now.day();
    match paid_on {
        Some(day) if !possible(at, day) => return Err(Refusal::field(Code::P0131, "date")),
        Some(day) => attempt.day = day,
        None => {
            // Near midnight the bank may have dated it on the day after.
            let latest = attempt.sent_at.plus_ms(DATE_DOUBT_MS).day();
            let closed = attempt.day.max(latest) < today;
            if !closed && !at.context.rules.resolve_same_day {
                return Err(Code::P0135.into());
            }
            attempt.failure = Some(Code::A0009);
        }
    }
    attempt.inquire_at = None;
    attempt.answered_at = Some(at.context.now);
    Ok(attempt)
}

/// A bank may date what came after its cut-off on the next day, but no later; and nothing before it
/// was requested.
fn possible(at: &Scene<'_>, day: Day) -> bool {
    let today = at.context.now.day();
    let requested = at.view.payout.map_or(today, |payout| payout.at.day());
    requested <= day && day <= today.next().unwrap_or(today)
}

fn correct(at: &Scene<'_>, act: &Act, day: Day, note: &str) -> Result<Change, Refusal> {
    let mut attempt = attempt_in(at, act, State::Failed)?;
    // One that never got a number was never at a bank, so no bank can have paid it.
    if attempt.bank_no.is_none() || !possible(at, day) {
        return Err(Code::P0131.into());
    }
    // Why it had failed stays: that outcome may not have been told yet.
    attempt.day = day;
    let step = Step { entry: Entry::Correct, ..SETTLED };
    ended(at, attempt, step, EventKind::Corrected, note)
}

fn returned(
    at: &Scene<'_>,
    act: &Act,
    code: Option<BankCode>,
    note: &str,
) -> Result<Change, Refusal> {
    let mut attempt = attempt_in(at, act, State::Settled)?;
    attempt.returned_at = Some(at.context.now);
    attempt.return_code = code;
    let step = return_of(at, &attempt, act.amount)?;
    ended(at, attempt, step, EventKind::Resolved, note)
}

/// The end of a payout, and the line that says on what ground.
fn ended(
    at: &Scene<'_>,
    attempt: Attempt,
    step: Step,
    kind: EventKind,
    note: &str,
) -> Result<Change, Refusal> {
    let payout = at.payout()?;
    let mut event = at.event(kind, About::Payout(payout.no), Some(payout.partner));
    event.amount = Some(payout.amount);
    event.note = Some(note.to_owned());
    let mut writes = give_back(at, payout, attempt, step)?;
    writes.push(Write::Event(event));
    Ok(Change { writes, reply: Reply::Done, serials: 0 })
}

/// Its ground counts once, as the reference of a funding does: a command whose answer was lost can be
/// given again.
fn owed(
    at: &Scene<'_>,
    act: &Act,
    entry: Entry,
    kind: EventKind,
    note: &str,
) -> Result<Change, Refusal> {
    let partner = at.partner()?;
    if let Some(before) = at.view.fund {
        let same = before == act.amount;
        return if same { Ok(Change::none(Reply::Stale)) } else { Err(Code::P0110.into()) };
    }
    let (ledger, posting) = at.post(at.ledger()?, entry, act.amount, Subject::Fund, Code::P0136)?;
    let mut event = at.event(kind, About::Partner(partner.no), Some(partner.no));
    event.amount = Some(act.amount);
    event.note = Some(note.to_owned());
    let once = Write::Fund {
        partner: partner.no,
        reference: note.to_owned(),
        amount: act.amount,
        at: at.context.now,
    };
    let writes = vec![Write::Ledger(ledger), posting, once, Write::Event(event)];
    Ok(Change { writes, reply: Reply::Done, serials: 0 })
}
