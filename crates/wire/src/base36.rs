//! 128 bits as 25 characters of base 36, most significant first. Every value has one text.

/// Characters that 128 bits take: 36^25 is the first power above 2^128.
pub const LEN: usize = 25;

/// Which letters stand for the digits ten to thirty-five.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Case {
    Lower,
    Upper,
}

impl Case {
    fn digits(self) -> &'static [u8; 36] {
        match self {
            Case::Lower => b"0123456789abcdefghijklmnopqrstuvwxyz",
            Case::Upper => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        }
    }

    fn digit(self, byte: u8) -> Option<u64> {
        let letters = match self {
            Case::Lower => b'a'..=b'z',
            Case::Upper => b'A'..=b'Z',
        };
        match byte {
            b'0'..=b'9' => Some(u64::from(byte - b'0')),
            _ if letters.contains(&byte) => Some(u64::from(byte - letters.start()) + 10),
            _ => None,
        }
    }
}

/// Digits that a `u64` takes: division by a constant is a multiplication there, and is not for 128
/// bits.
const PART: usize = 12;
const PART_VALUES: u64 = 36_u64.pow(PART as u32);

/// Exactly [`LEN`] characters, with leading zeros.
pub fn encode(value: u128, case: Case) -> String {
    let mut text = [b'0'; LEN];
    let part = u128::from(PART_VALUES);
    let (high, low) = (value / part, value % part);
    // The first part is what is left above two whole ones: one digit.
    let parts = [high / part, high % part, low];
    let (first, rest) = text.split_at_mut(LEN - 2 * PART);
    let (second, third) = rest.split_at_mut(PART);
    for (slots, part) in [first, second, third].into_iter().zip(parts) {
        let mut rest = u64::try_from(part).unwrap_or_default();
        for slot in slots.iter_mut().rev() {
            *slot = case.digits()[(rest % 36) as usize];
            rest /= 36;
        }
    }
    text.iter().copied().map(char::from).collect()
}

/// `None` where the length or a character is wrong, or where the value is above 128 bits.
pub fn decode(text: &str, case: Case) -> Option<u128> {
    let bytes = text.as_bytes();
    if bytes.len() != LEN {
        return None;
    }
    let (first, rest) = bytes.split_at(LEN - 2 * PART);
    let (second, third) = rest.split_at(PART);
    let part = |digits: &[u8]| {
        digits.iter().try_fold(0_u64, |value, byte| Some(value * 36 + case.digit(*byte)?))
    };
    let whole = u128::from(PART_VALUES);
    let high = u128::from(part(first)?) * whole + u128::from(part(second)?);
    high.checked_mul(whole)?.checked_add(u128::from(part(third)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_one_text_and_back() {
        let table = [
            (0, "0000000000000000000000000"),
            (35, "000000000000000000000000z"),
            (36, "0000000000000000000000010"),
            (u128::MAX, "f5lxx1zz5pnorynqglhzmsp33"),
        ];
        for (value, text) in table {
            assert_eq!(encode(value, Case::Lower), text);
            assert_eq!(encode(value, Case::Upper), text.to_uppercase());
            assert_eq!(decode(text, Case::Lower), Some(value));
            assert_eq!(decode(&text.to_uppercase(), Case::Upper), Some(value));
        }
    }

    #[test]
    fn what_is_no_text_of_a_value_is_refused() {
        for text in [
            "",
            "0",
            "00000000000000000000000000",
            "f5lxx1zz5pnorynqglhzmsp34",
            "zzzzzzzzzzzzzzzzzzzzzzzzz",
            "000000000000000000000000Z",
            "000000000000000000000000-",
            "00000000000000000000000é",
        ] {
            assert_eq!(decode(text, Case::Lower), None, "{text}");
        }
    }
}
