//! The stored schedules. Money retries must survive a restart, so they are data, not timers.

/// Waits between the tries of a webhook, in units (a unit is a second; tests shorten it).
/// The sum is 73 hours and 42 minutes: at least 72 h (decision H17).
pub const WEBHOOK_WAITS: [i64; 14] = [
    5,
    30,
    2 * 60,
    10 * 60,
    30 * 60,
    3_600,
    2 * 3_600,
    4 * 3_600,
    6 * 3_600,
    8 * 3_600,
    10 * 3_600,
    12 * 3_600,
    14 * 3_600,
    16 * 3_600,
];

/// Milliseconds until the next try after `tries` failed ones; `None` once the schedule is used up.
pub fn webhook_wait_ms(tries: i64, unit_ms: i64) -> Option<i64> {
    let at = usize::try_from(tries - 1).ok()?;
    WEBHOOK_WAITS.get(at).map(|units| units * unit_ms)
}

/// Seconds from one inquiry to the next: 1, 5, 15, 30 and 60 s after the outcome became unknown,
/// then each minute, for ever: nothing ends by age.
pub const INQUIRY_WAITS_S: [i64; 5] = [1, 4, 10, 15, 30];
pub const INQUIRY_WAIT_LAST_S: i64 = 60;

/// Milliseconds until the next inquiry after `made` of them.
pub fn inquiry_wait_ms(made: i64) -> i64 {
    let at = usize::try_from(made).unwrap_or(usize::MAX);
    INQUIRY_WAITS_S.get(at).copied().unwrap_or(INQUIRY_WAIT_LAST_S) * 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhook_waits_grow_and_span_three_days() {
        assert!(WEBHOOK_WAITS.windows(2).all(|w| w[0] < w[1]));
        assert!(WEBHOOK_WAITS.iter().sum::<i64>() >= 72 * 3_600);
        assert_eq!(webhook_wait_ms(1, 1_000), Some(5_000));
        assert_eq!(webhook_wait_ms(14, 1_000), Some(16 * 3_600_000));
        assert_eq!(webhook_wait_ms(15, 1_000), None);
    }

    #[test]
    fn inquiries_never_end() {
        let waits: Vec<i64> = (0..7).map(inquiry_wait_ms).collect();
        assert_eq!(waits, [1_000, 4_000, 10_000, 15_000, 30_000, 60_000, 60_000]);
        assert_eq!(inquiry_wait_ms(i64::MAX), 60_000);
    }
}
