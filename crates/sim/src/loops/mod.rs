//! The hub's own loops, as they run in production, on virtual time (figure 10): settle, inquire, take in
//! returns, learn the banks' hours, notify. Around them a bank, a store and receivers that go wrong by
//! seed, operators, partners, and a process that is killed.
//!
//! What [`crate::world`] shows of the core, step by step and against a model, this shows of the loops:
//! that nothing is paid twice, nothing is reported that the bank did not do, and everything that can end
//! ends. One thread, no clock but tokio's paused one, no order that chance outside the seed gives: the
//! same seed gives the same trace.

mod bank;
mod courier;
mod drive;
mod fault;
mod store;
mod verdict;

pub use drive::Story;
pub use fault::Fault;

use crate::violation::Violation;

/// What a seed's run was.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Told {
    pub seeds: u64,
    pub hash: u64,
    pub virtual_ms: i64,
    pub payouts: u64,
    pub paid: u64,
    pub crashes: u64,
    /// How often each fault struck, in the order of [`Fault::ALL`].
    pub faults: Vec<u64>,
}

impl Told {
    pub fn add(&mut self, other: &Told) {
        self.seeds += other.seeds;
        self.virtual_ms += other.virtual_ms;
        self.payouts += other.payouts;
        self.paid += other.paid;
        self.crashes += other.crashes;
        self.faults.resize(Fault::ALL.len(), 0);
        for (sum, more) in self.faults.iter_mut().zip(&other.faults) {
            *sum += more;
        }
    }

    /// Faults that never struck.
    pub fn missing(&self) -> Vec<&'static str> {
        let struck = |fault: &&Fault| self.faults.get(**fault as usize).is_none_or(|n| *n == 0);
        Fault::ALL.iter().filter(struck).map(|fault| fault.text()).collect()
    }
}

/// Runs one seed to its end.
///
/// # Errors
/// The first thing that was not as it has to be, with the seed.
pub fn run(seed: u64, steps: u32) -> Result<Told, Violation> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| Violation::new("a runtime can be built", error.to_string()))?;
    let told = runtime.block_on(async { Story::begin(seed, steps)?.tell().await });
    // What a bank still had on its way goes with the runtime.
    runtime.shutdown_background();
    told.map_err(|violation| Violation {
        detail: format!("seed {seed}, {steps} steps, loops: {}", violation.detail),
        ..violation
    })
}
