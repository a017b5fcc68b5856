//! The bank's part of a payout's life: intent, outcome, return, in the order of its way.
//!
//! The intent is written before the bank is called. A definite answer ends the payout; anything
//! else keeps the amount held and only an inquiry's answer may end it (decision H13).

use super::Scene;
use super::rail::paused;
use crate::bank::{Answer, BankCode, Why};
use crate::code::Code;
use crate::command::{Asked, Doubt, Told};
use crate::group::{Group, Mode};
use crate::ident::BankNo;
use crate::ledger::{Entry, Subject};
use crate::money::Won;
use crate::notice::{self, Outcome};
use crate::payout::{Attempt, Payout, State, state_of};
use crate::rail::Rail;
use crate::refusal::Refusal;
use crate::retry::inquiry_wait_ms;
use crate::time::Day;
use crate::view::{About, Change, Deposit, EventKind, Reply, Write};

/// Writes the intent: `bank_tran_id`, business date, amount. Fails the payout instead where its
/// key has died since (decision H11).
pub(super) fn claim(at: &Scene<'_>) -> Result<Change, Refusal> {
    let payout = at.payout()?;
    let (Some(group), Some(key)) = (at.view.group, at.view.key) else {
        return Err(Code::T0999.into());
    };
    if payout.group != group.no || payout.key != key.no {
        return Err(Code::T0999.into());
    }
    let rail = at.view.rail.ok_or(Code::T0999)?;
    if state_of(payout.own, group.mode) != State::Executing {
        return Ok(Change::none(Reply::Stale));
    }
    if rail.pause.is_some() {
        return Err(Code::T0503.into());
    }
    let now = at.context.now;
    let opens = at.context.rules.calendar.bank_open_from(&key.bank, now);
    if at.partner()?.held || at.view.hold.is_some() || opens > now {
        return Ok(Change::none(Reply::NotNow));
    }
    let mut change = match key.dead {
        Some(bank) => dead(at, payout, bank)?,
        None => intent(at, payout, rail)?,
    };
    if payout.own.is_none() && group.mode == Mode::Executing {
        change.writes.push(Write::Group(Group { unclaimed: group.unclaimed - 1, ..group.clone() }));
    }
    Ok(change)
}

fn intent(at: &Scene<'_>, payout: &Payout, rail: &Rail) -> Result<Change, Refusal> {
    let partner = at.partner()?;
    let now = at.context.now;
    let before = at.view.attempt;
    let mut rail = rail.clone();
    let epochs = at.context.epochs;
    let first = epochs.number_to_claim(partner.no, payout.no).filter(|_| before.is_none());
    let bank_no = match before.and_then(|a| a.bank_no).or(first) {
        Some(known) => known,
        // A further number, or one of a payout that is older than this epoch.
        None => {
            let counter = rail.bank_counter;
            rail.bank_counter += 1;
            BankNo::counted(partner.no.shard(), epochs.current(), counter).ok_or(Code::T0503)?
        }
    };
    let counted = Some(&rail) != at.view.rail;
    let attempt = Attempt {
        payout: payout.no,
        partner: payout.partner,
        bank_no: Some(bank_no),
        day: now.day(),
        sent_at: now,
        sends: before.map_or(0, |a| a.sends) + 1,
        bank_code: None,
        bank_code_sub: 0,
        failure: None,
        why: None,
        answered_at: None,
        inquiries: 0,
        inquire_at: None,
        returned_at: None,
        return_code: None,
    };
    let deposit = Deposit {
        payout: payout.no,
        partner: payout.partner,
        key: payout.key,
        bank_no,
        sends: attempt.sends,
        day: attempt.day,
        amount: payout.amount,
    };
    let event = at.event(EventKind::Claimed, About::Payout(payout.no), Some(payout.partner));
    let mut writes = vec![
        Write::Own(payout.no, State::Sending, None),
        Write::Attempt(attempt),
        Write::Event(event),
    ];
    writes.extend(counted.then_some(Write::Rail(rail)));
    Ok(Change { writes, reply: Reply::Send(deposit), serials: 0 })
}

/// After a restore: what waited or was executed may have been sent since, so it becomes unknown, its
/// amount stays held, and the bank is asked under the number that it would have had (decision I1).
pub(super) fn doubt(at: &Scene<'_>, doubt: &Doubt) -> Result<Change, Refusal> {
    let payout = at.payout()?;
    let group = at.view.group.filter(|g| g.no == payout.group).ok_or(Code::T0999)?;
    let state = state_of(payout.own, group.mode);
    if !matches!(state, State::Requested | State::Executing) {
        return Ok(Change::none(Reply::Stale));
    }
    let now = at.context.now;
    let before = at.view.attempt;
    // A number that own-side trouble used up was followed by one that nobody knows any more.
    let bank_no = before.map_or(doubt.bank_no, |attempt| attempt.bank_no);
    let attempt = Attempt {
        payout: payout.no,
        partner: payout.partner,
        bank_no,
        day: before.map_or(payout.at.day(), |attempt| attempt.day),
        sent_at: now,
        sends: before.map_or(1, |attempt| attempt.sends.max(1)),
        bank_code: None,
        bank_code_sub: 0,
        failure: None,
        why: Some(Why::Restored),
        answered_at: None,
        inquiries: 0,
        inquire_at: bank_no.map(|_| now),
        returned_at: None,
        return_code: None,
    };
    let mut event =
        at.event(EventKind::BecameUnknown, About::Payout(payout.no), Some(payout.partner));
    event.amount = Some(payout.amount);
    event.note = Some(Why::Restored.text());
    let mut writes = vec![
        Write::Own(payout.no, State::Unknown, None),
        Write::Attempt(attempt),
        Write::Event(event),
    ];
    if payout.own.is_none() {
        let mut group = group.clone();
        if state == State::Requested {
            group.waiting -= 1;
            group.waiting_sum = Won(group.waiting_sum.0 - payout.amount.0);
        } else {
            group.unclaimed -= 1;
        }
        writes.push(Write::Group(group));
    }
    Ok(Change { writes, reply: Reply::Done, serials: 0 })
}

fn dead(at: &Scene<'_>, payout: &Payout, bank: BankCode) -> Result<Change, Refusal> {
    let now = at.context.now;
    let attempt = Attempt {
        payout: payout.no,
        partner: payout.partner,
        bank_no: at.view.attempt.and_then(|a| a.bank_no),
        day: now.day(),
        sent_at: now,
        sends: at.view.attempt.map_or(0, |a| a.sends),
        bank_code: Some(bank),
        bank_code_sub: 0,
        failure: Some(Code::R0103),
        why: None,
        answered_at: Some(now),
        inquiries: 0,
        inquire_at: None,
        returned_at: None,
        return_code: None,
    };
    let writes = give_back(at, payout, attempt, REFUSED)?;
    Ok(Change { writes, reply: Reply::Failed, serials: 0 })
}

/// Takes in what the bank told. What does not fit the row's state any more changes nothing.
pub(super) fn outcome(at: &Scene<'_>, told: &Told) -> Result<Change, Refusal> {
    let payout = at.payout()?;
    let attempt = at.view.attempt.ok_or(Code::T0999)?;
    if payout.key != told.key {
        return Err(Code::T0999.into());
    }
    let expected = match told.asked {
        Asked::Deposit => State::Sending,
        Asked::Inquiry => State::Unknown,
    };
    // A number can be sent again after a put-back: what is told of the earlier send is over.
    let same = (attempt.bank_no, attempt.sends) == (Some(told.bank_no), told.sends);
    if payout.own != Some(expected) || !same {
        return Ok(contradicted(at, payout, told, same));
    }
    let mut next = attempt.clone();
    next.inquire_at = None;
    match told.answer {
        Answer::Settled { day, bank_code_sub } => settled(at, payout, next, day, bank_code_sub),
        // An inquiry may answer with a code that speaks of itself, not of the original.
        Answer::Refused { code, .. }
            if told.asked == Asked::Inquiry && !code.final_in_inquiry() =>
        {
            unknown(at, payout, next, told.asked, Why::Undecided(code))
        }
        Answer::Refused { code, day } => refused(at, payout, next, code, day),
        Answer::Unknown(why) => unknown(at, payout, next, told.asked, why),
        // An inquiry that could not be made says nothing about the payout.
        Answer::NotSent if told.asked == Asked::Inquiry => {
            unknown(at, payout, next, told.asked, attempt.why.unwrap_or(Why::Lost))
        }
        // One that is answered with own-side trouble leaves it unknown all the same: only settled or
        // failed may follow (decision H13), so a person decides.
        Answer::OwnSide { code } if told.asked == Asked::Inquiry => {
            unknown(at, payout, next, told.asked, Why::Undecided(code))
        }
        Answer::NotSent => Ok(put_back(at, payout, next, None)),
        Answer::OwnSide { code } => Ok(put_back(at, payout, next, Some(code))),
    }
}

/// Too late to change anything. What says the opposite of how the payout ended is written down: a
/// person, or an earlier answer, was wrong.
fn contradicted(at: &Scene<'_>, payout: &Payout, told: &Told, same: bool) -> Change {
    let says = match told.answer {
        Answer::Settled { .. } => Some(State::Settled),
        Answer::Refused { code, .. } if code.final_in_inquiry() => Some(State::Failed),
        _ => None,
    };
    let ended = [(State::Settled, State::Failed), (State::Failed, State::Settled)];
    let against = says.is_some_and(|says| ended.contains(&(says, payout.own.unwrap_or(says))));
    if !same || !against {
        return Change::none(Reply::Stale);
    }
    let about = About::Payout(payout.no);
    let mut event = at.event(EventKind::Contradicted, about, Some(payout.partner));
    event.amount = Some(payout.amount);
    event.note = says.map(|says| format!("the bank says {} of it", says.name()));
    Change { writes: vec![Write::Event(event)], reply: Reply::Stale, serials: 0 }
}

fn settled(
    at: &Scene<'_>,
    payout: &Payout,
    mut attempt: Attempt,
    day: Day,
    bank_code_sub: u32,
) -> Result<Change, Refusal> {
    attempt.day = day;
    attempt.bank_code = Some(BankCode::OK);
    attempt.bank_code_sub = bank_code_sub;
    attempt.answered_at = Some(at.context.now);
    let writes = give_back(at, payout, attempt, SETTLED)?;
    Ok(Change { writes, reply: Reply::Done, serials: 0 })
}

fn refused(
    at: &Scene<'_>,
    payout: &Payout,
    mut attempt: Attempt,
    code: BankCode,
    day: Day,
) -> Result<Change, Refusal> {
    attempt.day = day;
    attempt.bank_code = Some(code);
    attempt.failure = Some(Code::A0009);
    attempt.answered_at = Some(at.context.now);
    let mut writes = give_back(at, payout, attempt, REFUSED)?;
    if let Some(key) = at.view.key.filter(|key| code.kills_key() && key.dead.is_none()) {
        let mut event = at.event(EventKind::KeyDied, About::Key(key.no), Some(key.partner));
        event.note = Some(code.reason());
        let mut key = key.clone();
        key.dead = Some(code);
        writes.extend([Write::Key(key), Write::Event(event)]);
    }
    Ok(Change { writes, reply: Reply::Done, serials: 0 })
}

/// The amount stays held, and the next inquiry is written down: when, and for which day.
fn unknown(
    at: &Scene<'_>,
    payout: &Payout,
    mut attempt: Attempt,
    asked: Asked,
    why: Why,
) -> Result<Change, Refusal> {
    let first = asked == Asked::Deposit;
    let in_doubt = attempt.why == Some(Why::Restored);
    if in_doubt || why == Why::NoHistory {
        attempt.day = next_day(payout, &attempt, in_doubt);
    }
    if !in_doubt {
        attempt.why = Some(why);
    }
    attempt.inquiries += i64::from(!first);
    let rules = &at.context.rules;
    let wait = inquiry_wait_ms(attempt.inquiries, rules.inquiry_ceiling_ms);
    attempt.inquire_at = Some(rules.calendar.open_from(at.context.now.plus_ms(wait)));
    let kind = if first { EventKind::BecameUnknown } else { EventKind::Inquired };
    let mut event = at.event(kind, About::Payout(payout.no), Some(payout.partner));
    event.amount = Some(payout.amount);
    event.note = Some(why.text());
    let mut writes = vec![Write::Attempt(attempt), Write::Event(event)];
    if first {
        writes.push(Write::Own(payout.no, State::Unknown, None));
    }
    Ok(Change { writes, reply: Reply::Done, serials: 0 })
}

/// How far the bank's clock may be from ours around midnight, in milliseconds.
pub(super) const DATE_DOUBT_MS: i64 = 10 * 60_000;

/// The day that the next inquiry asks for, where the bank knows nothing on this one. Near midnight
/// the bank may have dated it on either side (openbanking 7.3); of a payout in doubt it is not known
/// on which day it was sent, if at all, so each since its request is asked for.
fn next_day(payout: &Payout, attempt: &Attempt, in_doubt: bool) -> Day {
    let sent = attempt.sent_at;
    let (first, last) = match in_doubt {
        true => (payout.at.day(), sent.day()),
        false => (sent.plus_ms(-DATE_DOUBT_MS).day(), sent.plus_ms(DATE_DOUBT_MS).day()),
    };
    attempt.day.next().filter(|day| *day <= last).unwrap_or(first)
}

/// Provably not sent: the row waits for its turn again. Own-side trouble pauses the rail with it,
/// so that it does not fail a hundred thousand payouts (decision M3). Then the bank has answered
/// the number, so the next send takes a new one; the event names the old.
fn put_back(
    at: &Scene<'_>,
    payout: &Payout,
    mut attempt: Attempt,
    own_side: Option<BankCode>,
) -> Change {
    let mut event = at.event(EventKind::PutBack, About::Payout(payout.no), Some(payout.partner));
    if let Some(code) = own_side {
        let number = attempt.bank_no.take().map(|no| format!(", bank number {}", no.0));
        event.note = Some(code.reason() + &number.unwrap_or_default());
    }
    let mut writes = vec![
        Write::Own(payout.no, State::Executing, None),
        Write::Attempt(attempt),
        Write::Event(event),
    ];
    let running = at.view.rail.filter(|rail| rail.pause.is_none());
    if let (Some(code), Some(rail)) = (own_side, running) {
        writes.extend(paused(at, rail, format!("bank: {}", code.reason())));
    }
    Change { writes, reply: Reply::Done, serials: 0 }
}

/// A settled payout came back (decision H17: A0998, with the bank's code or none).
pub(super) fn returned(
    at: &Scene<'_>,
    code: Option<BankCode>,
    notice: i64,
) -> Result<Change, Refusal> {
    let payout = at.payout()?;
    let attempt = at.view.attempt.ok_or(Code::T0999)?;
    let mut rail = at.view.rail.ok_or(Code::T0999)?.clone();
    // The bank may tell of a return before we know that it paid: the notice waits for the outcome.
    if matches!(payout.own, Some(State::Sending | State::Unknown)) {
        return Err(Code::T0503.into());
    }
    rail.notices_seen = rail.notices_seen.max(notice);
    if payout.own != Some(State::Settled) {
        return Ok(Change { writes: vec![Write::Rail(rail)], reply: Reply::Stale, serials: 0 });
    }
    let mut attempt = attempt.clone();
    attempt.returned_at = Some(at.context.now);
    attempt.return_code = code;
    let step = return_of(at, &attempt, payout.amount)?;
    let mut writes = give_back(at, payout, attempt, step)?;
    writes.push(Write::Rail(rail));
    Ok(Change { writes, reply: Reply::Done, serials: 0 })
}

/// A step that ends in an outcome: what it posts, the state that it leads to, what it tells.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub entry: Entry,
    pub state: State,
    pub told: Outcome,
}

pub(super) const SETTLED: Step =
    Step { entry: Entry::Settle, state: State::Settled, told: Outcome::Settled };
pub(super) const REFUSED: Step =
    Step { entry: Entry::Refuse, state: State::Failed, told: Outcome::Failed };

/// What a return gives back to. A payout that was corrected keeps why it had failed: what it gave back
/// then is owed, so its return pays that first, unless it was recovered already (decision H13).
pub(super) fn return_of(at: &Scene<'_>, attempt: &Attempt, amount: Won) -> Result<Step, Refusal> {
    let owed = attempt.failure.is_some() && at.ledger()?.suspense.0 <= -amount.0;
    let entry = if owed { Entry::ReturnOwed } else { Entry::Return };
    Ok(Step { entry, state: State::Returned, told: Outcome::Returned })
}

/// State, attempt, posting, webhook notice and event of an outcome, together.
pub(super) fn give_back(
    at: &Scene<'_>,
    payout: &Payout,
    attempt: Attempt,
    Step { entry, state, told }: Step,
) -> Result<Vec<Write>, Refusal> {
    let (ledger, posting) =
        at.post(at.ledger()?, entry, payout.amount, Subject::Payout(payout.no), Code::T0999)?;
    let (kind, code) = match told {
        Outcome::Settled => (EventKind::Settled, None),
        Outcome::Failed => (EventKind::Failed, attempt.bank_code),
        Outcome::Returned => (EventKind::Returned, attempt.return_code),
        // No outcome of a payout.
        Outcome::Paid | Outcome::ChargeFailed | Outcome::Refunded | Outcome::Deregistered => {
            return Err(Code::T0999.into());
        }
    };
    let mut event = at.event(kind, About::Payout(payout.no), Some(payout.partner));
    event.amount = Some(payout.amount);
    event.note = code.map(BankCode::reason);
    Ok(vec![
        Write::Own(payout.no, state, None),
        Write::Attempt(attempt),
        Write::Ledger(ledger),
        posting,
        notice(at, payout, told),
        Write::Event(event),
    ])
}

fn notice(at: &Scene<'_>, payout: &Payout, outcome: Outcome) -> Write {
    at.notice(payout.partner, notice::Subject::Payout(payout.no), outcome)
}
