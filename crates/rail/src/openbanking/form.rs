//! The forms of text in a message: digits, and texts whose width is counted in EUC-KR.

/// Most bytes of an `AH20` (openbanking 4).
pub const AH20: usize = 20;

/// Bytes that a text takes where ASCII counts one and everything else two, as in EUC-KR: the
/// banks behind the API count widths so.
pub fn width(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

/// Whether a text can stand in a field of that width: not empty, no control characters.
pub fn fits(text: &str, most: usize) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control) && width(text) <= most
}

/// Whether it is at least one and at most that many ASCII digits.
pub fn is_digits(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether it is three digits, as a bank's code is.
pub fn is_bank(text: &str) -> bool {
    text.len() == 3 && is_digits(text, 3)
}

/// Whether it is a whole `bank_tran_id`: twenty upper-case letters and digits (openbanking 3).
pub fn is_tran_id(text: &str) -> bool {
    text.len() == 20 && is_upper(text)
}

/// Whether it is nothing but digits and upper-case letters.
pub fn is_upper(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hangul_counts_two() {
        assert_eq!((width("abc"), width("급여"), width("급여1월")), (3, 4, 7));
        let table = [
            ("가나다라마바사아자차", true),
            ("가나다라마바사아자차1", false),
            ("12345678901234567890", true),
            ("123456789012345678901", false),
            ("", false),
            ("급\n여", false),
        ];
        for (text, expected) in table {
            assert_eq!(fits(text, AH20), expected, "{text:?}");
        }
    }

    #[test]
    fn digits_and_codes_are_ascii() {
        assert!(is_digits("1", 16) && is_digits("1234567890123456", 16));
        assert!(!is_digits("", 16) && !is_digits("12345678901234567", 16));
        assert!(!is_digits("１２", 16) && !is_digits("1-2", 16) && !is_digits("+1", 16));
        assert!(is_bank("020") && !is_bank("20") && !is_bank("0200"));
        assert!(is_tran_id("M202112389U000000001") && !is_tran_id("m202112389U000000001"));
        assert!(!is_tran_id("M202112389U00000000"));
    }
}
