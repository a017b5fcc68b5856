//! What a run found, in an order that does not depend on chance.

use crate::class::{Class, Kind, Proposal, Why, Word};
use crate::ident::Id;
use ichae_domain::money::Won;
use ichae_domain::payout::State;
use ichae_domain::time::Day;

/// The days of a statement, both ends among them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Days {
    pub first: Day,
    pub last: Day,
}

impl Days {
    pub fn hold(self, day: Day) -> bool {
        (self.first..=self.last).contains(&day)
    }

    /// `days` and one more.
    pub(crate) fn with(days: Option<Days>, day: Day) -> Days {
        let days = days.unwrap_or(Days { first: day, last: day });
        Days { first: days.first.min(day), last: days.last.max(day) }
    }
}

/// A number of payments and their sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sum {
    pub count: u64,
    /// `None` once it has left the range of whole won.
    pub won: Option<Won>,
}

impl Default for Sum {
    fn default() -> Sum {
        Sum { count: 0, won: Some(Won::ZERO) }
    }
}

impl Sum {
    pub(crate) fn add(&mut self, amount: Won) {
        self.count += 1;
        self.won = self.won.and_then(|won| won.plus(amount));
    }
}

/// Lines of the file, its header and blank lines not counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rows {
    pub read: u64,
    /// Of those: of a kind that the map does not take.
    pub skipped: u64,
    /// Of those: neither the line nor its payout is of the declared days.
    pub outside: u64,
    /// Of those: could not be read.
    pub unreadable: u64,
}

/// The hub's side of a finding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OurSide {
    pub amount: Won,
    pub day: Day,
    pub state: State,
}

/// The file's side: the first paid line, else the first returned, else the first refused one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TheirSide {
    pub amount: Won,
    pub day: Day,
    pub word: Word,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    pub kind: Kind,
    /// The payout's serial, where the hub knows the id.
    pub payout: Option<i64>,
    pub id: Id,
    /// The first eight lines that carry the id, in the order of the file.
    pub lines: Vec<u32>,
    /// All of them.
    pub line_count: u32,
    pub ours: Option<OurSide>,
    pub theirs: Option<TheirSide>,
    pub proposal: Proposal,
}

impl Finding {
    fn order(&self) -> (u32, Option<i64>, Id, Kind) {
        (self.lines.first().copied().unwrap_or_default(), self.payout, self.id, self.kind)
    }
}

/// A line that could not be read: a finding of its own. Its row, where the id could be read, is
/// not reported as missing besides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unreadable {
    pub line: u32,
    /// As the map calls it.
    pub column: Option<String>,
    pub why: Why,
    pub id: Option<Id>,
    pub payout: Option<i64>,
}

/// The findings of the six classes: all counted, the first of each kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Findings {
    keep: usize,
    classes: Vec<(u64, Vec<Finding>)>,
}

impl Findings {
    pub(crate) fn new(keep: usize) -> Findings {
        Findings { keep, classes: vec![(0, Vec::new()); Class::ALL.len()] }
    }

    /// How many there are of a class, those among them that were not kept.
    pub fn count(&self, class: Class) -> u64 {
        self.classes[class as usize].0
    }

    pub fn total(&self) -> u64 {
        self.classes.iter().map(|(count, _)| count).sum()
    }

    /// Those that were kept of a class, by line, then by payout.
    pub fn of(&self, class: Class) -> &[Finding] {
        &self.classes[class as usize].1
    }

    /// Those that were kept, class by class.
    pub fn all(&self) -> impl Iterator<Item = &Finding> {
        self.classes.iter().flat_map(|(_, kept)| kept)
    }

    pub(crate) fn take(&mut self, found: &mut Vec<Finding>) {
        for finding in found.drain(..) {
            let (count, kept) = &mut self.classes[finding.kind.class() as usize];
            *count += 1;
            kept.push(finding);
            // Twice as many before the first of them are chosen, so that choosing stays cheap.
            if kept.len() >= self.keep.saturating_mul(2).max(1_024) {
                choose(kept, self.keep);
            }
        }
    }

    pub(crate) fn finish(&mut self) {
        for (_, kept) in &mut self.classes {
            choose(kept, self.keep);
        }
    }
}

fn choose(kept: &mut Vec<Finding>, keep: usize) {
    kept.sort_unstable_by_key(Finding::order);
    kept.truncate(keep);
}

/// What a run found. It prints as text, and serialises as JSON.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Declared, or taken from the file.
    pub days: Days,
    /// As the caller gave it.
    pub digest: Option<String>,
    pub rows: Rows,
    /// Own rows that were given.
    pub ours: u64,
    /// Own rows that the file has a readable line of.
    pub matched: u64,
    /// Settled here on a day of the period.
    pub ours_settled: Sum,
    /// Paid lines of a day of the period.
    pub theirs_paid: Sum,
    /// The balance in the file's last line that has one.
    pub closing_balance: Option<Won>,
    /// Sending or unknown here, not in the file. No finding: absence proves nothing.
    pub open_not_in_file: u64,
    /// Returned here, without a returned line. No finding: a return stands in the statement of
    /// its own day.
    pub returns_not_in_file: u64,
    pub findings: Findings,
    pub unreadable: Vec<Unreadable>,
}

impl Report {
    /// Nothing differs and every line could be read.
    pub fn is_clean(&self) -> bool {
        self.findings.total() == 0 && self.unreadable.is_empty()
    }
}
