//! Single fields, as bytes: days, amounts, balances.

use ichae_domain::money::{AMOUNT_DIGITS_MAX, Won};
use ichae_domain::time::Day;

/// Digits that a balance may have: all of them fit an `i64`.
const BALANCE_DIGITS_MAX: usize = 18;

/// `yyyymmdd`, or with `-`, `/` or `.` between, the same one twice.
pub fn day(field: &[u8]) -> Option<Day> {
    let mut digits = [0_u8; 8];
    match field {
        [a, b, c, d, first @ (b'-' | b'/' | b'.'), e, f, second, g, h] if first == second => {
            digits.copy_from_slice(&[*a, *b, *c, *d, *e, *f, *g, *h]);
        }
        _ => digits = field.try_into().ok()?,
    }
    Day::parse(std::str::from_utf8(&digits).ok()?)
}

/// Digits, with commas between thousands or without any. No sign, point or space.
fn digits(field: &[u8], most: usize) -> Option<i64> {
    let grouped = field.contains(&b',');
    let mut value = 0_i64;
    let mut count = 0;
    for (at, part) in field.split(|byte| *byte == b',').enumerate() {
        let fits = match (grouped, at) {
            (false, _) => !part.is_empty(),
            (true, 0) => (1..=3).contains(&part.len()),
            (true, _) => part.len() == 3,
        };
        count += part.len();
        if !fits || count > most || !part.iter().all(u8::is_ascii_digit) {
            return None;
        }
        value = part.iter().fold(value, |value, byte| value * 10 + i64::from(byte - b'0'));
    }
    Some(value)
}

/// An amount that was moved: at least 1 won.
pub fn amount(field: &[u8]) -> Option<Won> {
    digits(field, AMOUNT_DIGITS_MAX).filter(|value| *value > 0).map(Won)
}

/// A balance; an account may be overdrawn.
pub fn balance(field: &[u8]) -> Option<Won> {
    let (sign, rest) = match field {
        [b'-', rest @ ..] => (-1, rest),
        _ => (1, field),
    };
    digits(rest, BALANCE_DIGITS_MAX).map(|value| Won(sign * value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_four_forms() {
        for (text, expected) in [
            ("20261122", Some(20_261_122)),
            ("2026-11-22", Some(20_261_122)),
            ("2026/11/22", Some(20_261_122)),
            ("2026.11.22", Some(20_261_122)),
            ("2026-11/22", None),
            ("2026-1-22", None),
            ("2026 11 22", None),
            ("20261131", None),
            ("261122", None),
            ("22/11/2026", None),
            ("", None),
            ("２０２６", None),
        ] {
            assert_eq!(day(text.as_bytes()).map(|day| day.0), expected, "{text}");
        }
    }

    #[test]
    fn amounts_are_whole_won() {
        for (text, expected) in [
            ("1", Some(1)),
            ("1000", Some(1_000)),
            ("1,000", Some(1_000)),
            ("12,345,678", Some(12_345_678)),
            ("000000001000", Some(1_000)),
            ("999,999,999,999", Some(999_999_999_999)),
            ("1,000,000,000,000", None),
            ("0", None),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.0", None),
            ("1,00", None),
            ("1000,000", None),
            (",100", None),
            ("100,", None),
            ("1,,000", None),
            ("1 000", None),
            ("1e3", None),
            ("￦1", None),
        ] {
            assert_eq!(amount(text.as_bytes()).map(|won| won.0), expected, "{text}");
        }
    }

    #[test]
    fn a_balance_may_be_nothing_or_negative() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-1,234", Some(-1_234)),
            ("999999999999999999", Some(999_999_999_999_999_999)),
            ("1000000000000000000", None),
            ("--1", None),
            ("-", None),
            ("1-", None),
        ] {
            assert_eq!(balance(text.as_bytes()).map(|won| won.0), expected, "{text}");
        }
    }
}
