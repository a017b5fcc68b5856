//! Which code each kind of payment is refused with: the documents number the same refusals four times.

use super::Method;
use crate::code::Code;

/// The refusals of one kind of payment.
#[derive(Debug)]
pub struct Words {
    /// No such key of this partner's, deregistered, or of the other method.
    pub no_payer: Code,
    /// Below what can be charged.
    pub least: Code,
    /// The order number, or the month, was used before.
    pub repeated: Code,
    /// The partner is suspended, or there is no acquirer.
    pub closed: Code,
    /// The institution refused.
    pub refused: Code,
    /// What became of it is not known.
    pub unknown: Code,
}

static CARD: Words = Words {
    no_payer: Code::SPCD0012,
    least: Code::SPCD0002,
    repeated: Code::SPCD0014,
    closed: Code::SPCD0007,
    refused: Code::SPCD1001,
    unknown: Code::PAYU0001,
};
static CARD_MONTHLY: Words = Words {
    no_payer: Code::RPCD0012,
    least: Code::RPCD0002,
    repeated: Code::RPCD0015,
    closed: Code::RPCD0007,
    refused: Code::RPCD1001,
    unknown: Code::PAYU0001,
};
static ACCOUNT: Words = Words {
    no_payer: Code::SPAY0005,
    least: Code::PAYU0002,
    repeated: Code::CPAY0202,
    closed: Code::SPAY0019,
    refused: Code::SPAY0012,
    unknown: Code::SPAY0011,
};
static ACCOUNT_MONTHLY: Words = Words {
    no_payer: Code::CPAY0004,
    least: Code::PAYU0002,
    repeated: Code::CPAY0202,
    closed: Code::CPAY0012,
    refused: Code::CPAY0022,
    unknown: Code::CPAY0018,
};

/// The words of one kind of payment.
pub fn words(method: Method, monthly: bool) -> &'static Words {
    match (method, monthly) {
        (Method::Card, false) => &CARD,
        (Method::Card, true) => &CARD_MONTHLY,
        (Method::Account, false) => &ACCOUNT,
        (Method::Account, true) => &ACCOUNT_MONTHLY,
    }
}
