//! What differs between a row of the hub and what the file says of it.
//!
//! The judgement is made once the whole file was read, since a later line may take an earlier
//! one's meaning: a paid line and its return agree with a payout that was returned.

use crate::book::{Book, Row, Seen};
use crate::class::{Evidence, Kind, Outcome, Proposal, Word};
use crate::ident::Id;
use crate::report::{Days, Finding, OurSide, TheirSide};
use ichae_domain::ident::BankNo;
use ichae_domain::money::Won;
use ichae_domain::payout::State;
use ichae_domain::time::Day;

/// Whether two days are at most `tolerance` days apart.
fn near(one: Day, other: Day, tolerance: u8) -> bool {
    let (mut day, last) = (one.min(other), one.max(other));
    for _ in 0..tolerance {
        if day >= last {
            break;
        }
        match day.next() {
            Some(next) => day = next,
            None => return false,
        }
    }
    day >= last
}

pub struct Judge<'a> {
    pub book: &'a Book,
    pub institution: &'a str,
    pub days: Days,
    pub tolerance: u8,
}

/// One row beside its lines.
struct Case<'a> {
    row: &'a Row,
    seen: &'a Seen,
    /// Lines that say so.
    paid: u32,
    returned: u32,
    /// One amount, one payment, no contradiction: good enough to act upon.
    sure: bool,
}

impl Judge<'_> {
    pub fn row(&self, row: &Row, out: &mut Vec<Finding>) {
        if agrees(row) {
            return;
        }
        let Some(id) = Id::of(BankNo(row.bank_no), self.institution) else { return };
        let case = self.case(row, &id);
        let mut found = Vec::new();
        if case.seen.is_empty() {
            let missing = row.state == State::Settled && self.days.hold(Day(row.day));
            found.extend(missing.then_some((Kind::Absent, Proposal::AskBank)));
        }
        let moved = case.seen.says(Word::Paid) || case.seen.says(Word::Returned);
        if moved && case.seen.amount != row.amount {
            found.push((Kind::Amount, Proposal::AskBank));
        }
        if case.paid > 1 {
            found.push((Kind::PaidAgain, Proposal::AskBank));
        }
        found.extend(self.shift(&case));
        found.extend(outcome(&case));
        let ours = OurSide { amount: Won(row.amount), day: Day(row.day), state: row.state };
        out.extend(found.into_iter().map(|(kind, proposal)| {
            self.finding(kind, proposal, id, case.seen, Some((row.payout, ours)))
        }));
    }

    /// An id of the file that is no row of the hub.
    pub fn stray(&self, id: &Id, seen: &Seen, out: &mut Vec<Finding>) {
        let (kind, proposal) = match id.number(self.institution) {
            None => (Kind::Foreign, Proposal::AskBank),
            Some(_) if !seen.says(Word::Paid) => (Kind::ReturnedUnknown, Proposal::AskBank),
            Some(_) => (Kind::NoSuchNumber, Proposal::LookForDouble),
        };
        out.push(self.finding(kind, proposal, *id, seen, None));
        if self.book.more(id, seen).is_some_and(|more| more.paid > 1) {
            out.push(self.finding(Kind::PaidAgain, Proposal::AskBank, *id, seen, None));
        }
    }

    fn case<'a>(&self, row: &'a Row, id: &Id) -> Case<'a> {
        let seen = &row.seen;
        let (paid, returned) = match self.book.more(id, seen) {
            Some(more) => (more.paid, more.returned),
            None => (u32::from(seen.says(Word::Paid)), u32::from(seen.says(Word::Returned))),
        };
        let contradicted = seen.says(Word::Refused) && paid + returned > 0;
        let sure = seen.amount == row.amount && paid <= 1 && !contradicted;
        Case { row, seen, paid, returned, sure }
    }

    /// Only of what has settled here: a day before that is ours alone.
    fn shift(&self, case: &Case<'_>) -> Option<(Kind, Proposal)> {
        let settled = matches!(case.row.state, State::Settled | State::Returned);
        if !settled || !case.seen.says(Word::Paid) || case.row.day == case.seen.day {
            return None;
        }
        Some(if near(Day(case.row.day), Day(case.seen.day), self.tolerance) {
            (Kind::OverCutOff, Proposal::None)
        } else {
            (Kind::DaysApart, Proposal::AskBank)
        })
    }

    fn finding(
        &self,
        kind: Kind,
        proposal: Proposal,
        id: Id,
        seen: &Seen,
        ours: Option<(i64, OurSide)>,
    ) -> Finding {
        let word = seen.word();
        let theirs =
            word.map(|word| TheirSide { amount: Won(seen.amount), day: Day(seen.day), word });
        let (lines, line_count) = match self.book.more(&id, seen) {
            Some(more) => (more.lines.clone(), more.count),
            None if word.is_some() => (vec![seen.line], 1),
            None => (Vec::new(), 0),
        };
        let (payout, ours) = ours.unzip();
        Finding { kind, payout, id, lines, line_count, ours, theirs, proposal }
    }
}

/// The common case, which costs nothing: settled here, one line there, and it says the same.
fn agrees(row: &Row) -> bool {
    let seen = &row.seen;
    let paid = seen.word() == Some(Word::Paid) && !seen.again();
    paid && row.state == State::Settled && (seen.amount, seen.day) == (row.amount, row.day)
}

/// Where the outcomes differ.
fn outcome(case: &Case<'_>) -> Option<(Kind, Proposal)> {
    let word = case.seen.word()?;
    let evidence = Evidence { line: case.seen.line, day: Day(case.seen.day) };
    let resolve = |outcome| Proposal::Resolve(outcome, evidence);
    let sure = |proposal| if case.sure { proposal } else { Proposal::AskBank };
    match (case.row.state, word) {
        (State::Requested | State::Executing, Word::Paid | Word::Returned) => {
            Some((Kind::NeverSent, Proposal::LookForDouble))
        }
        (State::Requested | State::Executing, Word::Refused) => None,
        (State::Settled, _) if case.returned > 0 => {
            Some((Kind::ReturnedHereSettled, sure(Proposal::Return)))
        }
        (State::Settled, Word::Refused) => Some((Kind::RefusedHereSettled, Proposal::AskBank)),
        (State::Settled | State::Returned, _) => None,
        (State::Failed | State::Canceled, Word::Refused) => None,
        (State::Failed | State::Canceled, _) if case.paid <= case.returned => {
            Some((Kind::BackHereFailed, Proposal::None))
        }
        (State::Failed, _) => Some((Kind::PaidHereFailed, sure(Proposal::Correct))),
        (State::Canceled, _) => Some((Kind::PaidHereCanceled, sure(Proposal::Correct))),
        (State::Sending | State::Unknown, _) if case.returned > 0 => {
            Some((Kind::ReturnedHereOpen, sure(resolve(Outcome::Settled))))
        }
        (State::Sending | State::Unknown, Word::Paid | Word::Returned) => {
            Some((Kind::WouldSettle, sure(resolve(Outcome::Settled))))
        }
        // What is being sent may still be answered; a refusal frees the money, so it waits.
        (State::Sending, Word::Refused) => Some((Kind::WouldFail, Proposal::AskBank)),
        (State::Unknown, Word::Refused) => {
            let same = case.seen.amount == case.row.amount;
            let failed = if same { resolve(Outcome::Failed) } else { Proposal::AskBank };
            Some((Kind::WouldFail, failed))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_apart_by_the_calendar() {
        for (one, other, tolerance, expected) in [
            (20_261_122, 20_261_122, 0, true),
            (20_261_122, 20_261_123, 0, false),
            (20_261_122, 20_261_123, 1, true),
            (20_261_123, 20_261_122, 1, true),
            (20_261_130, 20_261_201, 1, true),
            (20_261_231, 20_270_101, 1, true),
            (20_261_122, 20_261_124, 1, false),
            (20_261_122, 20_261_124, 2, true),
        ] {
            assert_eq!(near(Day(one), Day(other), tolerance), expected, "{one} {other}");
        }
    }
}
