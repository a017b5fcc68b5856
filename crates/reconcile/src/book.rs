//! What is kept while the file is read: the hub's rows, and beside each what the file says of it.

use crate::class::Word;
use crate::error::ReconcileError;
use crate::ident::Id;
use crate::statement::Line;
use ichae_domain::ident::BankNo;
use ichae_domain::money::Won;
use ichae_domain::payout::State;
use ichae_domain::time::Day;
use std::collections::HashMap;
use std::error::Error;

/// Ids that are kept although they are not the hub's, unless the caller says otherwise; with more
/// the run ends.
pub const STRAYS_MAX: usize = 1_000_000;
/// Rows between two marks.
const STRIDE: usize = 16;
/// Line numbers that a finding names; the others are counted.
const LINES_KEPT: usize = 8;

/// A row of the hub that has a bank number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ours {
    /// The payout's serial.
    pub payout: i64,
    /// [`BankNo`], packed.
    pub bank_no: i64,
    pub amount: Won,
    /// The business date: ours at the intent, the bank's once it answered.
    pub day: Day,
    pub state: State,
}

/// What the file says under one id: its strongest line (paid, else returned, else refused; the
/// first of those) and which words there were.
#[derive(Clone, Copy, Default)]
pub struct Seen {
    pub amount: i64,
    pub line: u32,
    pub day: i32,
    words: u8,
}

/// A line of the id could not be read.
const SPOILT: u8 = 8;
/// The id has more than one line: see [`Book::more`].
const AGAIN: u8 = 16;

fn bit(word: Word) -> u8 {
    match word {
        Word::Refused => 1,
        Word::Returned => 2,
        Word::Paid => 4,
    }
}

impl Seen {
    pub fn is_empty(&self) -> bool {
        self.words == 0
    }

    pub fn says(&self, word: Word) -> bool {
        self.words & bit(word) != 0
    }

    pub fn again(&self) -> bool {
        self.words & AGAIN != 0
    }

    /// The strongest word; `None` where no line could be read.
    pub fn word(&self) -> Option<Word> {
        [Word::Paid, Word::Returned, Word::Refused].into_iter().find(|word| self.says(*word))
    }

    fn note(&mut self, line: &Line) {
        if self.word().is_some() {
            self.words |= AGAIN;
        }
        if self.word().is_none_or(|word| word < line.word) {
            self.amount = line.amount.0;
            self.line = line.number;
            self.day = line.day.0;
        }
        self.words |= bit(line.word);
    }
}

/// One row, as small as it can be: a million of them are held at once.
pub struct Row {
    pub bank_no: i64,
    pub payout: i64,
    pub amount: i64,
    pub day: i32,
    pub state: State,
    pub seen: Seen,
}

/// The lines of an id that has more than one.
#[derive(Clone, Debug, Default)]
pub struct More {
    pub paid: u32,
    pub returned: u32,
    /// The first [`LINES_KEPT`] of all its lines.
    pub lines: Vec<u32>,
    pub count: u32,
}

impl More {
    fn add(&mut self, number: u32, word: Word) {
        match word {
            Word::Paid => self.paid = self.paid.saturating_add(1),
            Word::Returned => self.returned = self.returned.saturating_add(1),
            Word::Refused => {}
        }
        self.count = self.count.saturating_add(1);
        if self.lines.len() < LINES_KEPT {
            self.lines.push(number);
        }
    }
}

pub struct Book {
    /// By bank number, ascending.
    rows: Vec<Row>,
    /// The number of every [`STRIDE`]th row: few enough to stay in the processor's cache, where a
    /// search over all rows would wait for memory twenty times a line.
    marks: Vec<i64>,
    strays: HashMap<Id, Seen>,
    strays_max: usize,
    more: HashMap<Id, More>,
}

impl Book {
    pub fn new<E>(
        ours: impl Iterator<Item = Result<Ours, E>>,
        strays_max: usize,
    ) -> Result<Book, ReconcileError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let mut rows = Vec::with_capacity(ours.size_hint().0.min(1 << 20));
        for ours in ours {
            let ours = ours.map_err(|error| ReconcileError::Ours(error.into()))?;
            rows.push(Row {
                bank_no: ours.bank_no,
                payout: ours.payout,
                amount: ours.amount.0,
                day: ours.day.0,
                state: ours.state,
                seen: Seen::default(),
            });
        }
        rows.sort_unstable_by_key(|row| (row.bank_no, row.payout));
        if let Some(pair) = rows.windows(2).find(|pair| pair[0].bank_no == pair[1].bank_no) {
            return Err(ReconcileError::OursTwice(pair[0].payout, pair[1].payout));
        }
        let marks = rows.iter().step_by(STRIDE).map(|row| row.bank_no).collect();
        Ok(Book { rows, marks, strays: HashMap::new(), strays_max, more: HashMap::new() })
    }

    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub fn strays(&self) -> impl Iterator<Item = (&Id, &Seen)> {
        self.strays.iter()
    }

    /// `None` where the id has one line at most.
    pub fn more(&self, id: &Id, seen: &Seen) -> Option<&More> {
        seen.again().then(|| self.more.get(id))?
    }

    fn find(&mut self, no: Option<BankNo>) -> Option<&mut Row> {
        let no = no?.0;
        let mark = self.marks.partition_point(|mark| *mark <= no).checked_sub(1)?;
        let part = self.rows.get_mut(mark * STRIDE..)?;
        let part = part.get_mut(..STRIDE.min(part.len()))?;
        let at = part.binary_search_by_key(&no, |row| row.bank_no).ok()?;
        part.get_mut(at)
    }

    /// The day and payout of the row with that number.
    pub fn row(&mut self, no: Option<BankNo>) -> Option<(Day, i64)> {
        self.find(no).map(|row| (Day(row.day), row.payout))
    }

    /// Notes a line under its row, or as a stray. `no`: the id's number, if it is the hub's.
    pub fn note(&mut self, line: &Line, no: Option<BankNo>) -> Result<(), ReconcileError> {
        let known = self.find(no).map(|row| {
            let before = row.seen;
            row.seen.note(line);
            before
        });
        let before = match known {
            Some(before) => before,
            // Refused under a number of nobody here: nothing happened, nowhere.
            None if line.word == Word::Refused => return Ok(()),
            None => {
                let seen = self.strays.entry(line.id).or_default();
                let before = *seen;
                seen.note(line);
                if self.strays.len() > self.strays_max {
                    return Err(ReconcileError::Strays(self.strays_max));
                }
                before
            }
        };
        if let Some(word) = before.word() {
            let more = self.more.entry(line.id).or_default();
            if more.count == 0 {
                more.add(before.line, word);
            }
            more.add(line.number, line.word);
        }
        Ok(())
    }

    /// Notes that a line names this number but cannot be read; returns its payout.
    pub fn spoil(&mut self, no: Option<BankNo>) -> Option<i64> {
        let row = self.find(no)?;
        row.seen.words |= SPOILT;
        Some(row.payout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(payout: i64, bank_no: i64) -> Ours {
        let (amount, day) = (Won(1), Day(20_261_122));
        Ours { payout, bank_no, amount, day, state: State::Settled }
    }

    #[test]
    fn a_row_is_as_small_as_the_crates_page_says() {
        assert_eq!(size_of::<Row>(), 56);
    }

    #[test]
    fn every_row_is_found_and_no_other() {
        for count in [0, 1, 15, 16, 17, 100] {
            let rows = (0..count).rev().map(|no| Ok::<_, std::io::Error>(ours(no, no * 2 + 10)));
            let mut book = Book::new(rows, 1).unwrap();
            for no in 0..2 * count + 20 {
                let payout = (no - 10) / 2;
                let there = no % 2 == 0 && no >= 10 && payout < count;
                let found = book.row(Some(BankNo(no)));
                assert_eq!(found.map(|(_, payout)| payout), there.then_some(payout), "{no}");
            }
        }
    }

    #[test]
    fn a_number_that_two_payouts_carry_is_an_error() {
        let rows = [ours(1, 7), ours(2, 8), ours(3, 7)].into_iter();
        let twice = Book::new(rows.map(Ok::<_, std::io::Error>), 1);
        assert!(matches!(twice.err().unwrap(), ReconcileError::OursTwice(1, 3)));
    }
}
