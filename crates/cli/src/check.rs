//! `ichae check`: an independent look at the whole ledger.

use crate::args::Check;
use crate::printer::Printer;
use ichae_store::folder::DataFolder;
use ichae_store::keys::KeyFolder;
use ichae_store::seal::Sealer;
use ichae_store::sqlite::check;
use serde_json::json;
use std::io::IsTerminal;
use std::process::ExitCode;

/// Payouts from which on a check says how far it is.
const WORTH_TELLING: i64 = 20_000;

pub fn run(args: &Check, printer: &Printer) -> anyhow::Result<ExitCode> {
    let data = DataFolder::at(&args.data);
    let keys = KeyFolder::at(&args.keys.clone().unwrap_or_else(|| data.keys()));
    let sealer = Sealer::new(keys.load()?)?;
    let watched = std::io::stderr().is_terminal();
    let report = check::check(&data.store(), &sealer, |read, last| {
        if watched && last > WORTH_TELLING {
            printer.note(&format!("payouts up to {read} of {last} read"));
        }
    })?;
    let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    if printer.json() {
        printer.value(&json!({
            "partners": report.partners,
            "payouts": report.payouts,
            "postings": report.postings,
            "findings": findings,
        }));
    } else {
        findings.iter().for_each(|finding| printer.line(finding));
        printer.note(&format!(
            "{} partners, {} payouts, {} postings: {} findings",
            report.partners,
            report.payouts,
            report.postings,
            findings.len()
        ));
    }
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
