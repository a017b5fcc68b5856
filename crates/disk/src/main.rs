//! `ichae-disk`: runs figures 8 and 9, and says what was done and whether they are reached.
#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use clap::{Parser, Subcommand};
use ichae_disk::disk::Fault;
use ichae_disk::{child, power, sweep};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Cuts the power under the embedded store, and fails its I/O calls.
#[derive(Parser)]
#[command(name = "ichae-disk", version)]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Figure 8: power loss.
    Power {
        #[arg(long, default_value_t = 60)]
        cycles: u64,
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// As the figure has it: 1,000 cycles.
        #[arg(long)]
        full: bool,
    },
    /// Figure 9: every I/O call fails once.
    Sweep {
        /// Every call, not only some.
        #[arg(long)]
        full: bool,
    },
    /// The process whose disk fails.
    #[command(hide = true)]
    Child {
        #[arg(long)]
        folder: PathBuf,
        #[arg(long)]
        keys: PathBuf,
        #[arg(long)]
        long: bool,
        #[arg(long, requires = "fault")]
        call: Option<u64>,
        #[arg(long, value_parser = fault, requires = "call")]
        fault: Option<Fault>,
    },
}

fn fault(name: &str) -> Result<Fault, String> {
    let found = Fault::ALL.into_iter().find(|fault| fault.name() == name);
    found.ok_or_else(|| format!("one of: {}", Fault::ALL.map(Fault::name).join(", ")))
}

fn main() -> ExitCode {
    let scratch = std::env::temp_dir().join(format!("ichae-disk-{}", std::process::id()));
    let (figure, done) = match Args::parse().what {
        What::Child { folder, keys, long, call, fault } => {
            let task = child::Task { folder, keys, long, fault: call.zip(fault) };
            return match child::run(&task) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    println!("{error}");
                    ExitCode::FAILURE
                }
            };
        }
        What::Power { cycles, seed, full } => {
            let cycles = if full { cycles.max(1_000) } else { cycles };
            (8, figure_8(cycles, seed, &scratch))
        }
        What::Sweep { full } => (9, figure_9(full, &scratch)),
    };
    match done {
        Ok(()) => {
            // What is left behind is only scratch.
            let _ = std::fs::remove_dir_all(&scratch);
            println!("PASS figure {figure}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            println!("FAIL figure {figure}: {why}");
            ExitCode::FAILURE
        }
    }
}

fn line(what: &str, count: impl std::fmt::Display) {
    println!("{what:<48} {count:>12}");
}

fn figure_8(cycles: u64, seed: u64, scratch: &Path) -> Result<(), String> {
    let options = power::Options { cycles, seed, ..power::Options::default() };
    let report = power::cycles(&options, &scratch.join("power")).map_err(|e| e.to_string())?;
    line("power cuts, each in the middle of the work", report.cycles);
    line("of them while the store was opened", report.while_opening);
    line("second cuts during the recovery", report.while_recovering);
    for (fate, times) in &report.fates {
        line(&format!("unsynced writes {fate}"), times);
    }
    line("stores made", report.stores);
    line("payouts in the largest", report.payouts);
    line("I/O calls that changed the disk", report.calls);
    line("acknowledged facts looked up", report.held);
    line("lost or altered", 0);
    let lying = power::Options { cycles: 50, lying: true, ..options };
    match power::cycles(&lying, &scratch.join("lying")) {
        Err(power::PowerError::Found { cycle, what, .. }) => {
            line("a disk that lies about its syncs: found in cycle", cycle + 1);
            println!("  {what}");
            Ok(())
        }
        Err(error) => Err(error.to_string()),
        Ok(_) => Err("a disk that lies about its syncs was not found out".to_owned()),
    }
}

fn figure_9(full: bool, scratch: &Path) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut report = sweep::Report::default();
    // The long script has every call of the short one, but takes its time.
    for long in [false, true].into_iter().filter(|long| *long || !full) {
        let options = sweep::Options { full, long, some: 60 };
        let folder = scratch.join(if long { "long" } else { "short" });
        let part = sweep::sweep(&program, &folder, options).map_err(|error| error.to_string())?;
        report.add(part);
    }
    line("I/O calls of the script", report.calls);
    line("runs, each with one fault", report.runs);
    for ((kind, file), times) in &report.failed {
        line(&format!("failed: {kind} {file}"), times);
    }
    line("runs that a failed sync ended", report.aborted);
    line("failed syncs while opening or closing", report.aside);
    line("failed syncs of the index of distinct keys", report.index);
    line("runs with refused orders, taken later", report.refused);
    line("runs in which the store opened later", report.unopened);
    line("runs in which nobody noticed", report.unnoticed);
    for violation in &report.violations {
        println!("  {violation}");
    }
    line("runs that were not as they have to be", report.violations.len());
    report.violations.into_iter().next().map_or(Ok(()), Err)
}
