//! The end of a seed: the faults stop, time runs on, and everything that can end has to end.

use crate::line::Fate;
use crate::violation::{Checked, Violation, ensure};
use crate::world::World;
use ichae_domain::command::{Actor, Command, Order};
use ichae_domain::notice::NoticeState;
use ichae_domain::payout::State;
use ichae_domain::time::Time;
use ichae_domain::view::Deposit;
use ichae_store::memory::Rows;
use std::collections::BTreeSet;

/// Rounds of the engine until everything must have ended. The webhook schedule of a receiver that
/// is gone needs the most of them.
const ROUNDS_MAX: usize = 3_000;
/// Webhooks that are due within so much of each other are tried in one round.
const TOGETHER_MS: i64 = 600_000;
/// Calls of ours that end within so much of each other are taken in with one round.
const BREATH_MS: i64 = 500;

impl World {
    pub(crate) fn end(&mut self) -> Checked {
        self.dice.calm();
        self.line.begin_trouble(Time(0));
        self.receivers.all_up();
        let operator = |command| Order { actor: Actor::Operator("kim".to_owned()), command };
        let resumed = |partner| operator(Command::Suspend { partner, suspended: false });
        let orders: Vec<Order> = self.partners().into_iter().map(resumed).collect();
        self.commit(&orders)?;
        let released = self.released().into_iter();
        let released: Vec<Order> =
            released.map(|hold| operator(Command::Hold(Box::new(hold)))).collect();
        self.commit(&released)?;
        for _ in 0..ROUNDS_MAX {
            // In each round: an answer that was on its way can pause the rail once more.
            if self.reader.rows_now().rail.pause.is_some() {
                self.commit(&[operator(Command::ResumeRail)])?;
            }
            self.turn_of_engine()?;
            self.work_off()?;
            match self.next_moment()? {
                Some(at) => self.pass((at.0 - self.now().0).max(1)),
                None => return self.ended(),
            }
        }
        self.ended()?;
        Err(Violation::new("everything that can end ends", "the engine never came to rest"))
    }

    /// When there is something to do next; `None` where nothing is left but what never ends.
    fn next_moment(&mut self) -> Checked<Option<Time>> {
        let rows = self.reader.rows_now();
        let executing = rows.payouts.values().any(|p| rows.state(p) == State::Executing);
        let now = self.now();
        let breath = now.plus_ms(BREATH_MS);
        let soon = [
            executing.then_some(breath),
            self.engine.next(),
            self.line.next_arrival(),
            self.line.next_return(rows.rail.notices_seen)?,
        ];
        let unknown = rows.payouts.values().filter(|p| rows.state(p) == State::Unknown);
        let answered = unknown.filter_map(|p| {
            let deposit = deposit(&rows, p)?;
            let ends = !matches!(self.line.fate(&deposit), Fate::NoHistory | Fate::Undecided);
            rows.attempts.get(&p.no).and_then(|a| a.inquire_at).filter(|_| ends)
        });
        // A later notice of a payout waits for the earlier one.
        let mut first = BTreeSet::new();
        let pending = rows.notices.values().filter(|n| n.state == NoticeState::Pending);
        let pending = pending.filter(|n| first.insert(n.subject.numbers().0));
        let tried = pending.map(|n| n.next_at.plus_ms(TOGETHER_MS)).min();
        let next = soon.into_iter().flatten().chain(answered).chain(tried).min();
        Ok(next.map(|at| at.max(breath)))
    }

    /// Liveness, against what the bank did: only what the bank cannot know, or will not say, is
    /// still unknown, with its amount held; every notice is over.
    fn ended(&self) -> Checked {
        let rows = self.reader.rows_now();
        self.receivers.check(&rows)?;
        for payout in rows.payouts.values() {
            let state = rows.state(payout);
            if matches!(state, State::Requested | State::Canceled) {
                continue;
            }
            let expected: &[State] = match deposit(&rows, payout).map(|d| self.line.fate(&d)) {
                // It failed before a bank was asked, because its key had died (decision H11).
                None => &[State::Failed],
                // Not sent and then failed by its key, or written and lost on the way.
                Some(Fate::NoHistory) => &[State::Unknown, State::Failed],
                Some(Fate::Undecided) => &[State::Unknown],
                Some(Fate::Paid) => &[State::Settled],
                Some(Fate::Returned) => &[State::Returned],
                Some(Fate::Refused) => &[State::Failed],
            };
            ensure(expected.contains(&state), "everything that can end ends", || {
                format!(
                    "{:?} is {state:?}, expected {expected:?}: {:?}",
                    payout.no,
                    rows.attempts.get(&payout.no)
                )
            })?;
        }
        let pending = rows.notices.values().find(|n| n.state == NoticeState::Pending);
        ensure(pending.is_none(), "every notice is delivered or given up", || {
            format!("{pending:?}")
        })
    }
}

/// The deposit as it was last sent or meant to be.
fn deposit(rows: &Rows, payout: &ichae_domain::payout::Payout) -> Option<Deposit> {
    let attempt = rows.attempts.get(&payout.no)?;
    Some(Deposit {
        payout: payout.no,
        partner: payout.partner,
        key: payout.key,
        bank_no: attempt.bank_no?,
        sends: attempt.sends,
        // Inquiries may ask for the day beside it; the bank has it under the one that it was sent on.
        day: attempt.sent_at.day(),
        amount: payout.amount,
    })
}
