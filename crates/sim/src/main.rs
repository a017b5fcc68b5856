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
    /// Break one thing after another on purpose, and print which seed found each (figure 11).
    #[arg(long, conflicts_with_all = ["plant", "seed"])]
    table: bool,
    /// Run the hub's own loops instead of the core under its model.
    #[arg(long)]
    loops: bool,
}

/// At least so many of the planted bugs have to be found (figure 11).
const FOUND_MIN: usize = 19;

fn table(args: &Args) -> ExitCode {
    let bugs: Vec<Plant> = Plant::ALL.iter().copied().filter(|plant| plant.is_bug()).collect();
    let mut found = 0;
    println!("{:20} {:>6}  {:>8}  broken invariant", "planted bug", "seeds", "seconds");
    for plant in &bugs {
        let began = std::time::Instant::now();
        let (seeds, invariant) = match plant.hunt(args.seeds, args.steps, false) {
            Some((seed, invariant)) => (seed + 1, invariant),
            None => (args.seeds, "NOT FOUND"),
        };
        found += usize::from(invariant != "NOT FOUND");
        let took = began.elapsed().as_secs_f64();
        println!("{:20} {seeds:>6}  {took:>8.2}  {invariant}", plant.name());
    }
    println!("{found} of {} found, at least {FOUND_MIN} wanted", bugs.len());
    if found >= FOUND_MIN { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn loops(args: &Args) -> ExitCode {
    let (from, count) = args.seed.map_or((args.from, args.seeds), |seed| (seed, 1));
    let mut sum = ichae_sim::loops::Told::default();
    for seed in from..from.saturating_add(count) {
        match ichae_sim::loops::run(seed, args.steps) {
            Ok(told) => sum.add(&told),
            Err(wrong) => {
                println!("violated: {}\n  {}", wrong.invariant, wrong.detail);
                return ExitCode::FAILURE;
            }
        }
    }
    println!(
        "{} seeds, {} payouts, {} paid, {} kills, {} virtual hours",
        sum.seeds,
        sum.payouts,
        sum.paid,
        sum.crashes,
        sum.virtual_ms / 3_600_000
    );
    for (fault, hits) in ichae_sim::loops::Fault::ALL.iter().zip(&sum.faults) {
        println!("{hits:>10}  {}", fault.text());
    }
    ExitCode::SUCCESS
}

fn plant(name: &str) -> Result<Plant, String> {
    let names: Vec<&str> = Plant::ALL.iter().map(|plant| plant.name()).collect();
    Plant::find(name).ok_or_else(|| format!("one of: {}", names.join(", ")))
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.table {
        return table(&args);
    }
    if args.loops {
        return loops(&args);
    }
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
