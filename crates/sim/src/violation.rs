//! What a run ends with where an invariant did not hold.

use crate::plant::Plant;
use ichae_rail::simulated::error::RailError;
use ichae_store::port::StoreError;
use std::fmt;

/// An invariant, by name, and what was seen instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    pub invariant: &'static str,
    pub detail: String,
}

/// What every check gives.
pub type Checked<T = ()> = Result<T, Violation>;

impl Violation {
    pub fn new(invariant: &'static str, detail: impl Into<String>) -> Violation {
        Violation { invariant, detail: detail.into() }
    }
}

/// `Ok` where `holds`; the detail is only made where it does not.
pub fn ensure(holds: bool, invariant: &'static str, detail: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Violation::new(invariant, detail())) }
}

impl From<StoreError> for Violation {
    fn from(error: StoreError) -> Violation {
        Violation::new("the store can be read", error.to_string())
    }
}

impl From<RailError> for Violation {
    fn from(error: RailError) -> Violation {
        Violation::new("the bank can be asked", error.to_string())
    }
}

/// A violation with everything that is needed to see it again.
#[derive(Clone, Debug)]
pub struct Failure {
    pub seed: u64,
    /// The step it was seen in; one above `steps` is the ending.
    pub step: u32,
    pub steps: u32,
    pub plant: Option<Plant>,
    pub violation: Violation,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { invariant, detail } = &self.violation;
        writeln!(f, "seed {} step {}: violated: {invariant}", self.seed, self.step)?;
        writeln!(f, "  {detail}")?;
        write!(f, "  replay: ichae-sim --seed {} --steps {}", self.seed, self.steps)?;
        self.plant.map_or(Ok(()), |plant| write!(f, " --plant {}", plant.name()))
    }
}
