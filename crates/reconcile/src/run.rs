//! The run: own rows in, file through, report out.

use crate::book::{Book, Ours, STRAYS_MAX};
use crate::class::Word;
use crate::error::ReconcileError;
use crate::ident::is_institution;
use crate::judge::Judge;
use crate::map::Map;
use crate::report::{Days, Findings, Report, Rows, Sum, Unreadable};
use crate::statement::{Line, Row, Spoilt, Statement};
use ichae_domain::ident::BankNo;
use ichae_domain::money::Won;
use ichae_domain::payout::State;
use ichae_domain::time::Day;
use std::error::Error;
use std::io::Read;

/// Days of tolerance that still mean a cut-off.
const TOLERANCE_MAX: u8 = 31;

/// What is asked of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Ten characters, as in front of every `bank_tran_id` of the hub.
    pub institution: String,
    /// The first and the last day of the statement; `None` takes them from the file's lines.
    pub days: Option<Days>,
    /// Days by which the bank's date may differ and still be one payment over the cut-off.
    pub tolerance: u8,
    /// Unreadable lines that a report can have; one more ends the run.
    pub unreadable_max: usize,
    /// Ids of the file that may be unknown to the hub; one more ends the run.
    pub strays_max: usize,
    /// Findings that are kept of each class; all are counted.
    pub keep: usize,
    /// The file's digest, for the report. A caller that makes it while the file is read may set
    /// [`Report::digest`] afterwards.
    pub digest: Option<String>,
}

impl Options {
    pub fn new(institution: &str) -> Options {
        Options {
            institution: institution.to_owned(),
            days: None,
            tolerance: 1,
            unreadable_max: 1_000,
            strays_max: STRAYS_MAX,
            keep: 10_000,
            digest: None,
        }
    }

    fn check(&self) -> Result<(), ReconcileError> {
        if !is_institution(&self.institution) {
            return Err(ReconcileError::Institution);
        }
        if let Some(days) = self.days.filter(|days| days.first > days.last) {
            return Err(ReconcileError::Days(days.first, days.last));
        }
        if self.tolerance > TOLERANCE_MAX {
            return Err(ReconcileError::Tolerance(TOLERANCE_MAX));
        }
        Ok(())
    }
}

/// What a caller wants to know of a file before it fetches rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Survey {
    /// The days of its readable lines; `None` where there is none.
    pub days: Option<Days>,
    /// Numbers of the hub that the file says were returned, ascending: their payouts may be of
    /// much earlier days and belong among the rows that are given to [`reconcile`].
    pub returned: Vec<BankNo>,
}

/// Reads a file for its days and returns only. Unreadable lines are passed over: [`reconcile`]
/// reports them.
pub fn survey(
    statement: impl Read,
    map: &Map,
    institution: &str,
    progress: &mut dyn FnMut(u64),
) -> Result<Survey, ReconcileError> {
    let mut statement = Statement::open(statement, map, progress)?;
    let mut days = None;
    let mut returned = Vec::new();
    while let Some(row) = statement.next()? {
        let Row::Payment(line, _) = row else { continue };
        days = Some(Days::with(days, line.day));
        if line.word == Word::Returned {
            returned.extend(line.id.number(institution));
        }
        if returned.len() > STRAYS_MAX {
            return Err(ReconcileError::Strays(STRAYS_MAX));
        }
    }
    returned.sort_unstable();
    returned.dedup();
    Ok(Survey { days, returned })
}

/// Holds a statement against the hub's rows. `ours` are the rows of the period's days and of the
/// days next to it, in any order, each number once, and those of [`Survey::returned`]; nothing
/// else of the hub is needed. `progress` hears how many bytes were read, once a mebibyte and at
/// the end.
pub fn reconcile<E>(
    statement: impl Read,
    map: &Map,
    options: &Options,
    ours: impl Iterator<Item = Result<Ours, E>>,
    progress: &mut dyn FnMut(u64),
) -> Result<Report, ReconcileError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    options.check()?;
    let book = Book::new(ours, options.strays_max)?;
    let mut statement = Statement::open(statement, map, progress)?;
    let mut run = Run {
        options,
        book,
        rows: Rows::default(),
        unreadable: Vec::new(),
        theirs: Sum::default(),
        balance: None,
        seen: None,
    };
    while let Some(row) = statement.next()? {
        run.take(row)?;
    }
    run.report()
}

struct Run<'o> {
    options: &'o Options,
    book: Book,
    rows: Rows,
    unreadable: Vec<Unreadable>,
    theirs: Sum,
    balance: Option<Won>,
    /// The days of the lines so far.
    seen: Option<Days>,
}

impl Run<'_> {
    fn take(&mut self, row: Row) -> Result<(), ReconcileError> {
        self.rows.read += 1;
        match row {
            Row::Payment(line, balance) => {
                self.balance = balance.or(self.balance);
                self.payment(&line)
            }
            Row::Skipped(balance) => {
                self.balance = balance.or(self.balance);
                self.rows.skipped += 1;
                Ok(())
            }
            Row::Spoilt(spoilt) => self.spoilt(spoilt),
        }
    }

    /// A line belongs to the run if its day or the day of its row does; what lies outside is
    /// found with the statement of its own days.
    fn payment(&mut self, line: &Line) -> Result<(), ReconcileError> {
        let no = line.id.number(&self.options.institution);
        let inside = |day| self.options.days.is_none_or(|days| days.hold(day));
        let here = inside(line.day);
        if !here && !self.book.row(no).is_some_and(|(day, _)| inside(day)) {
            self.rows.outside += 1;
            return Ok(());
        }
        self.seen = Some(Days::with(self.seen, line.day));
        if here && line.word == Word::Paid {
            self.theirs.add(line.amount);
        }
        self.book.note(line, no)
    }

    fn spoilt(&mut self, spoilt: Spoilt) -> Result<(), ReconcileError> {
        self.rows.unreadable += 1;
        let no = spoilt.id.and_then(|id| id.number(&self.options.institution));
        let payout = self.book.spoil(no);
        let Spoilt { number: line, column, why, id } = spoilt;
        self.unreadable.push(Unreadable { line, column, why, id, payout });
        let limit = self.options.unreadable_max;
        if self.unreadable.len() > limit { self.does_not_fit(limit) } else { Ok(()) }
    }

    /// The map does not fit: more than `limit` lines could not be read.
    fn does_not_fit(&self, limit: usize) -> Result<(), ReconcileError> {
        let Some(first) = self.unreadable.first() else { return Ok(()) };
        let (line, column, why) = (first.line, first.column.clone(), first.why);
        Err(ReconcileError::Unreadable { limit, line, column, why })
    }

    fn report(self) -> Result<Report, ReconcileError> {
        let Some(days) = self.options.days.or(self.seen) else {
            // Not one line could be read, or there is none.
            self.does_not_fit(0)?;
            return Err(ReconcileError::NoDays);
        };
        let mut report = Report {
            days,
            digest: self.options.digest.clone(),
            rows: self.rows,
            ours: self.book.rows().len() as u64,
            matched: 0,
            ours_settled: Sum::default(),
            theirs_paid: self.theirs,
            closing_balance: self.balance,
            open_not_in_file: 0,
            returns_not_in_file: 0,
            findings: Findings::new(self.options.keep),
            unreadable: self.unreadable,
        };
        let institution = &self.options.institution;
        let judge =
            Judge { book: &self.book, institution, days, tolerance: self.options.tolerance };
        let mut found = Vec::new();
        for row in self.book.rows() {
            report.matched += u64::from(row.seen.word().is_some());
            if days.hold(Day(row.day)) {
                let returned = row.seen.says(Word::Returned);
                match row.state {
                    State::Settled => report.ours_settled.add(Won(row.amount)),
                    State::Unknown | State::Sending if row.seen.is_empty() => {
                        report.open_not_in_file += 1;
                    }
                    State::Returned if !returned => report.returns_not_in_file += 1,
                    _ => {}
                }
            }
            judge.row(row, &mut found);
            report.findings.take(&mut found);
        }
        for (id, seen) in self.book.strays() {
            judge.stray(id, seen, &mut found);
            report.findings.take(&mut found);
        }
        report.findings.finish();
        Ok(report)
    }
}
