//! The rail itself: the stop switch, its counter, and what the bank says to be there (decision M3).

use super::Scene;
use crate::code::Code;
use crate::command::Actor;
use crate::ident::BankNo;
use crate::matter::NOTE_MAX;
use crate::money::Won;
use crate::rail::{Balance, Pause, Rail};
use crate::refusal::Refusal;
use crate::text;
use crate::time::Time;
use crate::view::{About, Change, EventKind, Reply, StatementRead, Write};

pub(super) fn pause(at: &Scene<'_>, reason: &str) -> Result<Change, Refusal> {
    let rail = at.view.rail.ok_or(Code::T0999)?;
    if rail.pause.is_some() {
        return Ok(Change::none(Reply::Stale));
    }
    let writes = paused(at, rail, reason.to_owned()).to_vec();
    Ok(Change { writes, reply: Reply::Done, serials: 0 })
}

pub(super) fn paused(at: &Scene<'_>, rail: &Rail, reason: String) -> [Write; 2] {
    let by = match at.actor {
        Actor::Operator(name) => name.clone(),
        Actor::Engine | Actor::Partner => "engine".to_owned(),
    };
    let mut event = at.event(EventKind::RailPaused, About::Rail, None);
    event.note = Some(reason.clone());
    let pause = Pause { at: at.context.now, by, reason };
    [Write::Rail(Rail { pause: Some(pause), ..rail.clone() }), Write::Event(event)]
}

pub(super) fn resume(at: &Scene<'_>) -> Result<Change, Refusal> {
    let rail = at.view.rail.ok_or(Code::T0999)?;
    if rail.pause.is_none() {
        return Ok(Change::none(Reply::Stale));
    }
    let event = at.event(EventKind::RailResumed, About::Rail, None);
    let writes = vec![Write::Rail(Rail { pause: None, ..rail.clone() }), Write::Event(event)];
    Ok(Change { writes, reply: Reply::Done, serials: 0 })
}

/// Numbers for calls that move no money come from the same counter, many at once: what is not used
/// of them is never used.
pub(super) fn take_counters(at: &Scene<'_>, count: i64) -> Result<Change, Refusal> {
    let rail = at.view.rail.ok_or(Code::T0999)?;
    let first = rail.bank_counter;
    let next = first.checked_add(count.max(1)).ok_or(Code::T0503)?;
    // The last of them must still be a number.
    BankNo::counted(0, at.context.epochs.current(), next - 1).ok_or(Code::T0503)?;
    let writes = vec![Write::Rail(Rail { bank_counter: next, ..rail.clone() })];
    Ok(Change { writes, reply: Reply::Counters(first), serials: 0 })
}

/// What the settlement account holds, for the view of funds.
pub(super) fn note_balance(
    at: &Scene<'_>,
    amount: Won,
    moment: Time,
    source: &str,
) -> Result<Change, Refusal> {
    let by = at.person()?;
    let rail = at.view.rail.ok_or(Code::T0999)?;
    let source = text::clean(source).filter(|text| text.chars().count() <= NOTE_MAX);
    let source = source.ok_or(Refusal::field(Code::P0134, "source"))?;
    let mut event = at.event(EventKind::BalanceNoted, About::Rail, None);
    event.amount = Some(amount);
    event.note = Some(format!("as of {}: {source}", moment.seoul_text()));
    let balance = Some(Balance { amount, at: moment, by: by.to_owned() });
    let writes = vec![Write::Rail(Rail { balance, ..rail.clone() }), Write::Event(event)];
    Ok(Change { writes, reply: Reply::Done, serials: 0 })
}

pub(super) fn note_statement(
    at: &Scene<'_>,
    statement: &StatementRead,
    closing: Option<(Won, Time)>,
) -> Result<Change, Refusal> {
    let rail = at.view.rail.ok_or(Code::T0999)?;
    let mut event = at.event(EventKind::StatementRead, About::Rail, None);
    event.note = Some(format!(
        "{}: {} rows, {} findings",
        statement.name, statement.rows, statement.findings
    ));
    let statement = StatementRead { at: at.context.now, ..statement.clone() };
    // An older statement says nothing about what is there now.
    let newest = |at: Time| rail.balance.as_ref().is_none_or(|balance| balance.at < at);
    let balance = closing.filter(|(_, at)| newest(*at)).map(|(amount, at)| {
        let by = statement.by.clone();
        Write::Rail(Rail { balance: Some(Balance { amount, at, by }), ..rail.clone() })
    });
    let mut writes = vec![Write::Statement(statement), Write::Event(event)];
    writes.extend(balance);
    Ok(Change { writes, reply: Reply::Done, serials: 0 })
}
