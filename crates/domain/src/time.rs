//! Time as the product counts it: milliseconds since 1970 UTC inside, Asia/Seoul on the wire
//! (decision H5). Seoul has had a fixed offset of nine hours since 1988.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use std::fmt;

const SEOUL: Offset = Offset::constant(9);

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub i64);

/// A business date in Seoul, as the number `yyyymmdd`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

impl Time {
    pub fn plus_ms(self, ms: i64) -> Time {
        Time(self.0.saturating_add(ms))
    }

    fn civil(self) -> jiff::civil::DateTime {
        let stamp = Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH);
        SEOUL.to_datetime(stamp)
    }

    /// `yyyyMMddHHmmssSSS` in Seoul, the wire's `N(17)`.
    pub fn seoul_17(self) -> String {
        let t = self.civil();
        format!(
            "{:04}{:02}{:02}{:02}{:02}{:02}{:03}",
            t.year(),
            t.month(),
            t.day(),
            t.hour(),
            t.minute(),
            t.second(),
            t.millisecond()
        )
    }

    /// `2026-11-22 07:00:40` in Seoul, for people.
    pub fn seoul_text(self) -> String {
        let t = self.civil();
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            t.year(),
            t.month(),
            t.day(),
            t.hour(),
            t.minute(),
            t.second()
        )
    }

    /// The Seoul business date of this moment.
    pub fn day(self) -> Day {
        let t = self.civil();
        Day(i32::from(t.year()) * 10_000 + i32::from(t.month()) * 100 + i32::from(t.day()))
    }
}

impl Day {
    /// The day after, if the calendar has one.
    pub fn next(self) -> Option<Day> {
        let (year, month, day) = (self.0 / 10_000, self.0 / 100 % 100, self.0 % 100);
        let date = Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?);
        let t = date.ok()?.tomorrow().ok()?;
        Some(Day(i32::from(t.year()) * 10_000 + i32::from(t.month()) * 100 + i32::from(t.day())))
    }

    /// The last moment of the day, in Seoul.
    pub fn end(self) -> Option<Time> {
        let next = self.next()?;
        let (year, month, day) = (next.0 / 10_000, next.0 / 100 % 100, next.0 % 100);
        let date = Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?);
        let midnight = SEOUL.to_timestamp(date.ok()?.at(0, 0, 0, 0)).ok()?;
        Some(Time(midnight.as_millisecond() - 1))
    }

    /// Reads the wire's `N(8)`: eight ASCII digits that are a day of the calendar.
    pub fn parse(text: &str) -> Option<Day> {
        if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let number: i32 = text.parse().ok()?;
        let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
        Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
        Some(Day(number))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}", self.0)
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.seoul_17())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seoul_is_nine_hours_ahead_and_midnight_turns_the_day() {
        let table = [
            (1_634_882_440_289, "20211022150040289", 20_211_022),
            (1_634_914_799_999, "20211022235959999", 20_211_022),
            (1_634_914_800_000, "20211023000000000", 20_211_023),
            (0, "19700101090000000", 19_700_101),
        ];
        for (ms, text, day) in table {
            assert_eq!(Time(ms).seoul_17(), text);
            assert_eq!(Time(ms).day(), Day(day));
            assert_eq!(Day(day).end().map(Time::day), Some(Day(day)));
            assert_eq!(Day(day).end().map(|at| at.plus_ms(1).day()), Day(day).next());
        }
    }

    #[test]
    fn a_day_is_a_day_of_the_calendar() {
        for (text, ok) in [
            ("20211025", true),
            ("20240229", true),
            ("20230229", false),
            ("20211325", false),
            ("2021102", false),
            ("202110255", false),
            ("2021-1-1", false),
            ("２０２１１０２５", false),
        ] {
            assert_eq!(Day::parse(text).is_some(), ok, "{text}");
        }
    }
}
