//! What card companies and the payment gateway before them say: what their codes mean.
//!
//! A code that is not listed is Undecided, never Refused. Source: the public code list of 2020,
//! institution codes (wire facts, 2.12).

use super::institution_codes::INSTITUTION_TABLE;

/// What a code means for the call that got it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReasonClass {
    /// It was done.
    Done,
    /// It was not done, and never will be.
    Refused,
    /// It may have been done: only an inquiry tells.
    Undecided,
}

/// A code of four digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Reason(pub u16);

/// One row of the table.
#[derive(Debug)]
pub struct InstitutionEntry {
    pub code: Reason,
    pub class: ReasonClass,
    pub ko: &'static str,
    pub en: &'static str,
}

impl Reason {
    pub const OK: Reason = Reason(0);

    pub fn entry(self) -> Option<&'static InstitutionEntry> {
        let at = INSTITUTION_TABLE.binary_search_by_key(&self, |entry| entry.code).ok()?;
        INSTITUTION_TABLE.get(at)
    }

    pub fn class(self) -> ReasonClass {
        self.entry().map_or(ReasonClass::Undecided, |entry| entry.class)
    }

    /// That what is to be canceled was canceled before; by which call is not said.
    pub fn is_canceled_before(self) -> bool {
        matches!(self.0, 1_115 | 3_121 | 3_251)
    }

    /// Four digits, as the wire shows it.
    pub fn text(self) -> String {
        format!("{:04}", self.0)
    }

    /// The code of exactly four digits; listed or not.
    pub fn find(text: &str) -> Option<Reason> {
        let fits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| text.parse().ok().map(Reason))?
    }

    pub fn ko(self) -> &'static str {
        self.entry().map_or("기타오류입니다.", |entry| entry.ko)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_what_it_does_not_list_is_undecided() {
        assert!(INSTITUTION_TABLE.windows(2).all(|w| w[0].code < w[1].code));
        let listed: Vec<Reason> = INSTITUTION_TABLE.iter().map(|entry| entry.code).collect();
        for code in (0..=u16::MAX).map(Reason).filter(|code| !listed.contains(code)) {
            assert_eq!(code.class(), ReasonClass::Undecided, "{code:?}");
            assert_eq!(code.ko(), "기타오류입니다.");
        }
    }

    #[test]
    fn every_row_has_both_texts_and_is_found_by_its_own() {
        for entry in INSTITUTION_TABLE {
            let InstitutionEntry { code, ko, en, .. } = entry;
            assert!(ko.chars().any(|c| ('가'..='힣').contains(&c)), "{code:?}");
            assert!(en.is_ascii() && en.ends_with('.') && en.len() > 4, "{code:?}");
            assert_eq!(Reason::find(&code.text()), Some(*code));
            assert_eq!(code.ko(), *ko);
        }
        assert_eq!(Reason(0).text(), "0000");
        for text in ["", "112", "11120", "+112", "１１１２", "SPCD"] {
            assert_eq!(Reason::find(text), None, "{text}");
        }
    }

    #[test]
    fn only_success_is_done() {
        let done = INSTITUTION_TABLE.iter().filter(|entry| entry.class == ReasonClass::Done);
        assert_eq!(done.map(|entry| entry.code).collect::<Vec<_>>(), [Reason::OK]);
    }

    #[test]
    fn trouble_silence_and_doubles_decide_nothing() {
        for code in [
            1100, 1102, 1103, 1104, 1109, 1113, 1114, 1125, 1148, 1153, 1154, 1156, 3001, 3005,
            3006, 3106, 3113, 3130, 3134, 3159, 3161, 3168, 3169, 3181, 3188, 3194, 3195, 3199,
            3200, 3201, 3210, 3239, 3246, 3266, 3267, 3268, 3269, 3275, 3276, 9999,
        ] {
            assert_eq!(Reason(code).class(), ReasonClass::Undecided, "{code}");
            assert!(Reason(code).entry().is_some(), "{code}");
        }
    }

    #[test]
    fn limits_cards_and_what_cannot_be_undone_are_refusals() {
        for code in [
            1101, 1105, 1110, 1115, 1116, 1117, 1121, 1123, 1126, 1127, 1128, 1132, 1149, 1151,
            1152, 3100, 3109, 3110, 3112, 3115, 3117, 3120, 3122, 3123, 3128, 3133, 3143, 3146,
            3192, 3213, 3214, 3224, 3226, 3242, 3250, 3253,
        ] {
            assert_eq!(Reason(code).class(), ReasonClass::Refused, "{code}");
        }
    }
}
