//! A report as JSON: shapes of its own, since what is inside does not serialise.

use crate::class::{Class, Proposal};
use crate::report::{Finding, Report, Sum, Unreadable};
use serde::{Serialize, Serializer};

#[derive(Serialize)]
struct Whole<'a> {
    first_day: String,
    last_day: String,
    digest: Option<&'a str>,
    rows_read: u64,
    rows_skipped: u64,
    rows_outside: u64,
    rows_unreadable: u64,
    ours: u64,
    matched: u64,
    ours_settled: Total,
    theirs_paid: Total,
    closing_balance: Option<i64>,
    open_not_in_file: u64,
    returns_not_in_file: u64,
    classes: Vec<OfClass>,
    unreadable: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Total {
    count: u64,
    won: Option<i64>,
}

#[derive(Serialize)]
struct OfClass {
    class: &'static str,
    ko: &'static str,
    en: &'static str,
    action: &'static str,
    count: u64,
    findings: Vec<One>,
}

#[derive(Serialize)]
struct One {
    kind: &'static str,
    ko: &'static str,
    en: &'static str,
    bank_tran_id: String,
    payout: Option<i64>,
    lines: Vec<u32>,
    line_count: u32,
    ours: Option<Side>,
    theirs: Option<Side>,
    proposal: Step,
}

#[derive(Serialize)]
struct Side {
    amount: i64,
    day: String,
    state: &'static str,
}

#[derive(Serialize)]
struct Step {
    step: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    line: u32,
    column: Option<&'a str>,
    why: &'static str,
    en: &'static str,
    bank_tran_id: Option<String>,
    payout: Option<i64>,
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        Whole {
            first_day: self.days.first.to_string(),
            last_day: self.days.last.to_string(),
            digest: self.digest.as_deref(),
            rows_read: self.rows.read,
            rows_skipped: self.rows.skipped,
            rows_outside: self.rows.outside,
            rows_unreadable: self.rows.unreadable,
            ours: self.ours,
            matched: self.matched,
            ours_settled: Total::of(&self.ours_settled),
            theirs_paid: Total::of(&self.theirs_paid),
            closing_balance: self.closing_balance.map(|won| won.0),
            open_not_in_file: self.open_not_in_file,
            returns_not_in_file: self.returns_not_in_file,
            classes: Class::ALL.iter().map(|class| OfClass::of(self, *class)).collect(),
            unreadable: self.unreadable.iter().map(Line::of).collect(),
        }
        .serialize(out)
    }
}

impl Total {
    fn of(sum: &Sum) -> Total {
        Total { count: sum.count, won: sum.won.map(|won| won.0) }
    }
}

impl OfClass {
    fn of(report: &Report, class: Class) -> OfClass {
        OfClass {
            class: class.name(),
            ko: class.ko(),
            en: class.en(),
            action: class.action(),
            count: report.findings.count(class),
            findings: report.findings.of(class).iter().map(One::of).collect(),
        }
    }
}

impl One {
    fn of(finding: &Finding) -> One {
        let side = |amount: i64, day: String, state| Side { amount, day, state };
        One {
            kind: finding.kind.name(),
            ko: finding.kind.ko(),
            en: finding.kind.en(),
            bank_tran_id: finding.id.to_string(),
            payout: finding.payout,
            lines: finding.lines.clone(),
            line_count: finding.line_count,
            ours: finding.ours.map(|o| side(o.amount.0, o.day.to_string(), o.state.name())),
            theirs: finding.theirs.map(|t| side(t.amount.0, t.day.to_string(), t.word.name())),
            proposal: Step::of(finding.proposal),
        }
    }
}

impl Step {
    fn of(proposal: Proposal) -> Step {
        let (outcome, line, day) = match proposal {
            Proposal::Resolve(outcome, evidence) => {
                (Some(outcome.name()), Some(evidence.line), Some(evidence.day.to_string()))
            }
            _ => (None, None, None),
        };
        Step { step: proposal.name(), outcome, line, day }
    }
}

impl<'a> Line<'a> {
    fn of(line: &'a Unreadable) -> Line<'a> {
        Line {
            line: line.line,
            column: line.column.as_deref(),
            why: line.why.name(),
            en: line.why.en(),
            bank_tran_id: line.id.map(|id| id.to_string()),
            payout: line.payout,
        }
    }
}
