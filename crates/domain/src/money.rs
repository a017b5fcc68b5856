//! Money: whole Korean won. There is no minor unit, so there is no fraction and no rounding.

use std::fmt;

/// An amount in whole won. Balances may be negative only where an account is a counter-side
/// (settlement); what a partner can spend or hold never is (figure 4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Won(pub i64);

/// Most digits an amount may have on the wire, `N(12)` (decision H4).
pub const AMOUNT_DIGITS_MAX: usize = 12;

impl Won {
    pub const ZERO: Won = Won(0);

    /// Reads an amount as the wire has it: 1 to 12 ASCII digits, no sign, point, exponent, space
    /// or leading zero, at least 1 (decision H4).
    pub fn parse(text: &str) -> Option<Won> {
        let digits = text.as_bytes();
        let fits = (1..=AMOUNT_DIGITS_MAX).contains(&digits.len());
        if !fits || digits[0] == b'0' || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        text.parse().ok().map(Won)
    }

    /// The sum, or `None` where it leaves the range: a store that is asked for it refuses.
    pub fn plus(self, other: Won) -> Option<Won> {
        self.0.checked_add(other.0).map(Won)
    }

    /// The difference, or `None` where it leaves the range. It may be negative: the caller decides.
    pub fn minus(self, other: Won) -> Option<Won> {
        self.0.checked_sub(other.0).map(Won)
    }

    pub fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl fmt::Display for Won {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Won {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}won", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_plain_digits_only() {
        let table: &[(&str, Option<i64>)] = &[
            ("1", Some(1)),
            ("1000", Some(1000)),
            ("999999999999", Some(999_999_999_999)),
            ("1000000000000", None),
            ("", None),
            ("0", None),
            ("01", None),
            ("-1", None),
            ("+1", None),
            ("1e3", None),
            ("1.0", None),
            (" 1", None),
            ("1 ", None),
            ("１０００", None),
            ("9007199254740993", None),
            ("9223372036854775808", None),
            ("1,000", None),
            ("٣", None),
        ];
        for (text, expected) in table {
            assert_eq!(Won::parse(text).map(|won| won.0), *expected, "{text:?}");
        }
    }
}
