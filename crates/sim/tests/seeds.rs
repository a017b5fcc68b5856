//! Figures 10 and 11: a thousand seeds hold every invariant, replay exactly, and cover every fault;
//! and what is broken on purpose is found.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use ichae_sim::checks::NUMBERS;
use ichae_sim::loops;
use ichae_sim::plant::Plant;
use ichae_sim::report::Report;
use ichae_sim::{Options, run};

const SEEDS: u64 = 1_000;
/// Sized so that an unoptimised build is done in half a minute on two cores.
const STEPS: u32 = 40;
const THREADS: u64 = 2;
/// One seed in so many runs twice.
const TWICE_EVERY: u64 = 100;
/// Seeds that a planted bug may survive.
const SURVIVES_MAX: u64 = 200;

fn ran(seed: u64, options: &Options) -> Report {
    run(seed, options).unwrap_or_else(|failure| panic!("{failure}"))
}

fn share(thread: u64) -> Report {
    let options = Options { steps: STEPS, ..Options::default() };
    let mut sum = Report::default();
    for seed in (thread..SEEDS).step_by(usize::try_from(THREADS).unwrap()) {
        let report = ran(seed, &options);
        if (seed / THREADS).is_multiple_of(TWICE_EVERY) {
            assert_eq!(ran(seed, &options), report, "seed {seed} told two stories");
        }
        sum.add(&report);
    }
    sum
}

#[test]
fn a_thousand_seeds_hold_and_cover_every_fault() {
    let mut sum = Report::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|thread| scope.spawn(move || share(thread))).collect();
        threads.into_iter().for_each(|thread| sum.add(&thread.join().unwrap()));
    });
    assert_eq!(sum.seeds, SEEDS);
    assert_eq!(sum.missing(), Vec::<&str>::new(), "never hit in {SEEDS} seeds");
    for code in ["T0340", "R0102", "R0103", "R0112", "R0113", "R0132", "R0133", "R0140"]
        .into_iter()
        .chain(["E0101", "E0120", "E0130", "T0503", "T0999", "P0110", "P0111", "W0101"])
    {
        assert!(sum.refusals.contains_key(code), "nothing was refused with {code}");
    }
    assert!(sum.virtual_days() >= 365, "a year of virtual time");
}

#[test]
fn seeds_that_failed_before_hold() {
    let numbers = |line: &str| -> Vec<u64> {
        line.split_whitespace().map(|number| number.parse().unwrap()).collect()
    };
    let lines = include_str!("regressions.txt").lines().filter(|line| !line.starts_with('#'));
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let [seed, steps] = numbers(line)[..] else { panic!("{line}") };
        ran(seed, &Options { steps: u32::try_from(steps).unwrap(), ..Options::default() });
    }
}

#[test]
fn another_seed_is_another_story() {
    let options = Options { steps: 5, ..Options::default() };
    assert_ne!(ran(1, &options).hash, ran(2, &options).hash);
}

/// Figure 11. `ichae-sim --table` prints the same as a table.
#[test]
fn every_planted_bug_is_found() {
    let bugs: Vec<Plant> = Plant::ALL.iter().copied().filter(|plant| plant.is_bug()).collect();
    assert!(bugs.len() >= 20, "{}", bugs.len());
    let survived: Vec<&str> = bugs
        .iter()
        .filter(|plant| plant.hunt(SURVIVES_MAX, STEPS, false).is_none())
        .map(|plant| plant.name())
        .collect();
    assert_eq!(survived, Vec::<&str>::new());
}

/// Money is guarded twice: without the model, the rows and the bank's journal still tell.
#[test]
fn the_rows_and_the_banks_journal_tell_without_the_model() {
    let (report, notice) =
        ("what is reported of a payout is what the bank did", "one notice per outcome");
    let twice = "nothing is paid twice";
    let once = "a bank number reaches the bank once";
    let table: &[(Plant, &[&str])] = &[
        (Plant::ForgetRelease, &["the ledger's audit is empty"]),
        (Plant::ForgetHold, &["the ledger's audit is empty"]),
        (Plant::DropNotice, &[notice]),
        (Plant::DoubleNotice, &[notice]),
        (Plant::ResendUnknown, &[report, NUMBERS, "payouts move only along the lifecycle"]),
        (Plant::LoseCount, &["group counters are their rows"]),
        (Plant::TimeoutRefused, &[report]),
        (Plant::TimeoutNotSent, &[report, twice, once]),
        (Plant::RestartResends, &[report, twice, once]),
        (Plant::NeverInquire, &["everything that can end ends"]),
        (Plant::NeverNotify, &["every notice is delivered or given up"]),
        (Plant::CallTwice, &[twice, once]),
        (Plant::LatePutBack, &[report, twice, once]),
        (Plant::OwnSideKept, &[NUMBERS]),
        (Plant::LoseReturn, &["the ledger's audit is empty"]),
        (Plant::ClaimTooMany, &["no more intents than may be in flight"]),
    ];
    for (plant, expected) in table {
        let invariant = plant.hunt(SURVIVES_MAX, STEPS, true).map_or("nothing", |found| found.1);
        assert!(expected.contains(&invariant), "{}: found by {invariant}", plant.name());
    }
}

/// Seeds of the hub's own loops; each is a few hundred payouts and some kills.
const LOOP_SEEDS: u64 = 1_000;
const LOOP_STEPS: u32 = 25;

fn share_of_loops(thread: u64) -> loops::Told {
    let mut sum = loops::Told::default();
    for seed in (thread..LOOP_SEEDS).step_by(usize::try_from(THREADS).unwrap()) {
        let told = loops::run(seed, LOOP_STEPS).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        if (seed / THREADS).is_multiple_of(TWICE_EVERY) {
            let again = loops::run(seed, LOOP_STEPS).unwrap();
            assert_eq!(again, told, "seed {seed} told two stories");
        }
        sum.add(&told);
    }
    sum
}

#[test]
fn a_thousand_seeds_of_the_hubs_own_loops_hold() {
    let mut sum = loops::Told::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|thread| scope.spawn(move || share_of_loops(thread))).collect();
        threads.into_iter().for_each(|thread| sum.add(&thread.join().unwrap()));
    });
    assert_eq!(sum.seeds, LOOP_SEEDS);
    assert_eq!(sum.missing(), Vec::<&str>::new(), "never hit in {LOOP_SEEDS} seeds");
    assert!(loops::Fault::ALL.len() >= 12);
    assert!(sum.crashes > LOOP_SEEDS && sum.paid > 10 * LOOP_SEEDS, "{sum:?}");
}
