//! Billing keys: an account that was verified once and can be paid to since.

use crate::bank::BankCode;
use crate::ident::{KeyNo, PartnerNo};
use crate::time::Time;
use secrecy::{ExposeSecret, SecretString};

/// A billing key without what must not be readable at rest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BillingKey {
    pub no: KeyNo,
    pub partner: PartnerNo,
    pub sub_id: Option<String>,
    /// Three digits; a key into [`crate::banks`].
    pub bank: String,
    pub made_at: Time,
    /// The bank code that ended it (decision H11).
    pub dead: Option<BankCode>,
}

/// Birth date or business number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InfoKind {
    BirthDate = 0,
    BusinessNumber = 6,
}

impl InfoKind {
    pub fn from_number(number: i64) -> Option<InfoKind> {
        [InfoKind::BirthDate, InfoKind::BusinessNumber].into_iter().find(|k| *k as i64 == number)
    }
}

/// The account behind a key. Sealed at rest; never printed.
#[derive(Clone, Debug)]
pub struct Account {
    pub number: SecretString,
    pub holder: SecretString,
    pub info_kind: InfoKind,
    pub info: SecretString,
}

impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        self.number.expose_secret() == other.number.expose_secret()
            && self.holder.expose_secret() == other.holder.expose_secret()
            && self.info_kind == other.info_kind
            && self.info.expose_secret() == other.info.expose_secret()
    }
}

impl Eq for Account {}

/// The blind index of (partner, sub_id, bank, account, holder info): finds the same account again
/// without being able to read it (decision H12).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 16]);

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_never_prints_what_it_holds() {
        let account = Account {
            number: "1234567890123456".into(),
            holder: "홍길동".into(),
            info_kind: InfoKind::BirthDate,
            info: "880212".into(),
        };
        let printed = format!("{account:?}");
        for secret in ["1234567890123456", "홍길동", "880212"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}
