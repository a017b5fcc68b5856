//! `ichae bank simulate` and `ichae bank journal`: a bank to test against, and what it paid.

use crate::args::Simulate;
use crate::logs;
use crate::printer::Printer;
use crate::shutdown::Asked;
use anyhow::Context;
use ichae_kftc::{Hours, Plan, Settings, Simulator, read_journal};
use ichae_server::config::LogFormat;
use std::path::Path;
use std::process::ExitCode;

pub fn run(args: &Simulate, printer: &Printer) -> anyhow::Result<ExitCode> {
    logs::start(LogFormat::Text, "warn")?;
    let plan = match &args.plan {
        Some(file) => {
            let name = file.display();
            let text = std::fs::read_to_string(file).with_context(|| format!("{name}"))?;
            Plan::parse(&text).map_err(|error| anyhow::anyhow!("{name}: {error}"))?
        }
        None => Plan::default(),
    };
    let hours = if args.hours { Hours::Kftc } else { Hours::Always };
    let sandbox = Settings::sandbox(args.listen, &args.journal);
    let settings = Settings { plan, hours, strict: args.strict, ..sandbox };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let simulator = Simulator::start(settings).await?;
        let address = simulator.address();
        let asked = Asked::listen()?;
        printer.line(&format!("ichae bank simulating on http://{address}"));
        printer.line(&format!("  journal  {}", args.journal.display()));
        printer.line(&format!("  control  http://{address}/control/journal, /control/calm"));
        printer.line(&format!("  use it   ichae sandbox --bank http://{address}"));
        printer.line("\nIt moves no money. Ctrl-C stops it.");
        asked.wait().await;
        simulator.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}

pub fn journal(file: &Path, printer: &Printer) -> anyhow::Result<ExitCode> {
    let summary = read_journal(file).with_context(|| file.display().to_string())?;
    printer.value(&serde_json::to_value(summary)?);
    Ok(ExitCode::SUCCESS)
}
