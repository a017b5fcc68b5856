//! `ichae serve`: the real thing, from a configuration file.

use crate::args::Serve;
use crate::logs;
use crate::printer::Printer;
use crate::shutdown::Asked;
use anyhow::{Context, bail};
use ichae_server::config::{Config, Environment, RailKind};
use ichae_server::run::{Places, Server, open};
use ichae_store::folder::DataFolder;
use ichae_store::postgres;
use ichae_store::seal::Sealer;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

pub fn run(args: &Serve, printer: &Printer) -> anyhow::Result<ExitCode> {
    let config = read(&args.config)?;
    logs::start(config.log.format, &config.log.filter)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(&config, printer))
}

/// Reads a file. What is wrong is told with file, line and column.
pub fn read(file: &Path) -> anyhow::Result<Config> {
    let name = file.display();
    let text = std::fs::read_to_string(file).with_context(|| {
        format!("{name} cannot be read; `ichae config sample > {name}` makes a first one")
    })?;
    Config::parse(&text).map_err(|error| anyhow::anyhow!("{name}: {error}"))
}

pub fn check_config(file: &Path, printer: &Printer) -> anyhow::Result<ExitCode> {
    read(file)?;
    printer.note("ok");
    Ok(ExitCode::SUCCESS)
}

/// Brings the tables to this version. Nodes of the version before go on serving.
pub fn migrate(args: &Serve, printer: &Printer) -> anyhow::Result<ExitCode> {
    let config = read(&args.config)?;
    let Some(link) = ichae_server::store::link(&config)? else {
        bail!(
            "the file names no `store`: a store in the data folder is upgraded when it is opened"
        );
    };
    let (before, after) = postgres::migrate(&link)?;
    printer.note(&match before {
        Some(before) if before == after => format!("the tables are of version {after} already"),
        Some(before) => format!("the tables are of version {after} now, before of {before}"),
        None => format!("the tables were made, of version {after}"),
    });
    Ok(ExitCode::SUCCESS)
}

/// Moves a store of a data folder to the PostgreSQL of a configuration.
pub fn copy(data: &Path, config: &Path, printer: &Printer) -> anyhow::Result<ExitCode> {
    let config = read(config)?;
    let Some(link) = ichae_server::store::link(&config)? else {
        bail!("the configuration names no `store` to copy to");
    };
    let from = DataFolder::at(data);
    if !from.store().exists() {
        bail!("{} has no store", data.display());
    }
    let Some(_lock) = from.lock()? else {
        bail!("{} is served: stop it first", data.display());
    };
    let sealer = Arc::new(Sealer::new(Places::of(&config).keys.load()?)?);
    let progress = |table: &str, rows: u64| printer.note(&format!("{table}: {rows} rows"));
    let report = postgres::copy::copy(&from.store(), &link, &sealer, progress)?;
    printer.note(&format!(
        "{} partners, {} payouts, {} postings: the copy is the same; serve it from now on",
        report.partners, report.payouts, report.postings
    ));
    Ok(ExitCode::SUCCESS)
}

pub fn openapi(printer: &Printer) -> anyhow::Result<ExitCode> {
    printer.line(&ichae_server::api::openapi().to_pretty_json()?);
    Ok(ExitCode::SUCCESS)
}

async fn serve(config: &Config, printer: &Printer) -> anyhow::Result<ExitCode> {
    if config.environment == Environment::Live && config.bank.rail == RailKind::Simulated {
        tracing::warn!("LIVE on the simulated bank: no money moves");
        printer.note("warning: LIVE on the simulated bank: no money moves");
    }
    let places = Places::of(config);
    places.data.create()?;
    let Some(lock) = places.data.lock()? else {
        bail!("{} is served by another process", places.data.path().display());
    };
    let hub = open(config, &places, false)?;
    let server = Server::start(config, &places, hub, lock).await?;
    let asked = Asked::listen()?;
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    printer.line(&format!("ichae serving on {scheme}://{}", server.address));
    asked.wait().await;
    printer.note("stopping: draining calls, finishing open bank calls");
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}
