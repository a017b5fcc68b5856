//! The process's clock: the wall clock at start plus monotonic time, never below the latest time in
//! the store (decision H5). A stepped system clock moves nothing.

use ichae_domain::time::Time;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Starts a clock that never shows less than `latest`.
pub fn start(latest: Time) -> ichae_store::port::Clock {
    let base = wall().max(latest);
    let started = Instant::now();
    Arc::new(move || {
        let passed = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        base.plus_ms(passed)
    })
}

/// The system's wall clock, read once at start.
pub fn wall() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn it_starts_no_earlier_than_the_store_and_runs_with_monotonic_time() {
        let latest = wall().plus_ms(3_600_000);
        let clock = start(latest);
        assert_eq!(clock(), latest);
        tokio::time::advance(Duration::from_millis(1_234)).await;
        assert_eq!(clock(), latest.plus_ms(1_234));
    }
}
