//! `ichae bench`: measures this machine with this binary, each rate beside its yardstick.

use crate::args::Bench;
use crate::printer::Printer;
use anyhow::{Context, bail};
use comfy_table::{CellAlignment, Table, presets};
use ichae_bench::plan::{Options, Scale};
use ichae_bench::report::{Report, Row, amount};
use ichae_bench::suite::{ON_POSTGRES, SECTIONS, run as measure};
use ichae_bench::yardstick;
use serde_json::json;
use std::process::ExitCode;
use std::time::Instant;

pub fn run(args: &Bench, printer: &Printer) -> anyhow::Result<ExitCode> {
    if args.yardstick {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let tell = |address| printer.line(&format!("yardstick on http://{address}"));
        runtime.block_on(yardstick::serve(tell))?;
        return Ok(ExitCode::SUCCESS);
    }
    for name in &args.sections {
        let sections = if args.store.is_some() { ON_POSTGRES } else { SECTIONS };
        if !sections.iter().any(|(known, ..)| known == name) {
            let known: Vec<&str> = sections.iter().map(|(name, ..)| *name).collect();
            bail!("there is no section {name}; there are {}", known.join(", "));
        }
    }
    let folder = args.folder.clone().unwrap_or_else(std::env::temp_dir);
    let scale = if args.quick { Scale::quick() } else { Scale::full() };
    let options = Options {
        program: std::env::current_exe().context("this program's own file")?,
        folder,
        scale,
        store: args.store.clone(),
        only: args.sections.clone(),
        retry: args.quick,
    };
    let began = Instant::now();
    let mut tell = |text: &str| {
        printer.note(&format!("[{:>4} s] {text}", began.elapsed().as_secs()));
    };
    let report = measure(&options, &mut tell)?;
    print(&report, args.quick, printer)?;
    Ok(if report.met(args.quick) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(report: &Report, noisy: bool, printer: &Printer) -> anyhow::Result<()> {
    if printer.json() {
        let met = report.rows.iter().map(|row| row.met(noisy)).collect::<Vec<_>>();
        let value = json!({ "rows": report.rows, "met": met, "points": report.points });
        printer.line(&serde_json::to_string_pretty(&value)?);
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["", "measured", "beside", "", "ratio", "wanted", ""]);
    for column in [1, 3, 4] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for row in &report.rows {
        table.add_row(cells(row, noisy));
    }
    printer.line(&table.to_string());
    let missed = report.rows.iter().filter(|row| !row.met(noisy)).count();
    let how =
        if noisy { " (quick: ratios held to 0.7 of their bar, times not at all)" } else { "" };
    printer.note(&format!("{} measured, {missed} below their bar{how}", report.rows.len()));
    Ok(())
}

fn cells(row: &Row, noisy: bool) -> [String; 7] {
    let (beside, yard) = match &row.yardstick {
        Some((name, value)) => (name.clone(), amount(*value, row.unit)),
        None => Default::default(),
    };
    let ratio = row.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
    let verdict = if row.bar_text().is_empty() {
        ""
    } else if row.met(noisy) {
        "ok"
    } else {
        "BELOW"
    };
    let verdict = verdict.to_owned();
    [row.what.clone(), amount(row.value, row.unit), beside, yard, ratio, row.bar_text(), verdict]
}
