//! The port that the engine pays through.

use ichae_domain::bank::{Answer, BankCode};
use ichae_domain::ident::BankNo;
use ichae_domain::key::{Account, InfoKind};
use ichae_domain::time::Day;
use ichae_domain::view::Deposit;
use secrecy::SecretString;

/// Deposits that one inquiry asks about at most (openbanking 7).
pub const INQUIRIES_TOGETHER: usize = 25;

/// A bank, as the engine sees it. No method fails: whatever goes wrong on the way is one of the
/// answers, and what cannot be told apart from "it may have happened" is Unknown.
///
/// The engine bounds the time that it waits. Dropping a call does not take it back.
#[async_trait::async_trait]
pub trait Rail: Send + Sync {
    /// The institution's ten characters that every `bank_tran_id` starts with.
    fn institution(&self) -> &str;

    /// Asks whether an account exists and whose it is. Moves no money.
    async fn real_name(&self, check: &AccountCheck) -> CheckAnswer;

    /// Pays. The intent must be durable before this is called (decision H13). A call may have to wait for
    /// its turn; `may` is asked when it has it, and where it says no nothing is sent.
    async fn deposit(&self, deposit: &Deposit, to: &Payee, may: &May) -> Answer;

    /// Whether a deposit begins with a check of its receiver, which needs a number of its own:
    /// [`Payee::check_tran_id`].
    fn checks_receivers(&self) -> bool {
        false
    }

    /// Asks what became of deposits: one answer for each, in their order. Moves no money, may be
    /// repeated. At most [`INQUIRIES_TOGETHER`] of them.
    async fn inquire(&self, deposits: &[Deposit]) -> Vec<Answer>;

    /// What each bank says of itself; `None` where it could not be learned. A bank that is not
    /// listed is taken for open.
    async fn banks(&self) -> Option<Vec<BankState>> {
        Some(Vec::new())
    }

    /// Returns of settled deposits, numbered above `after`, ascending, at most `limit`.
    async fn notices(&self, after: i64, limit: usize) -> Vec<LateNotice>;
}

/// Whether the caller may still act: of several nodes another one may have taken over meanwhile.
pub type May = dyn Fn() -> bool + Send + Sync;

/// An account to check.
#[derive(Clone, Debug)]
pub struct AccountCheck {
    /// The number of the check itself, twenty characters; the answer to the partner echoes it.
    pub bank_tran_id: String,
    /// Three digits; a key into [`ichae_domain::banks`].
    pub bank: String,
    /// 1 to 16 digits.
    pub number: SecretString,
    pub info_kind: InfoKind,
    /// Six digits of a birth date, or ten of a business number.
    pub info: SecretString,
}

/// What the bank says about an account.
#[derive(Clone, Debug)]
pub enum CheckAnswer {
    Holder {
        name: SecretString,
        /// Seven digits that name the branch; 0 where the bank names none.
        bank_code_sub: u32,
        /// The bank's business date of the check.
        day: Day,
    },
    Refused(BankCode),
    /// It does not exist or does not match, and the bank gave no code of its own (N0198).
    NoSuchAccount,
    /// Nothing is known about it, and nothing happened: ask again (A0007).
    NoAnswer,
}

/// Whom to pay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payee {
    /// Three digits; a key into [`ichae_domain::banks`].
    pub bank: String,
    pub account: Account,
    /// What the receiver's statement shows, at most six characters.
    pub print: String,
    /// The number of the receiver check that goes before the deposit, twenty characters; `None`
    /// where the rail makes none.
    pub check_tran_id: Option<String>,
}

/// One bank's own word on whether it can receive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BankState {
    /// Three digits.
    pub bank: String,
    pub status: BankStatus,
}

/// `bank_status` (openbanking 10).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BankStatus {
    Open,
    Failing,
    NotYetOpen,
    Closing,
}

impl BankStatus {
    pub fn from_letter(letter: &str) -> Option<BankStatus> {
        match letter {
            "Y" => Some(BankStatus::Open),
            "D" => Some(BankStatus::Failing),
            "L" => Some(BankStatus::NotYetOpen),
            "E" => Some(BankStatus::Closing),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            BankStatus::Open => "open",
            BankStatus::Failing => "failing",
            BankStatus::NotYetOpen => "not yet open",
            BankStatus::Closing => "closing",
        }
    }
}

/// A deposit that was settled and came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LateNotice {
    /// The bank's own numbering: ascending, and the same each time that it is asked.
    pub number: i64,
    pub bank_no: BankNo,
    /// Why it came back, where the bank says so (decision H17).
    pub code: Option<BankCode>,
}
