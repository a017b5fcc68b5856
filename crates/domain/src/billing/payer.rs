//! Payers: a card or an account that was registered once and can be charged since.

use crate::ident::{PartnerNo, PayerNo};
use crate::time::Time;
use secrecy::{ExposeSecret, SecretString};

/// What is charged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Method {
    Card = 1,
    Account = 2,
}

impl Method {
    pub fn from_number(number: i64) -> Option<Method> {
        [Method::Card, Method::Account].into_iter().find(|m| *m as i64 == number)
    }

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Method::Card => "card",
            Method::Account => "account",
        }
    }
}

/// Whose card or account it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Owner {
    Person = 1,
    Business = 2,
}

impl Owner {
    pub fn from_number(number: i64) -> Option<Owner> {
        [Owner::Person, Owner::Business].into_iter().find(|o| *o as i64 == number)
    }
}

/// A payer's billing key without what must not be readable at rest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payer {
    pub no: PayerNo,
    pub partner: PartnerNo,
    pub method: Method,
    pub owner: Owner,
    /// Four digits of a card company, or three of a bank.
    pub org: String,
    /// The company's or bank's name, as the acquirer said it.
    pub org_name: String,
    /// The id of another service that it was brought along with, and keeps.
    pub alias: Option<PayerAlias>,
    pub made_at: Time,
    /// When it was deregistered; a key does not come back.
    pub removed_at: Option<Time>,
}

/// What stands behind a key. Sealed at rest; never printed. No card or account number is in it: the
/// acquirer keeps that, and gave a token for it.
#[derive(Clone, Debug)]
pub struct Instrument {
    pub token: SecretString,
    /// Only what stays open of the number: `1111-****-****-2222`, `123-********-021`.
    pub number_masked: SecretString,
    pub holder: SecretString,
    /// `010-****-5678`; empty where none was given.
    pub phone_masked: SecretString,
}

impl Instrument {
    pub fn parts(&self) -> [&SecretString; 4] {
        [&self.token, &self.number_masked, &self.holder, &self.phone_masked]
    }
}

impl PartialEq for Instrument {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&SecretString, &SecretString)| a.expose_secret() == b.expose_secret();
        self.parts().into_iter().zip(other.parts()).all(same)
    }
}

impl Eq for Instrument {}

/// The sixteen bytes of a `PCD_PAYER_ID` that another service made: a key that was brought along keeps
/// its id. Ours are decoded instead (decision I1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PayerAlias(pub [u8; 16]);

impl std::fmt::Debug for PayerAlias {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PayerAlias(…)")
    }
}
