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

/// Seconds from an unknown outcome to the first inquiry, then from each to the next; the last one for
/// ever: nothing ends by age (openbanking 7.2).
pub const INQUIRY_WAITS_S: [i64; 6] = [5, 15, 60, 120, 300, 600];

/// Milliseconds until the next inquiry after `made` of them, at most the installation's ceiling.
pub fn inquiry_wait_ms(made: i64, ceiling_ms: i64) -> i64 {
    let last = INQUIRY_WAITS_S.len() - 1;
    let at = usize::try_from(made).unwrap_or(last).min(last);
    (INQUIRY_WAITS_S[at] * 1_000).min(ceiling_ms)
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
        let waits: Vec<i64> = (0..8).map(|made| inquiry_wait_ms(made, i64::MAX)).collect();
        assert_eq!(waits, [5, 15, 60, 120, 300, 600, 600, 600].map(|s| s * 1_000));
        assert_eq!(inquiry_wait_ms(i64::MAX, i64::MAX), 600_000);
        assert_eq!([0, 1, 2].map(|made| inquiry_wait_ms(made, 10_000)), [5_000, 10_000, 10_000]);
    }
}
