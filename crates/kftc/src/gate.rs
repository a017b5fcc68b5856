//! Whether the centre takes calls at all.

use crate::settings::Hours;
use ichae_domain::time::Time;
use std::sync::atomic::{AtomicI64, Ordering};

/// The hours, and a maintenance that may be under way.
#[derive(Debug)]
pub struct Gate {
    hours: Hours,
    closed_until: AtomicI64,
}

/// Why a gate is shut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shut {
    Hours,
    Maintenance,
}

impl Gate {
    pub fn new(hours: Hours) -> Gate {
        Gate { hours, closed_until: AtomicI64::new(i64::MIN) }
    }

    pub fn shut(&self, now: Time) -> Option<Shut> {
        if now.0 < self.closed_until.load(Ordering::Acquire) {
            return Some(Shut::Maintenance);
        }
        (!self.hours.open_at(now)).then_some(Shut::Hours)
    }

    /// Begins a maintenance.
    pub fn close_until(&self, end: Time) {
        self.closed_until.store(end.0, Ordering::Release);
    }

    /// Ends one.
    pub fn open(&self) {
        self.closed_until.store(i64::MIN, Ordering::Release);
    }
}
