//! What a run was made of, to say what was covered and to add many up.

use crate::fault::Fault;
use ichae_domain::notice::{NoticeState, Outcome};
use ichae_domain::payout::State;
use std::collections::BTreeMap;
use std::fmt;

const DAY_MS: i64 = 86_400_000;

/// The sum of one run or of many.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    pub seeds: u64,
    pub steps: u64,
    pub commits: u64,
    pub commands: u64,
    pub virtual_ms: i64,
    /// The last run's trace hash.
    pub hash: u64,
    /// By [`Fault::ALL`].
    pub faults: Vec<u64>,
    /// Times that a payout entered a state, by [`State::ALL`].
    pub entered: BTreeMap<&'static str, u64>,
    /// Payouts by the state that they ended in.
    pub ended: BTreeMap<&'static str, u64>,
    /// Notices by outcome, and by what became of them.
    pub outcomes: BTreeMap<&'static str, u64>,
    pub notices: BTreeMap<&'static str, u64>,
    /// Refusals by code.
    pub refusals: BTreeMap<&'static str, u64>,
}

impl Report {
    pub fn add(&mut self, other: &Report) {
        self.seeds += other.seeds;
        self.steps += other.steps;
        self.commits += other.commits;
        self.commands += other.commands;
        self.virtual_ms += other.virtual_ms;
        self.hash = other.hash;
        self.faults.resize(Fault::ALL.len(), 0);
        for (sum, more) in self.faults.iter_mut().zip(&other.faults) {
            *sum += more;
        }
        let pairs = [
            (&mut self.entered, &other.entered),
            (&mut self.ended, &other.ended),
            (&mut self.outcomes, &other.outcomes),
            (&mut self.notices, &other.notices),
            (&mut self.refusals, &other.refusals),
        ];
        for (sums, more) in pairs {
            more.iter().for_each(|(name, count)| *sums.entry(name).or_default() += count);
        }
    }

    pub fn virtual_days(&self) -> i64 {
        self.virtual_ms / DAY_MS
    }

    /// Everything that a long enough run has to hit and this one did not.
    pub fn missing(&self) -> Vec<&'static str> {
        let never = |fault: &&Fault| self.faults.get(**fault as usize).is_none_or(|n| *n == 0);
        let faults = Fault::ALL.iter().filter(never).map(|fault| fault.text());
        let states = State::ALL.into_iter().map(State::name);
        let states = states.filter(|name| !self.entered.contains_key(name));
        let outcomes = [Outcome::Settled, Outcome::Failed, Outcome::Returned].map(Outcome::name);
        let outcomes = outcomes.into_iter().filter(|name| !self.outcomes.contains_key(name));
        let ends = [NoticeState::Delivered, NoticeState::GivenUp, NoticeState::NoAddress];
        let ends = ends.map(NoticeState::name).into_iter();
        let ends = ends.filter(|name| !self.notices.contains_key(name));
        faults.chain(states).chain(outcomes).chain(ends).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} seeds, {} steps, {} commits, {} commands, {} virtual days",
            self.seeds,
            self.steps,
            self.commits,
            self.commands,
            self.virtual_days()
        )?;
        writeln!(f, "faults:")?;
        for (fault, count) in Fault::ALL.iter().zip(&self.faults) {
            writeln!(f, "  {count:>9}  {}", fault.text())?;
        }
        let tables = [
            ("payouts entered", &self.entered),
            ("payouts ended as", &self.ended),
            ("outcomes told", &self.outcomes),
            ("notices ended as", &self.notices),
            ("refusals", &self.refusals),
        ];
        for (title, counts) in tables {
            let cells: Vec<String> = counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
            writeln!(f, "{title}: {}", cells.join(", "))?;
        }
        Ok(())
    }
}
