//! The port that the engine charges through.

use ichae_domain::billing::{Method, Reason, TradeAnswer, TradeKind};
use ichae_domain::money::Won;
use secrecy::SecretString;

/// An acquirer, as the engine sees it. No method fails: whatever goes wrong on the way is one of the
/// answers, and what cannot be told apart from "it may have happened" is Unknown.
///
/// The engine bounds the time that it waits. Dropping a call does not take it back.
///
/// `Refused` and `Done` speak of the call itself, also in an inquiry: a code that speaks of the
/// inquiry ("no such transaction") is no refusal of what it asked about, but Unknown.
#[async_trait::async_trait]
pub trait Acquirer: Send + Sync {
    /// Registers a card: its issuer is asked. Moves no money. The number is the acquirer's to keep.
    async fn register_card(&self, card: &CardDetails) -> Registration;

    /// Registers an account: its bank is asked. Moves no money.
    async fn register_account(&self, account: &AccountDetails) -> Registration;

    /// Captures. The intent must be durable before this is called.
    async fn pay(&self, pay: &PayCall) -> TradeAnswer;

    /// Gives back all of a payment, or a part. The intent must be durable before this is called.
    async fn refund(&self, refund: &RefundCall) -> TradeAnswer;

    /// Issues a cash receipt, or cancels it. Moves no money, but the intent must be durable as well.
    async fn receipt(&self, receipt: &ReceiptCall) -> TradeAnswer;

    /// What became of a call, by its reference. Moves no money, may be repeated.
    async fn inquire(&self, reference: &str, kind: TradeKind) -> TradeAnswer;
}

/// A card to register.
#[derive(Clone, Debug)]
pub struct CardDetails {
    /// 13 to 19 digits.
    pub number: SecretString,
    /// The last two digits of the year.
    pub expiry_year: SecretString,
    /// Two digits.
    pub expiry_month: SecretString,
    /// The first two digits of it.
    pub password: SecretString,
    /// Six digits of a birth date, or ten of a business number.
    pub birth: SecretString,
}

/// An account to register.
#[derive(Clone, Debug)]
pub struct AccountDetails {
    /// Three digits; a key into [`ichae_domain::banks`].
    pub bank: String,
    /// 10 to 16 digits.
    pub number: SecretString,
    pub holder: SecretString,
    /// Six digits of a birth date, or ten of a business number.
    pub birth: SecretString,
}

/// What became of a registration.
#[derive(Clone, Debug)]
pub enum Registration {
    Done {
        /// What stands for the number from now on; no part of the number is in it.
        token: SecretString,
        /// Four digits of a card company, or three of a bank.
        org: String,
        org_name: String,
        /// `1111-****-****-2222` or `123-********-021`.
        number_masked: SecretString,
    },
    Refused(Reason),
    /// Nothing is known about it, and no money moved: register again.
    NoAnswer,
}

/// A payment to capture.
#[derive(Clone, Debug)]
pub struct PayCall {
    /// [`ichae_domain::billing::Trade::reference`], never the same again.
    pub reference: String,
    /// The partner's id and its order number: the acquirer knows an order once. A second call for an
    /// order that was captured, with the same token and amount, captures nothing and is answered with
    /// the first approval, also if its reference is another one; the new reference names the same
    /// payment since. With other content the answer is 1103, which
    /// does not decide: the order was captured, and must not be taken for failed.
    pub order: String,
    /// As [`Registration::Done`] gave it.
    pub token: SecretString,
    pub method: Method,
    pub amount: Won,
    /// What of the amount is value added tax.
    pub vat: Won,
    /// The cash receipt that is to go with it; only from an account. That it is refused does not
    /// keep the money from moving.
    pub receipt: Option<ReceiptFor>,
}

/// A payment to give back, in part or whole. A cash receipt that stands is canceled with it.
#[derive(Clone, Debug)]
pub struct RefundCall {
    pub reference: String,
    /// Any of the references that the payment has.
    pub pay_reference: String,
    /// At most what earlier refunds left of the payment.
    pub amount: Won,
    pub vat: Won,
}

/// A cash receipt to issue or to cancel.
#[derive(Clone, Debug)]
pub struct ReceiptCall {
    pub reference: String,
    /// The payment's, also of a cancellation. A payment has one receipt at a time.
    pub pay_reference: String,
    /// At most what refunds left of the payment; of a cancellation, all that the receipt is for.
    pub amount: Won,
    pub cancel: bool,
    /// Whom it is issued for; not needed to cancel.
    pub for_whom: Option<ReceiptFor>,
}

/// Whom a cash receipt is for.
#[derive(Clone, Debug)]
pub struct ReceiptFor {
    pub purpose: ReceiptPurpose,
    /// Digits of a phone number, a cash receipt card or a business number; 10 to 18 of them.
    pub id_number: SecretString,
}

/// What a cash receipt is used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReceiptPurpose {
    /// A person deducts it from income.
    Personal,
    /// A company proves an expense with it.
    Company,
}
