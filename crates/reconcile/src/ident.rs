//! A `bank_tran_id` as it stands in a file, and back into the number that the hub keeps.

use ichae_domain::ident::BankNo;
use std::fmt;

/// Characters of an institution's code, which every id begins with (openbanking 3).
pub const INSTITUTION_LEN: usize = 10;
const LEN: usize = 20;

/// An id of the right form: ten of A-Z and 0-9, `U`, nine of A-Z and 0-9. An account number or a
/// name is never one, so an id may be shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; LEN]);

/// Why a text is no number of this institution.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IdError {
    #[error("not a bank_tran_id: ten of A-Z and 0-9, then U, then nine of A-Z and 0-9")]
    Form,
    #[error("the bank_tran_id of another institution")]
    Foreign,
}

fn is_digit(byte: &u8) -> bool {
    byte.is_ascii_digit() || byte.is_ascii_uppercase()
}

/// Whether this is an institution's code by its form.
pub fn is_institution(text: &str) -> bool {
    text.len() == INSTITUTION_LEN && text.as_bytes().iter().all(is_digit)
}

impl Id {
    pub fn parse(bytes: &[u8]) -> Option<Id> {
        let id: [u8; LEN] = bytes.try_into().ok()?;
        let fits = id.iter().all(is_digit) && id[INSTITUTION_LEN] == b'U';
        fits.then_some(Id(id))
    }

    pub fn of(no: BankNo, institution: &str) -> Option<Id> {
        Id::parse(no.text(institution).as_bytes())
    }

    /// The packed number; `None` where the id is another institution's.
    pub fn number(&self, institution: &str) -> Option<BankNo> {
        let tail = self.0.strip_prefix(institution.as_bytes())?.strip_prefix(b"U")?;
        let value = tail.iter().fold(0_i64, |value, byte| {
            let digit = if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' + 10 };
            value * 36 + i64::from(digit)
        });
        Some(BankNo(value))
    }
}

/// The packed number of a `bank_tran_id`, the way back from [`BankNo::text`].
pub fn bank_no(text: &str, institution: &str) -> Result<BankNo, IdError> {
    let id = Id::parse(text.as_bytes()).ok_or(IdError::Form)?;
    let own = is_institution(institution);
    own.then(|| id.number(institution)).flatten().ok_or(IdError::Foreign)
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ichae_domain::ident::{BANK_COUNTER_MAX, EPOCHS_MAX, SHARDS};

    const HOUSE: &str = "M202112389";

    #[test]
    fn a_number_comes_back_from_its_text() {
        let last = BankNo::new(SHARDS - 1, EPOCHS_MAX - 1, BANK_COUNTER_MAX - 1).unwrap();
        for no in [BankNo(0), BankNo(35), BankNo(36), BankNo(987_654_321), last] {
            assert_eq!(bank_no(&no.text(HOUSE), HOUSE), Ok(no));
            assert_eq!(Id::of(no, HOUSE).unwrap().to_string(), no.text(HOUSE));
        }
    }

    #[test]
    fn what_is_no_number_of_ours_says_why() {
        let table = [
            ("M202112388U000000001", IdError::Foreign),
            ("M202112389T000000001", IdError::Form),
            ("M202112389U00000000", IdError::Form),
            ("M202112389U0000000011", IdError::Form),
            ("M202112389U00000000a", IdError::Form),
            ("M202112389U00000000-", IdError::Form),
            ("m202112389U000000001", IdError::Form),
            ("M20211238é000000001", IdError::Form),
            ("", IdError::Form),
        ];
        for (text, why) in table {
            assert_eq!(bank_no(text, HOUSE), Err(why), "{text}");
        }
        assert_eq!(bank_no("M202112389U000000001", "M2021"), Err(IdError::Foreign));
    }
}
