//! What an institution has to say before the rail can be used.

use super::form::{AH20, fits, is_bank, is_digits, is_upper};
use super::transport;
use ichae_domain::text::ACCOUNT_NUM_MAX;
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;

/// How KFTC's side is reached if nothing else is said; it publishes no limit of its own
/// (openbanking 1).
pub const TIMEOUT: Duration = Duration::from_secs(60);
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether the contract account is an account or a 계정 (openbanking 6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ContractKind {
    #[default]
    Account,
    Ledger,
}

impl ContractKind {
    /// `cntr_account_type`.
    pub fn letter(self) -> &'static str {
        match self {
            ContractKind::Account => "N",
            ContractKind::Ledger => "C",
        }
    }

    pub fn from_letter(letter: &str) -> Option<ContractKind> {
        [ContractKind::Account, ContractKind::Ledger].into_iter().find(|k| k.letter() == letter)
    }
}

/// The institution, its contract, and how hard the rail may press. Prints no secret and no account.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The API's host, with its scheme.
    pub base_url: String,
    pub client_id: String,
    pub client_secret: SecretString,
    /// `oob`, or `sa` for institutions with 자체인증.
    pub scope: String,
    /// `client_use_code`, ten characters.
    pub institution: String,
    /// The registered 약정계좌 that deposits are paid from.
    pub contract_account: SecretString,
    pub contract_kind: ContractKind,
    /// `wd_pass_phrase`.
    pub pass_phrase: SecretString,
    /// `wd_print_content`: what our own statement shows.
    pub print: String,
    /// `req_client_name`: who orders the transfers.
    pub client_name: String,
    /// `req_client_bank_code`.
    pub client_bank: String,
    /// `req_client_account_num`.
    pub client_account: SecretString,
    /// `req_client_num`: the institution's own number for who orders, no personal data.
    pub client_number: String,
    /// `TR` unless something else was agreed.
    pub transfer_purpose: String,
    /// Whether the centre compares the receiver's name in a deposit.
    pub name_check: bool,
    /// Whether a deposit begins with a check of its receiver (openbanking 5).
    pub receive_check: bool,
    /// From the first byte to the last of the answer, connecting included.
    pub timeout: Duration,
    pub connect_timeout: Duration,
    pub calls_per_second: u32,
    /// Calls at the same time.
    pub in_flight: usize,
    /// Whether the answers' dates are kept. Off only at the test bed, whose dates are canned
    /// (openbanking 12); then the day of sending stands in their place.
    pub trust_dates: bool,
}

/// `transfer_purpose` (openbanking 6).
const PURPOSES: &[&str] = &["TR", "ST", "RC", "AU", "WD", "EX"];

impl Settings {
    /// What is wrong, each in words that say what to do. Names no secret.
    pub fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = transport::base(&self.base_url).err().into_iter().collect();
        for (fine, problem) in self.texts().into_iter().chain(self.limits()) {
            if !fine {
                problems.push(problem.to_owned());
            }
        }
        problems
    }

    fn texts(&self) -> [(bool, &'static str); 13] {
        let account = |text: &SecretString| is_digits(text.expose_secret(), ACCOUNT_NUM_MAX);
        let graphic = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
        };
        let ten = self.institution.len() == 10 && is_upper(&self.institution);
        let secret = self.client_secret.expose_secret();
        [
            (graphic(&self.client_id, 128), "client_id is missing: take it from KFTC's portal"),
            (graphic(secret, 256), "client_secret is missing: take it from KFTC's portal"),
            (["oob", "sa"].contains(&self.scope.as_str()), "scope must be oob or sa"),
            (ten, "institution must be the ten characters (A-Z, 0-9) of the client_use_code"),
            (
                account(&self.contract_account),
                "contract_account must be the 약정계좌: 1 to 16 digits without hyphens",
            ),
            (
                graphic(self.pass_phrase.expose_secret(), 128),
                "pass_phrase is missing: NONE at the test bed, else the portal's, at most 128",
            ),
            (fits(&self.print, AH20), "print must be 1 to 20 bytes, a Hangul syllable taking two"),
            (
                fits(&self.client_name, AH20),
                "client_name must be 1 to 20 bytes, a Hangul syllable taking two",
            ),
            (is_bank(&self.client_bank), "client_bank must be a bank's three digits"),
            (
                account(&self.client_account),
                "client_account must be 1 to 16 digits without hyphens",
            ),
            (
                graphic(&self.client_number, 20) && is_upper(&self.client_number),
                "client_number must be 1 to 20 of A-Z and 0-9: a number of yours, nobody's name",
            ),
            (
                PURPOSES.contains(&self.transfer_purpose.as_str()),
                "transfer_purpose must be one of TR, ST, RC, AU, WD, EX",
            ),
            (
                self.trust_dates || !transport::is_production(&self.base_url),
                "trust_dates must be on in production: only the test bed's dates are canned",
            ),
        ]
    }

    fn limits(&self) -> [(bool, &'static str); 4] {
        let connects = !self.connect_timeout.is_zero() && self.connect_timeout < self.timeout;
        [
            (
                !self.timeout.is_zero(),
                "timeout must be above zero; 60 seconds if nothing else is known",
            ),
            (connects, "connect_timeout must be above zero and below timeout"),
            (self.calls_per_second > 0, "calls_per_second must be 1 or more"),
            ((1..=10_000).contains(&self.in_flight), "in_flight must be 1 to 10000"),
        ]
    }
}
