//! The forms that text fields must have (decision H3).
//!
//! Text is normalised to NFC first and counted in Unicode scalar values after, so that a Hangul
//! syllable counts once whether a client sends it composed or decomposed.

use unicode_normalization::UnicodeNormalization;

pub const CST_ID_MAX: usize = 12;
pub const CUST_KEY_MAX: usize = 255;
pub const SUB_ID_MAX: usize = 64;
pub const DISTINCT_KEY_MAX: usize = 64;
pub const ACCOUNT_NUM_MAX: usize = 16;
pub const WEBHOOK_URL_MAX: usize = 2_048;
pub const PRINT_CONTENT_MAX: usize = 6;
pub const PARTNER_NAME_MAX: usize = 80;

/// What every text field goes through: NFC, then no character that hides or reorders others.
/// Returns the normalised text, or `None` where a forbidden character stands in it.
pub fn clean(text: &str) -> Option<String> {
    // ASCII is normal as it is, and of it only controls are forbidden.
    if text.is_ascii() {
        return (!text.bytes().any(|byte| byte.is_ascii_control())).then(|| text.to_owned());
    }
    let normal: String = text.nfc().collect();
    (!normal.chars().any(is_forbidden)).then_some(normal)
}

fn is_forbidden(c: char) -> bool {
    c.is_control() || is_bidi_mark(c) || is_zero_width(c) || is_unpaired_jamo(c)
}

fn is_bidi_mark(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}')
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// What shows nothing: joiners, soft hyphen, variation selectors, tags, Hangul fillers.
fn is_zero_width(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2065}' | '\u{FEFF}')
        || matches!(c, '\u{180E}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0000}'..='\u{E0FFF}')
        || matches!(c, '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}')
}

/// Conjoining jamo that NFC could not compose into a syllable.
fn is_unpaired_jamo(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11FF}' | '\u{A960}'..='\u{A97F}' | '\u{D7B0}'..='\u{D7FF}')
}

fn ascii_form(text: &str, max: usize, extra: &[u8]) -> bool {
    (1..=max).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || extra.contains(&b))
}

/// `cst_id`: 1 to 12 of `[A-Za-z0-9_-]`.
pub fn is_cst_id(text: &str) -> bool {
    ascii_form(text, CST_ID_MAX, b"_-")
}

/// `sub_id`: 1 to 64 of `[A-Za-z0-9._-]`.
pub fn is_sub_id(text: &str) -> bool {
    ascii_form(text, SUB_ID_MAX, b"._-")
}

/// `distinct_key`: 1 to 64 of `[A-Za-z0-9._-]`.
pub fn is_distinct_key(text: &str) -> bool {
    ascii_form(text, DISTINCT_KEY_MAX, b"._-")
}

/// `custKey`: up to 255 characters, none hidden.
pub fn is_cust_key(text: &str) -> bool {
    clean(text).is_some_and(|t| (1..=CUST_KEY_MAX).contains(&t.chars().count()))
}

/// The token call's `code`: exactly ten ASCII letters and digits.
pub fn is_token_code(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// `account_num`: 1 to 16 ASCII digits, no dashes.
pub fn is_account_num(text: &str) -> bool {
    (1..=ACCOUNT_NUM_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// A birth date `YYMMDD` that exists in the twentieth or the twenty-first century.
pub fn is_birth_date(text: &str) -> bool {
    let six = text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit());
    six && ["19", "20"]
        .iter()
        .any(|century| crate::time::Day::parse(&format!("{century}{text}")).is_some())
}

/// A business number: exactly ten ASCII digits.
pub fn is_business_number(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit())
}

/// A text that cannot stand on a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unprintable;

/// `print_content` as it will stand on the statement: normalised, spaces removed, at most six of
/// ASCII letters and digits, Hangul syllables and compatibility jamo. Never truncated.
/// `Ok(None)` where nothing but spaces was sent: that counts as absent.
pub fn print_content(text: &str) -> Result<Option<String>, Unprintable> {
    let kept: String =
        clean(text).ok_or(Unprintable)?.chars().filter(|c| !c.is_whitespace()).collect();
    if kept.is_empty() {
        return Ok(None);
    }
    let fits = kept.chars().count() <= PRINT_CONTENT_MAX && kept.chars().all(is_printable);
    fits.then_some(Some(kept)).ok_or(Unprintable)
}

/// The default statement text: the partner's name without other characters, cut to six.
pub fn print_default(partner_name: &str) -> String {
    let normal: String = partner_name.nfc().filter(|c| is_printable(*c)).collect();
    normal.chars().take(PRINT_CONTENT_MAX).collect()
}

fn is_printable(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '가'..='힣' | 'ㄱ'..='ㆎ') && c != '\u{3164}'
}

/// A partner's name: 1 to 80 characters, none hidden, at least one that can be printed.
pub fn partner_name(text: &str) -> Option<String> {
    let name = clean(text)?.trim().to_owned();
    let fits = (1..=PARTNER_NAME_MAX).contains(&name.chars().count());
    (fits && !print_default(&name).is_empty()).then_some(name)
}

/// An account number with its last three digits starred, as the webhook's masked field has it.
pub fn mask_account(account: &str) -> String {
    let open = account.len().saturating_sub(3);
    let starred = account.len() - open;
    format!("{}{}", account.get(..open).unwrap_or(""), "*".repeat(starred))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn print_content_is_counted_after_normalising_and_never_cut() {
        let nfd = "\u{110C}\u{1165}\u{11BC}\u{1109}\u{1161}\u{11AB}"; // 정산, decomposed
        let table: &[(&str, Result<Option<&str>, ()>)] = &[
            ("정산테스트", Ok(Some("정산테스트"))),
            ("정 산 테 스 트", Ok(Some("정산테스트"))),
            ("정산\u{3000}비", Ok(Some("정산비"))),
            (nfd, Ok(Some("정산"))),
            ("ABC123", Ok(Some("ABC123"))),
            ("ㅋㅋㅋ", Ok(Some("ㅋㅋㅋ"))),
            ("   ", Ok(None)),
            ("정산테스트지급", Err(())),
            ("ABC1234", Err(())),
            ("정산!", Err(())),
            ("ＡＢＣ", Err(())),
            ("１２３", Err(())),
            ("정산\t", Err(())),
            ("정산\u{200B}", Err(())),
            ("\u{202E}정산", Err(())),
            ("\u{1100}", Err(())),
            ("정산\u{3164}", Err(())),
            ("👨\u{200D}👩", Err(())),
            ("漢字", Err(())),
        ];
        for (text, expected) in table {
            let got = print_content(text);
            assert_eq!(got.as_ref().map(|o| o.as_deref()).map_err(|_| ()), *expected, "{text:?}");
        }
    }

    #[test]
    fn default_print_is_the_name_cut_to_six() {
        assert_eq!(print_default("(주) 페이 플 허브 주식회사"), "주페이플허브");
        assert_eq!(print_default("test"), "test");
    }

    #[test]
    fn keys_take_what_live_users_send() {
        assert!(is_sub_id("groble_sub_12") && is_distinct_key("c9z116521650283..."));
        assert!(!is_sub_id("a b") && !is_sub_id("") && !is_distinct_key(&"x".repeat(65)));
        assert!(is_cst_id("test") && !is_cst_id("thirteen-char") && !is_cst_id("한글"));
    }

    #[test]
    fn holder_info_has_its_forms() {
        assert!(is_birth_date("880212") && is_birth_date("000229") && !is_birth_date("880230"));
        assert!(
            !is_birth_date("19880212") && !is_birth_date("8802121") && !is_birth_date("８80212")
        );
        assert!(is_business_number("1234567890") && !is_business_number("123456789"));
    }

    #[test]
    fn a_masked_account_stars_its_last_three() {
        assert_eq!(mask_account("1234567890123456"), "1234567890123***");
        assert_eq!(mask_account("12"), "**");
    }
}
