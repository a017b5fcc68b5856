//! The invariants that need no model: the store's rows among themselves and against the bank's
//! journal, after every commit.

use crate::line::Line;
use crate::violation::{Checked, Violation, ensure};
use ichae_domain::audit::{Audit, journal_per_payout};
use ichae_domain::group::Mode;
use ichae_domain::ident::{BankNo, GroupNo, PartnerNo, PayoutNo};
use ichae_domain::notice::Outcome;
use ichae_domain::payout::State;
use ichae_domain::view::{About, EventKind};
use ichae_store::memory::Rows;
use std::collections::{BTreeMap, BTreeSet};

const STATES: usize = State::ALL.len();
/// The name under which a number in the wrong place is reported.
pub const NUMBERS: &str =
    "a bank number belongs to one payout, which keeps it unless own-side trouble answered it";

/// What has to be remembered from one commit to the next.
#[derive(Debug)]
pub struct Checks {
    states: BTreeMap<PayoutNo, State>,
    /// Every number that was ever written as an intent, and its payout.
    numbers: BTreeMap<BankNo, PayoutNo>,
    numbered: BTreeMap<PayoutNo, BankNo>,
    /// Numbers that own-side trouble answered.
    used_up: BTreeSet<BankNo>,
    events_seen: usize,
    /// Which state can be reached from which, in any number of moves.
    reach: [[bool; STATES]; STATES],
    in_flight_max: usize,
}

impl Checks {
    pub fn new(in_flight_max: usize) -> Checks {
        let mut reach = [[false; STATES]; STATES];
        for from in State::ALL {
            for to in State::ALL {
                reach[from as usize][to as usize] = from == to || from.may_become(to);
            }
        }
        for via in 0..STATES {
            for from in 0..STATES {
                for to in 0..STATES {
                    reach[from][to] |= reach[from][via] && reach[via][to];
                }
            }
        }
        Checks {
            states: BTreeMap::new(),
            numbers: BTreeMap::new(),
            numbered: BTreeMap::new(),
            used_up: BTreeSet::new(),
            events_seen: 0,
            reach,
            in_flight_max,
        }
    }

    /// Judges everything that a commit left.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn after_commit(&mut self, rows: &Rows, line: &Line) -> Checked {
        audit(rows)?;
        counters(rows)?;
        distinct_keys(rows)?;
        self.moves(rows)?;
        self.numbers(rows)?;
        self.bank(rows, line)?;
        notices(rows)
    }

    /// Decision H13, seen from outside: no commit moves a payout where its life cannot go.
    fn moves(&mut self, rows: &Rows) -> Checked {
        let mut sending = 0;
        for payout in rows.payouts.values() {
            let now = rows.state(payout);
            sending += usize::from(now == State::Sending);
            let before = self.states.insert(payout.no, now).unwrap_or(State::Requested);
            ensure(
                self.reach[before as usize][now as usize],
                "payouts move only along the lifecycle",
                || format!("{:?}: {before:?} to {now:?}", payout.no),
            )?;
        }
        ensure(sending <= self.in_flight_max, "no more intents than may be in flight", || {
            format!("{sending} sending, at most {}", self.in_flight_max)
        })
    }

    /// A bank number belongs to one payout, and a payout keeps the one it got until own-side
    /// trouble answers it. The put-back's event then names it.
    fn numbers(&mut self, rows: &Rows) -> Checked {
        for event in rows.events.iter().skip(self.events_seen) {
            let (EventKind::PutBack, About::Payout(payout), Some(note)) =
                (event.kind, event.about, &event.note)
            else {
                continue;
            };
            let number = self.numbered.remove(&payout);
            let named = number.is_some_and(|no| note.ends_with(&format!(" {}", no.0)));
            ensure(named, NUMBERS, || format!("{payout:?} had {number:?}, put back: {note}"))?;
            self.used_up.extend(number);
        }
        self.events_seen = rows.events.len();
        for attempt in rows.attempts.values() {
            let kept = match attempt.bank_no {
                None => !self.numbered.contains_key(&attempt.payout),
                Some(number) => {
                    let owner = *self.numbers.entry(number).or_insert(attempt.payout);
                    let kept = *self.numbered.entry(attempt.payout).or_insert(number);
                    (owner, kept) == (attempt.payout, number) && !self.used_up.contains(&number)
                }
            };
            ensure(kept, NUMBERS, || {
                format!("{attempt:?}, it had {:?}", self.numbered.get(&attempt.payout))
            })?;
        }
        Ok(())
    }

    /// The bank's journal is the truth about money (figure 1).
    fn bank(&self, rows: &Rows, line: &Line) -> Checked {
        let mut paid: BTreeMap<PayoutNo, (i64, i64)> = BTreeMap::new();
        for execution in line.executions()? {
            let Some(payout) = self.numbers.get(&execution.bank_no) else {
                let number = execution.bank_no;
                return Err(Violation::new("the intent is durable before the bank is called", {
                    format!("the bank knows {number:?}, no attempt does")
                }));
            };
            let sum = paid.entry(*payout).or_default();
            *sum = (sum.0 + execution.times_paid, sum.1 + execution.paid.0);
            ensure(sum.0 <= 1, "nothing is paid twice", || format!("{payout:?}: {execution:?}"))?;
            ensure(execution.calls == 1, "a bank number reaches the bank once", || {
                format!("{payout:?}: {execution:?}")
            })?;
        }
        for payout in rows.payouts.values() {
            let (times, amount) = paid.get(&payout.no).copied().unwrap_or_default();
            let holds = match rows.state(payout) {
                State::Settled | State::Returned => times == 1 && amount == payout.amount.0,
                State::Failed | State::Canceled | State::Requested | State::Executing => times == 0,
                State::Sending | State::Unknown => true,
            };
            ensure(holds, "what is reported of a payout is what the bank did", || {
                format!("{:?} is {:?}, paid {times} times", payout.no, rows.state(payout))
            })?;
        }
        Ok(())
    }
}

/// The domain's own audit of the whole ledger, and the strict reading of its history.
fn audit(rows: &Rows) -> Checked {
    let mut audit = Audit::default();
    rows.postings.iter().for_each(|posting| audit.posting(posting, 0));
    let payouts: Vec<_> =
        rows.payouts.values().map(|p| (p.no, p.group, p.amount.0, rows.state(p))).collect();
    for payout in rows.payouts.values() {
        audit.row(payout.partner, payout.amount.0, rows.state(payout));
    }
    let ledgers: Vec<_> = rows.ledgers.values().cloned().collect();
    let negative = ledgers.iter().find(|l| l.available.is_negative() || l.held.is_negative());
    ensure(negative.is_none(), "no balance is below zero", || format!("{negative:?}"))?;
    let mut findings = audit.finish(&ledgers, rows.settlement);
    findings.extend(journal_per_payout(&rows.postings, &payouts));
    // The audit reads hash maps: without an order the same seed would tell another story.
    findings.sort_by(|one, other| one.0.cmp(&other.0));
    ensure(findings.is_empty(), "the ledger's audit is empty", || format!("{findings:?}"))
}

/// A group's counters are its rows (decision H7), and an open group is named by its partner.
fn counters(rows: &Rows) -> Checked {
    let mut counted: BTreeMap<GroupNo, (i64, i64, i64, i64)> = BTreeMap::new();
    for payout in rows.payouts.values() {
        let count = counted.entry(payout.group).or_default();
        let waits = rows.state(payout) == State::Requested;
        let unclaimed = payout.own.is_none() && rows.state(payout) == State::Executing;
        count.0 += 1;
        count.1 += i64::from(waits);
        count.2 += if waits { payout.amount.0 } else { 0 };
        count.3 += i64::from(unclaimed);
    }
    for group in rows.groups.values() {
        let expected = counted.get(&group.no).copied().unwrap_or_default();
        let stored = (group.rows, group.waiting, group.waiting_sum.0, group.unclaimed);
        ensure(stored == expected, "group counters are their rows", || {
            format!("{group:?}, counted {expected:?}")
        })?;
        let named = rows.ledgers.get(&group.partner).and_then(|l| l.open_group) == Some(group.no);
        ensure(named == (group.mode == Mode::Open), "one open group per partner", || {
            format!("{group:?}, named by its partner: {named}")
        })?;
    }
    Ok(())
}

/// Decision H9.
fn distinct_keys(rows: &Rows) -> Checked {
    let mut seen: BTreeSet<(PartnerNo, &str)> = BTreeSet::new();
    for payout in rows.payouts.values() {
        ensure(
            seen.insert((payout.partner, &payout.distinct_key)),
            "a distinct_key is used once",
            || format!("{:?}: {}", payout.no, payout.distinct_key),
        )?;
    }
    Ok(())
}

/// One notice per outcome, a payout's in their order; none for a cancel or an unknown (H17).
fn notices(rows: &Rows) -> Checked {
    let mut told: BTreeMap<PayoutNo, Vec<Outcome>> = BTreeMap::new();
    for notice in rows.notices.values() {
        let Some(payout) = notice.subject.payout() else { continue };
        told.entry(payout).or_default().push(notice.outcome);
    }
    for payout in rows.payouts.values() {
        let expected: &[Outcome] = match rows.state(payout) {
            State::Settled => &[Outcome::Settled],
            State::Failed => &[Outcome::Failed],
            State::Returned => &[Outcome::Settled, Outcome::Returned],
            State::Requested
            | State::Executing
            | State::Sending
            | State::Unknown
            | State::Canceled => &[],
        };
        let have = told.remove(&payout.no).unwrap_or_default();
        ensure(have == expected, "one notice per outcome", || {
            format!("{:?} is {:?}, told {have:?}", payout.no, rows.state(payout))
        })?;
    }
    ensure(told.is_empty(), "one notice per outcome", || format!("of no payout: {told:?}"))
}
