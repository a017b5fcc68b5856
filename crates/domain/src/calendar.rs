//! When money may be sent: the service hours, and the hours of single banks (openbanking 11).
//!
//! Days and hours are Seoul's. Outside them an executed payout waits; nothing is refused for it.

use crate::time::Time;
use std::collections::BTreeMap;
use std::fmt;

const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: i64 = 24 * 60;
const SEOUL_MINUTES: i64 = 9 * 60;

/// A span of each day, in minutes since midnight: from the first to before the second, over midnight
/// where the second is the smaller. Equal ends are the whole day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    from: i64,
    to: i64,
}

impl Span {
    /// The whole day.
    pub const ALL_DAY: Span = Span { from: 0, to: 0 };
    /// 00:05 to 23:55: ten minutes a night belong to the centre (openbanking 11).
    pub const SERVICE: Span = Span { from: 5, to: DAY_MINUTES - 5 };

    /// Reads `00:05-23:55`.
    pub fn parse(text: &str) -> Option<Span> {
        let (from, to) = text.split_once('-')?;
        Some(Span { from: minute(from)?, to: minute(to)? })
    }

    fn holds(self, minute: i64) -> bool {
        match self.from.cmp(&self.to) {
            std::cmp::Ordering::Less => (self.from..self.to).contains(&minute),
            std::cmp::Ordering::Greater => minute >= self.from || minute < self.to,
            std::cmp::Ordering::Equal => true,
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from, self.to);
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

/// `HH:MM`, ASCII digits only; `24:00` is midnight.
fn minute(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let two = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<i64>().ok())?
    };
    let at = two(hour)? * 60 + two(minute).filter(|minute| *minute < 60)?;
    (at <= DAY_MINUTES).then_some(at % DAY_MINUTES)
}

/// The hours of an installation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Calendar {
    /// When the centre takes transfers and inquiries.
    pub hours: Span,
    /// When a single bank takes none, by its three digits.
    pub closed: BTreeMap<String, Vec<Span>>,
}

/// Round the clock, every bank.
pub static ALWAYS_OPEN: Calendar = Calendar { hours: Span::ALL_DAY, closed: BTreeMap::new() };

impl Calendar {
    /// `at`, or the next moment at which the centre takes calls.
    pub fn open_from(&self, at: Time) -> Time {
        next(at, |minute| self.hours.holds(minute))
    }

    /// `at`, or the next moment at which a bank takes deposits through the centre. A bank that is
    /// closed all day is looked at again a day later.
    pub fn bank_open_from(&self, bank: &str, at: Time) -> Time {
        let closed = self.closed.get(bank).map(Vec::as_slice).unwrap_or_default();
        next(at, |minute| self.hours.holds(minute) && !closed.iter().any(|span| span.holds(minute)))
    }
}

/// The first moment from `at` on whose minute of the day is open; at most a day later.
fn next(at: Time, open: impl Fn(i64) -> bool) -> Time {
    let minute = |minutes: i64| (minutes + SEOUL_MINUTES).rem_euclid(DAY_MINUTES);
    let first = at.0.div_euclid(MINUTE_MS);
    if open(minute(first)) {
        return at;
    }
    let later = (1..DAY_MINUTES).find(|later| open(minute(first + later)));
    Time((first + later.unwrap_or(DAY_MINUTES)) * MINUTE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A moment of 2026-11-22 in Seoul.
    fn at(hour: i64, minute: i64, second: i64) -> Time {
        Time(1_795_273_200_000 + ((hour * 60 + minute) * 60 + second) * 1_000)
    }

    #[test]
    fn a_span_is_read_strictly() {
        for (text, told) in [
            ("00:05-23:55", Some("00:05-23:55")),
            ("23:30-00:30", Some("23:30-00:30")),
            ("00:00-24:00", Some("00:00-00:00")),
            ("0:05-23:55", None),
            ("00:60-23:55", None),
            ("24:01-23:55", None),
            ("00:05", None),
            ("+0:05-23:55", None),
            ("", None),
        ] {
            assert_eq!(Span::parse(text).map(|span| span.to_string()).as_deref(), told, "{text}");
        }
    }

    #[test]
    fn the_service_hours_begin_five_past_midnight_and_end_five_before() {
        let calendar = Calendar { hours: Span::SERVICE, closed: BTreeMap::new() };
        assert_eq!(at(0, 0, 0).seoul_text(), "2026-11-22 00:00:00");
        for (now, open) in [
            (at(0, 0, 0), at(0, 5, 0)),
            (at(0, 4, 59), at(0, 5, 0)),
            (at(0, 5, 0), at(0, 5, 0)),
            (at(12, 34, 56), at(12, 34, 56)),
            (at(23, 54, 59), at(23, 54, 59)),
            (at(23, 55, 0), at(24, 5, 0)),
            (at(23, 59, 59), at(24, 5, 0)),
        ] {
            assert_eq!(calendar.open_from(now), open, "{}", now.seoul_text());
        }
    }

    #[test]
    fn a_bank_has_hours_of_its_own_within_the_centres() {
        let night = vec![Span::parse("23:30-00:30").unwrap(), Span::parse("04:00-05:00").unwrap()];
        let all = vec![Span::ALL_DAY];
        let closed = BTreeMap::from([("004".to_owned(), night), ("020".to_owned(), all)]);
        let calendar = Calendar { hours: Span::SERVICE, closed };
        for (bank, now, open) in [
            ("004", at(23, 29, 59), at(23, 29, 59)),
            ("004", at(23, 30, 0), at(24, 30, 0)),
            ("004", at(0, 10, 0), at(0, 30, 0)),
            ("004", at(4, 59, 30), at(5, 0, 0)),
            ("088", at(0, 1, 0), at(0, 5, 0)),
            ("088", at(23, 40, 0), at(23, 40, 0)),
            ("020", at(12, 0, 0), at(36, 0, 0)),
        ] {
            assert_eq!(calendar.bank_open_from(bank, now), open, "{bank} {}", now.seoul_text());
        }
        assert_eq!(ALWAYS_OPEN.bank_open_from("004", at(0, 1, 0)), at(0, 1, 0));
    }
}
