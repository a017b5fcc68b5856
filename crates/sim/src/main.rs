//! `ichae-sim`: runs seeds and says what was covered, or how to see a failure again.
#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use clap::Parser;
use ichae_sim::plant::Plant;
use ichae_sim::report::Report;
use ichae_sim::{Options, STEPS_DEFAULT, run};
use std::process::ExitCode;

const LINE_SEEDS: u64 = 100;

/// Runs the deterministic simulator over many seeds.
#[derive(Parser)]
#[command(name = "ichae-sim", version)]
struct Args {
    /// Seeds to run.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Run this seed only.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Steps of each seed before its faults stop.
    #[arg(long, default_value_t = STEPS_DEFAULT)]
    steps: u32,
    /// Break this on purpose, to see it found.
    #[arg(long, value_parser = plant)]
    plant: Option<Plant>,
}

fn plant(name: &str) -> Result<Plant, String> {
    let names: Vec<&str> = Plant::ALL.iter().map(|plant| plant.name()).collect();
    Plant::find(name).ok_or_else(|| format!("one of: {}", names.join(", ")))
}

fn main() -> ExitCode {
    let args = Args::parse();
    let options = Options { steps: args.steps, plant: args.plant, ..Options::default() };
    let (from, count) = args.seed.map_or((args.from, args.seeds), |seed| (seed, 1));
    let mut sum = Report::default();
    for seed in from..from.saturating_add(count) {
        match run(seed, &options) {
            Ok(report) => sum.add(&report),
            Err(failure) => {
                println!("{failure}");
                return ExitCode::FAILURE;
            }
        }
        if sum.seeds.is_multiple_of(LINE_SEEDS) {
            println!("{} seeds, {} virtual days, up to {seed}", sum.seeds, sum.virtual_days());
        }
    }
    print!("{sum}");
    if count == 1 {
        println!("trace {:016x}", sum.hash);
    }
    ExitCode::SUCCESS
}
