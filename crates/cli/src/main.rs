//! `ichae`: a self-hosted payout hub. One binary with roles; only this crate prints.

mod admin;
mod args;
mod backup;
mod bench;
mod check;
mod explain;
mod logs;
mod operator;
mod printer;
mod receive;
mod reconcile;
mod sandbox;
mod serve;
mod shard;
mod shutdown;
mod simulate;

use args::{Args, BankCommand, Command, ConfigCommand, StoreCommand};
use clap::Parser;
use printer::Printer;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    ichae_server::process::no_core_dumps();
    let printer = Printer::new(args.json);
    let done = match args.command {
        Command::Sandbox(sandbox) => sandbox::run(sandbox, &printer),
        Command::Serve(serve) => serve::run(&serve, &printer),
        Command::Bench(bench) => bench::run(&bench, &printer),
        Command::Check(check) => check::run(&check, &printer),
        Command::Store { command: StoreCommand::Copy { data, config } } => {
            serve::copy(&data, &config, &printer)
        }
        Command::Shard { config, command } => shard::run(&config, &command, &printer),
        Command::Migrate(args) => serve::migrate(&args, &printer),
        Command::Backup(args) => backup::backup(&args, &printer),
        Command::Restore(args) => backup::restore(&args, &printer),
        Command::Receive(receive) => receive::run(&receive, &printer),
        Command::Explain { code } => explain::run(&code, &printer),
        Command::Config { command } => match command {
            ConfigCommand::Sample => {
                printer.text(&ichae_server::config::sample());
                Ok(ExitCode::SUCCESS)
            }
            ConfigCommand::Check { file } => serve::check_config(&file, &printer),
        },
        Command::Openapi => serve::openapi(&printer),
        Command::Reconcile(args) => reconcile::run(&args, &printer),
        Command::Bank { command: BankCommand::Simulate(args), .. } => {
            simulate::run(&args, &printer)
        }
        Command::Bank { command: BankCommand::Journal { file }, .. } => {
            simulate::journal(&file, &printer)
        }
        other => admin::run(other, &printer),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            printer.error(&error);
            ExitCode::FAILURE
        }
    }
}
