//! `ichae check`: an independent look at the whole ledger.

use crate::args::Check;
use crate::printer::Printer;
use crate::serve;
use ichae_server::run::Places;
use ichae_server::store;
use ichae_store::folder::DataFolder;
use ichae_store::keys::KeyFolder;
use ichae_store::postgres;
use ichae_store::report::Report;
use ichae_store::seal::Sealer;
use ichae_store::sqlite;
use serde_json::json;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

/// Payouts from which on a check says how far it is.
const WORTH_TELLING: i64 = 20_000;

pub fn run(args: &Check, printer: &Printer) -> anyhow::Result<ExitCode> {
    let report = look(args, *printer)?;
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

fn look(args: &Check, printer: Printer) -> anyhow::Result<Report> {
    let watched = std::io::stderr().is_terminal();
    let progress = move |read: i64, last: i64| {
        if watched && last > WORTH_TELLING {
            printer.note(&format!("payouts up to {read} of {last} read"));
        }
    };
    let (data, keys, link) = match &args.config {
        Some(file) => {
            let config = serve::read(file)?;
            let places = Places::of(&config);
            (places.data, places.keys, store::link(&config)?)
        }
        None => {
            let data = DataFolder::at(args.data.as_deref().unwrap_or_else(|| ".".as_ref()));
            let keys = KeyFolder::at(&data.keys());
            (data, keys, None)
        }
    };
    let keys = args.keys.as_deref().map_or(keys, KeyFolder::at);
    let sealer = Arc::new(Sealer::new(keys.load()?)?);
    Ok(match link {
        Some(link) => postgres::check::check(&link, &sealer, progress)?,
        None => sqlite::check::check(&data.store(), &sealer, progress)?,
    })
}
