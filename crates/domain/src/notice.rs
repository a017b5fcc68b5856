//! Webhook notices: one per outcome, written in the outcome's transaction (decision H17).

use crate::ident::{ChargeNo, NoticeNo, PartnerNo, PayerNo, PayoutNo, TradeNo};
use crate::time::Time;

/// The outcomes that are told; none for a cancel or an unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Hash)]
pub enum Outcome {
    Settled = 1,
    Failed = 2,
    Returned = 3,
    /// A payment with a billing key was captured.
    Paid = 4,
    ChargeFailed = 5,
    Refunded = 6,
    /// The operator deregistered a key by hand (wire facts 2.10).
    Deregistered = 7,
}

impl Outcome {
    pub fn from_number(number: i64) -> Option<Outcome> {
        use Outcome::*;
        [Settled, Failed, Returned, Paid, ChargeFailed, Refunded, Deregistered]
            .into_iter()
            .find(|o| *o as i64 == number)
    }

    pub fn name(self) -> &'static str {
        match self {
            Outcome::Settled => "settled",
            Outcome::Failed => "failed",
            Outcome::Returned => "returned",
            Outcome::Paid => "paid",
            Outcome::ChargeFailed => "charge failed",
            Outcome::Refunded => "refunded",
            Outcome::Deregistered => "deregistered",
        }
    }
}

/// What a notice is about. Notices of one payout, or of one payment, go out in their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Subject {
    Payout(PayoutNo),
    /// A payment, and the call that its outcome is of.
    Charge(ChargeNo, TradeNo),
    Payer(PayerNo),
}

impl Subject {
    /// (number, detail) as stores keep it; which kind it is follows from the outcome.
    pub fn numbers(self) -> (i64, Option<i64>) {
        match self {
            Subject::Payout(no) => (no.0, None),
            Subject::Charge(no, trade) => (no.0, Some(trade.0)),
            Subject::Payer(no) => (no.0, None),
        }
    }

    pub fn from_numbers(outcome: Outcome, number: i64, detail: Option<i64>) -> Option<Subject> {
        Some(match outcome {
            Outcome::Settled | Outcome::Failed | Outcome::Returned => {
                Subject::Payout(PayoutNo(number))
            }
            Outcome::Paid | Outcome::ChargeFailed | Outcome::Refunded => {
                Subject::Charge(ChargeNo(number), TradeNo(detail?))
            }
            Outcome::Deregistered => Subject::Payer(PayerNo(number)),
        })
    }

    pub fn payout(self) -> Option<PayoutNo> {
        match self {
            Subject::Payout(no) => Some(no),
            Subject::Charge(..) | Subject::Payer(_) => None,
        }
    }

    /// The serial that its `webhook-id` is made of: one for each outcome of a subject.
    pub fn serial(self) -> i64 {
        match self {
            Subject::Payout(no) => no.0,
            Subject::Charge(_, trade) => trade.0,
            Subject::Payer(no) => no.0,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum NoticeState {
    Pending = 0,
    Delivered = 1,
    /// The schedule is used up; `ichae webhook resend` starts it again.
    GivenUp = 2,
    /// There was no address to send it to.
    NoAddress = 3,
}

impl NoticeState {
    pub fn from_number(number: i64) -> Option<NoticeState> {
        use NoticeState::*;
        [Pending, Delivered, GivenUp, NoAddress].into_iter().find(|s| *s as i64 == number)
    }

    pub fn name(self) -> &'static str {
        match self {
            NoticeState::Pending => "pending",
            NoticeState::Delivered => "delivered",
            NoticeState::GivenUp => "given-up",
            NoticeState::NoAddress => "no-address",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// Assigned by the store when it is written, in order; zero before.
    pub no: NoticeNo,
    pub partner: PartnerNo,
    pub subject: Subject,
    pub outcome: Outcome,
    pub made_at: Time,
    pub state: NoticeState,
    pub tries: i64,
    pub next_at: Time,
    /// HTTP status of the last try; zero where there was none.
    pub last_status: i64,
    pub last_at: Option<Time>,
}
