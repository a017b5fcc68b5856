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
}

/// Exactly [`LEN`] characters, with leading zeros.
pub fn encode(value: u128, case: Case) -> String {
    let mut text = [b'0'; LEN];
    let mut rest = value;
    for slot in text.iter_mut().rev() {
        *slot = case.digits()[usize::try_from(rest % 36).unwrap_or_default()];
        rest /= 36;
    }
    text.iter().copied().map(char::from).collect()
}

/// `None` where the length or a character is wrong, or where the value is above 128 bits.
pub fn decode(text: &str, case: Case) -> Option<u128> {
    if text.len() != LEN {
        return None;
    }
    text.bytes().try_fold(0_u128, |value, byte| {
        let digit = case.digits().iter().position(|d| *d == byte)?;
        value.checked_mul(36)?.checked_add(u128::try_from(digit).ok()?)
    })
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
