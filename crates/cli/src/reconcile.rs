//! `ichae reconcile FILE`: a bank's statement beside what was sent. It reads the store, also a served
//! one, and only notes that the file was read.

use crate::admin;
use crate::args::Reconcile;
use crate::printer::Printer;
use anyhow::{Context, bail};
use aws_lc_rs::digest::{Context as Digest, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ichae_domain::ident::BankNo;
use ichae_domain::time::Day;
use ichae_reconcile::{
    Days, Finding, Map, Options, Ours, Outcome, Proposal, Report, SAMPLE, reconcile, survey,
};
use ichae_server::admin::request::{Request, StatementNote};
use ichae_server::run::Places;
use ichae_store::port::{Sent, StoreError};
use ichae_store::sent::SentBook;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufReader, IsTerminal, Read};
use std::path::Path;
use std::process::ExitCode;

/// Findings of a class that the screen and the text show.
const SHOWN: usize = 50;
/// Bytes from which on a file is worth saying how far it is.
const WORTH_TELLING: u64 = 10_000_000;

pub fn run(args: &Reconcile, printer: &Printer) -> anyhow::Result<ExitCode> {
    if args.sample_map {
        printer.text(SAMPLE);
        return Ok(ExitCode::SUCCESS);
    }
    let Some(file) = &args.file else { bail!("which file?") };
    let report = matched(args, file, printer).with_context(|| file.display().to_string())?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let commands: Vec<String> =
        report.findings.all().filter_map(|finding| command(finding, &name)).collect();
    let text = text(&report, &commands);
    let mut value = serde_json::to_value(&report)?;
    value["commands"] = commands.iter().map(|line| json!(line)).collect();
    if let Some(prefix) = &args.report {
        write(prefix, "txt", &text)?;
        write(prefix, "json", &format!("{value:#}\n"))?;
    }
    match printer.json() {
        true => printer.value(&value),
        false => printer.text(&text),
    }
    note(args, &report, name, printer)?;
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn matched(args: &Reconcile, file: &Path, printer: &Printer) -> anyhow::Result<Report> {
    let map = match &args.map {
        Some(map) => {
            let name = map.display();
            let text = std::fs::read_to_string(map).with_context(|| format!("{name}"))?;
            Map::parse(&text).map_err(|error| anyhow::anyhow!("{name}: {error}"))?
        }
        None => Map::default(),
    };
    let config = admin::config(&args.at)?;
    let institution = match (&args.institution, &config.bank.openbanking) {
        (Some(named), _) => named.clone(),
        (None, Some(table)) => table.institution.clone(),
        (None, None) => ichae_rail::simulated::INSTITUTION.to_owned(),
    };
    let length = File::open(file)?.metadata()?.len();
    let surveyed = {
        let mut progress = progress(printer, "looking for its days", length);
        survey(BufReader::new(File::open(file)?), &map, &institution, &mut progress)?
    };
    let days = match (&args.from, &args.to) {
        (Some(first), Some(last)) => Days { first: day(first)?, last: day(last)? },
        _ => surveyed.days.context("it has no line that can be read: does the map fit?")?,
    };
    let book = match ichae_server::store::link(&config)? {
        Some(link) => SentBook::on_postgres(link),
        None => SentBook::open(&Places::of(&config).data.store())?,
    };
    let around = (before(days.first), days.last.next().unwrap_or(days.last));
    let earlier = returned(&book, &surveyed.returned, around)?;
    let ours = book.on(around.0, around.1)?.chain(earlier.into_iter().map(Ok));
    let ours = ours.filter_map(|sent| match sent {
        Ok(sent) => ours_of(sent).map(Ok),
        Err(error) => Some(Err::<Ours, StoreError>(error)),
    });
    let mut options = Options::new(&institution);
    options.days = Some(days);
    let mut source = Hashed { from: File::open(file)?, digest: Digest::new(&SHA256) };
    let mut report = {
        let mut progress = progress(printer, "matching", length);
        reconcile(BufReader::new(&mut source), &map, &options, ours, &mut progress)?
    };
    // What is left after the last line is part of the file too.
    std::io::copy(&mut source, &mut std::io::sink())?;
    report.digest = Some(STANDARD.encode(source.digest.finish()));
    Ok(report)
}

/// Reads on, and makes the digest on the way.
struct Hashed {
    from: File,
    digest: Digest,
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.digest.update(&buffer[..read]);
        Ok(read)
    }
}

/// Payouts of other days that the file says came back.
fn returned(
    book: &SentBook,
    numbers: &[BankNo],
    around: (Day, Day),
) -> Result<Vec<Sent>, StoreError> {
    let mut earlier = Vec::new();
    for number in numbers {
        let sent = book.of(*number)?;
        earlier.extend(sent.filter(|sent| sent.day < around.0 || sent.day > around.1));
    }
    Ok(earlier)
}

/// `None`: it never had a number, so no bank can know it.
fn ours_of(sent: Sent) -> Option<Ours> {
    let Sent { payout, bank_no, amount, day, state } = sent;
    Some(Ours { payout: payout.0, bank_no: bank_no?.0, amount, day, state })
}

fn day(text: &str) -> anyhow::Result<Day> {
    Day::parse(text).with_context(|| format!("{text:?} is not a day as yyyymmdd"))
}

/// The day before. At the start of a month the 31st stands for its last day: rows are only looked
/// up by it.
fn before(day: Day) -> Day {
    let number = day.0;
    if number % 100 > 1 {
        return Day(number - 1);
    }
    let (year, month) = (number / 10_000, number / 100 % 100);
    match month {
        1 => Day((year - 1) * 10_000 + 1_231),
        _ => Day(year * 10_000 + (month - 1) * 100 + 31),
    }
}

/// Draws a bar where a person watches, anew for each per cent.
fn progress(printer: &Printer, what: &'static str, length: u64) -> impl FnMut(u64) {
    let watched = std::io::stderr().is_terminal() && length > WORTH_TELLING;
    let mut told = 0;
    move |read| {
        let percent = read * 100 / length.max(1);
        if watched && percent > told {
            told = percent;
            printer.bar(what, percent);
        }
    }
}

/// What an operator could do about a finding, as a command to look at and then to give.
fn command(finding: &Finding, name: &str) -> Option<String> {
    let payout = finding.payout?;
    let line = finding.lines.first().copied().unwrap_or_default();
    let because = |line: u32| format!("--evidence \"{name} line {line}\"");
    Some(match finding.proposal {
        Proposal::Resolve(Outcome::Settled, evidence) => format!(
            "ichae payout resolve {payout} --paid-on {} {}",
            evidence.day,
            because(evidence.line)
        ),
        Proposal::Resolve(Outcome::Failed, evidence) => {
            format!("ichae payout resolve {payout} --failed {}", because(evidence.line))
        }
        Proposal::Return => format!("ichae payout return {payout} {}", because(line)),
        Proposal::Correct => {
            let day = finding.theirs.map(|theirs| theirs.day)?;
            format!("ichae payout correct {payout} --paid-on {day} {}", because(line))
        }
        Proposal::AskBank | Proposal::LookForDouble | Proposal::None => return None,
    })
}

fn text(report: &Report, commands: &[String]) -> String {
    let mut text = report.text(SHOWN).to_string();
    if commands.is_empty() {
        return text;
    }
    text.push_str("\nproposed, nothing was done; look at each before you give it:\n");
    for line in commands.iter().take(SHOWN) {
        text.push_str(&format!("  {line}\n"));
    }
    if let Some(left) = commands.len().checked_sub(SHOWN).filter(|left| *left > 0) {
        text.push_str(&format!("  and {left} more, in the JSON report\n"));
    }
    text
}

fn write(prefix: &Path, kind: &str, text: &str) -> anyhow::Result<()> {
    let mut name = prefix.as_os_str().to_owned();
    name.push(format!(".{kind}"));
    std::fs::write(&name, text).with_context(|| Path::new(&name).display().to_string())
}

/// That it was read, and the balance that it closes with; the same file a second time changes nothing.
fn note(args: &Reconcile, report: &Report, name: String, printer: &Printer) -> anyhow::Result<()> {
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let request = Request::StatementNote(StatementNote {
        digest: report.digest.clone().unwrap_or_default(),
        name,
        rows: count(report.rows.read),
        findings: count(report.findings.total()),
        closing_balance: report.closing_balance.map(|won| won.0),
        last_day: Some(report.days.last.to_string()),
    });
    match admin::give(&args.at, request, printer)? {
        Ok(value) => {
            if let Some(before) = value.get("read_before").and_then(Value::as_str) {
                printer.note(&format!("this file was read before, on {before}"));
            }
        }
        Err(error) => {
            printer.refused(&error);
            printer.note("the report stands; that the file was read is not noted");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_before_goes_over_months_and_years() {
        for (day, expected) in
            [(20_261_124, 20_261_123), (20_261_101, 20_261_031), (20_270_101, 20_261_231)]
        {
            assert_eq!(before(Day(day)), Day(expected));
        }
    }
}
