//! The simulator's clock: the wall clock at start plus monotonic time, so that a stepped system
//! clock moves no due date.

use ichae_domain::time::Time;
use ichae_rail::simulated::Clock;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A clock that starts at the system's time.
pub fn wall() -> Clock {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let base = Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    let started = Instant::now();
    Arc::new(move || base.plus_ms(i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX)))
}
