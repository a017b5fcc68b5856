//! A report as English text: counts first, then the first findings of each class.

use crate::class::{Class, Proposal};
use crate::report::{Finding, Report, Sum, Unreadable};
use std::fmt;

/// Findings of a class that [`Report`]'s own text shows.
const SHOWN: usize = 20;

/// A report's text with at most `lines` findings of each class.
struct Text<'a> {
    report: &'a Report,
    lines: usize,
}

impl Report {
    /// The text with at most `lines` findings of each class.
    pub fn text(&self, lines: usize) -> impl fmt::Display {
        Text { report: self, lines }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Text { report: self, lines: SHOWN }.fmt(f)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.report;
        head(report, f)?;
        for class in Class::ALL {
            writeln!(f, "{:>9}  {}: {}", report.findings.count(*class), class.name(), class.en())?;
        }
        writeln!(f, "{:>9}  unreadable: A line could not be read.", report.unreadable.len())?;
        for class in Class::ALL.iter().filter(|class| report.findings.count(**class) > 0) {
            writeln!(f, "\n{}: {}", class.name(), class.action())?;
            let kept = report.findings.of(*class);
            kept.iter().take(self.lines).try_for_each(|finding| writeln!(f, "  {finding}"))?;
            rest(f, report.findings.count(*class), kept.len().min(self.lines))?;
        }
        if !report.unreadable.is_empty() {
            writeln!(f, "\nunreadable: Mend the map or the file and run again.")?;
            let shown = report.unreadable.iter().take(self.lines);
            shown.clone().try_for_each(|line| writeln!(f, "  {line}"))?;
            rest(f, report.unreadable.len() as u64, shown.len())?;
        }
        Ok(())
    }
}

fn head(report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let rows = &report.rows;
    writeln!(f, "days {} to {}", report.days.first, report.days.last)?;
    if let Some(digest) = &report.digest {
        writeln!(f, "file {digest}")?;
    }
    writeln!(
        f,
        "lines {}: {} skipped by kind, {} of other days, {} unreadable",
        rows.read, rows.skipped, rows.outside, rows.unreadable
    )?;
    writeln!(f, "own rows {}, of which {} are in the file", report.ours, report.matched)?;
    writeln!(f, "settled here {}", sum(&report.ours_settled))?;
    writeln!(f, "paid there {}", sum(&report.theirs_paid))?;
    if let Some(balance) = report.closing_balance {
        writeln!(f, "closing balance {balance} won")?;
    }
    writeln!(
        f,
        "not in the file and no finding: {} not known here either, {} returned here",
        report.open_not_in_file, report.returns_not_in_file
    )
}

fn sum(sum: &Sum) -> String {
    match sum.won {
        Some(won) => format!("{}, {won} won", sum.count),
        None => format!("{}, more won than can be counted", sum.count),
    }
}

fn rest(f: &mut fmt::Formatter<'_>, count: u64, shown: usize) -> fmt::Result {
    match count.saturating_sub(shown as u64) {
        0 => Ok(()),
        more => writeln!(f, "  and {more} more"),
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        if let Some(payout) = self.payout {
            write!(f, ", payout {payout}")?;
        }
        for (at, line) in self.lines.iter().enumerate() {
            write!(f, "{}{line}", if at == 0 { ", line " } else { " and " })?;
        }
        let more = self.line_count as usize - self.lines.len();
        if more > 0 {
            write!(f, " and {more} more")?;
        }
        write!(f, ": {}", self.kind.en())?;
        if let Some(ours) = &self.ours {
            write!(f, "; ours {} won {} {}", ours.amount, ours.day, ours.state.name())?;
        }
        if let Some(theirs) = &self.theirs {
            write!(f, "; theirs {} won {} {}", theirs.amount, theirs.day, theirs.word.name())?;
        }
        write!(f, "; {}", self.proposal)
    }
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Proposal::Resolve(outcome, evidence) => {
                let (line, day) = (evidence.line, evidence.day);
                write!(f, "resolve as {} by line {line} of {day}", outcome.name())
            }
            Proposal::Return => f.write_str("record the return"),
            Proposal::Correct => f.write_str("correct to paid"),
            Proposal::AskBank => f.write_str("ask the bank"),
            Proposal::LookForDouble => f.write_str("look for a double under another number"),
            Proposal::None => f.write_str("nothing to do"),
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unreadable line {}", self.line)?;
        if let Some(id) = &self.id {
            write!(f, ", {id}")?;
        }
        if let Some(payout) = self.payout {
            write!(f, ", payout {payout}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column \"{column}\"")?;
        }
        write!(f, ": {}", self.why.en())
    }
}
