//! Figure 7 at full scale, in memory: a million rows, a hundred errors of each class.
//!
//! `cargo run --release -p ichae-reconcile --example million -- [rows] [each] [seed]`
//!
//! Prints what was planted and found, the time, and memory; ends with 1 if anything was missed or
//! invented.

#[path = "../tests/it/plant.rs"]
mod plant;

use ichae_reconcile::{Class, Map, Options, Ours, reconcile};
use std::convert::Infallible;
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut numbers = std::env::args().skip(1);
    let mut number = |default: u64| numbers.next().map_or(Ok(default), |text| text.parse());
    let (rows, each, seed) = (number(1_000_000)?, number(100)?, number(7)?);
    let world = plant::world(usize::try_from(rows)?, usize::try_from(each)?, seed);
    let mut out = std::io::stdout().lock();
    writeln!(out, "statement {} bytes, own rows {}", world.statement.len(), world.ours.len())?;
    let mut options = Options::new(plant::HOUSE);
    options.days = Some(plant::DAYS);
    options.keep = options.keep.max(usize::try_from(each)?);

    // The peak so far is that of the generator.
    std::fs::write("/proc/self/clear_refs", "5")?;
    let before = kibibytes("VmRSS:")?;
    let start = Instant::now();
    let ours = world.ours.iter().copied().map(Ok::<Ours, Infallible>);
    let mut calls = 0_u32;
    let mut progress = |_| calls += 1;
    let map = Map::default();
    let report = reconcile(world.statement.as_slice(), &map, &options, ours, &mut progress)?;
    let took = start.elapsed().as_secs_f64();
    let peak = kibibytes("VmHWM:")?;

    let found = plant::found(&report);
    for class in Class::ALL {
        let of = |set: &plant::Planted| set.iter().filter(|(c, _)| c == class).count();
        let hit = found.intersection(&world.planted).filter(|(c, _)| c == class).count();
        let (planted, false_alarms) = (of(&world.planted), of(&found) - hit);
        writeln!(out, "{:>14}: {hit} of {planted}, {false_alarms} false alarms", class.name())?;
    }
    let lines = report.rows.read as f64;
    writeln!(out, "{} lines in {took:.3} s, {:.0} lines/s", report.rows.read, lines / took)?;
    writeln!(out, "memory: {before} KiB before, peak {peak} KiB, {} KiB its own", peak - before)?;
    writeln!(out, "progress was told {calls} times")?;
    let exact = report.findings.total() == world.planted.len() as u64;
    let clean = report.unreadable.is_empty() && exact && found == world.planted;
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A line of `/proc/self/status`.
fn kibibytes(name: &str) -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let word = line.and_then(|line| line.split_whitespace().next()).ok_or("no such line")?;
    Ok(word.parse()?)
}
