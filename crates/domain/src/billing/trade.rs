//! One call to the acquirer, of four kinds. Its intent is durable before it is made, and it is made once.

use super::{Approval, Reason, TradeWhy};
use crate::ident::{ChargeNo, PartnerNo, TradeNo};
use crate::money::Won;
use crate::time::Time;

/// What the acquirer is asked to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum TradeKind {
    Pay = 1,
    /// All of a payment, or a part of it.
    Refund = 2,
    /// Issues a cash receipt for a payment from an account.
    Receipt = 3,
    ReceiptCancel = 4,
}

impl TradeKind {
    pub fn from_number(number: i64) -> Option<TradeKind> {
        use TradeKind::*;
        [Pay, Refund, Receipt, ReceiptCancel].into_iter().find(|k| *k as i64 == number)
    }

    pub fn name(self) -> &'static str {
        match self {
            TradeKind::Pay => "pay",
            TradeKind::Refund => "refund",
            TradeKind::Receipt => "receipt",
            TradeKind::ReceiptCancel => "receipt cancel",
        }
    }

    /// Whether it takes back what another call did.
    pub fn undoes(self) -> bool {
        matches!(self, TradeKind::Refund | TradeKind::ReceiptCancel)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum TradeState {
    Asking = 1,
    Unknown = 2,
    Done = 3,
    Refused = 4,
}

impl TradeState {
    pub fn from_number(number: i64) -> Option<TradeState> {
        use TradeState::*;
        [Asking, Unknown, Done, Refused].into_iter().find(|s| *s as i64 == number)
    }

    pub fn name(self) -> &'static str {
        match self {
            TradeState::Asking => "asking",
            TradeState::Unknown => "unknown",
            TradeState::Done => "done",
            TradeState::Refused => "refused",
        }
    }

    /// Whether the acquirer's word is still out.
    pub fn is_open(self) -> bool {
        matches!(self, TradeState::Asking | TradeState::Unknown)
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trade {
    pub no: TradeNo,
    pub charge: ChargeNo,
    pub partner: PartnerNo,
    pub kind: TradeKind,
    pub amount: Won,
    pub vat: Won,
    /// Of a refund: what was taken from captured; the rest came from what is available.
    pub from_captured: Won,
    /// The call that it undoes, in part or whole.
    pub undoes: Option<TradeNo>,
    /// The store epoch that it was made in; part of its reference.
    pub epoch: u16,
    pub at: Time,
    pub state: TradeState,
    /// The institution's reason, where it refused.
    pub reason: Option<Reason>,
    pub why: Option<TradeWhy>,
    pub answered_at: Option<Time>,
    pub inquiries: i64,
    pub inquire_at: Option<Time>,
    pub approval: Option<Approval>,
}

impl Trade {
    /// `PCD_PAY_CARDTRADENUM`: what the acquirer knows this call by, 24 digits.
    pub fn reference(&self) -> String {
        reference(self.at, self.epoch, self.no)
    }
}

/// The moment to the second, the store epoch and the serial's last eight digits: fixed before the call,
/// and never the same again, also after a restore (decision I1).
pub fn reference(at: Time, epoch: u16, no: TradeNo) -> String {
    let at = at.seoul_17();
    format!("{}{:02}{:08}", &at[..14], epoch % 100, no.0.rem_euclid(100_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_has_twenty_four_digits() {
        let text = reference(Time(1_764_000_000_123), 3, TradeNo(1_234_567_890));
        assert_eq!(text.len(), 24);
        assert!(text.bytes().all(|b| b.is_ascii_digit()), "{text}");
        assert!(text.ends_with("0334567890"), "{text}");
    }
}
