//! The deterministic simulator (figure 10): the pure core, a store, a bank and partners in one
//! thread on virtual time, with faults from a table and every invariant checked at every commit.
//!
//! A run is a function of its seed: the same seed gives the same trace hash, so a failing seed is
//! a complete bug report. Who lives where:
//!
//! - [`world`] owns the time, the queue and the crashes;
//! - [`clients`], [`engine`], [`line`](mod@line) and [`receiver`] are the parties around the store;
//! - [`model`] predicts every answer with code of its own, without a look at how the core decides;
//! - [`checks`] reads the store's rows and the bank's journal after every commit;
//! - [`ending`] stops the faults and asks whether everything that can end has ended;
//! - [`loops`] runs the hub's own loops, as they are shipped, against another bank and store;
//! - [`dice`] is chance, by seed, and the form of a table of faults;
//! - [`plant`] breaks something on purpose, to see that the checks can fail.
//!
//! **Architecture Invariant:** no thread, no clock, no socket, and no order that a hash map gives.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod checks;
pub mod clients;
pub mod dice;
pub mod ending;
pub mod engine;
pub mod fault;
pub mod line;
pub mod loops;
pub mod model;
pub mod plant;
pub mod random;
pub mod receiver;
pub mod report;
pub mod trace;
pub mod violation;
pub mod world;

use plant::Plant;
use report::Report;
use violation::Failure;
use world::World;

/// Steps of a seed where nobody says otherwise.
pub const STEPS_DEFAULT: u32 = 60;

/// How a seed is run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub steps: u32,
    /// Something that is broken on purpose.
    pub plant: Option<Plant>,
    /// Leaves the model out, so that only the rows and the bank's journal are judged.
    pub blind: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { steps: STEPS_DEFAULT, plant: None, blind: false }
    }
}

/// Runs one seed to its end.
///
/// # Errors
/// The first invariant that did not hold.
pub fn run(seed: u64, options: &Options) -> Result<Report, Box<Failure>> {
    let mut world = World::new(seed, options);
    match world.run() {
        Ok(()) => Ok(world.report()),
        Err(violation) => Err(Box::new(Failure {
            seed,
            step: world.steps_done(),
            steps: options.steps,
            plant: options.plant,
            violation,
        })),
    }
}
