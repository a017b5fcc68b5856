//! Webhook notices: one per outcome, written in the outcome's transaction (decision H17).

use crate::ident::{NoticeNo, PartnerNo, PayoutNo};
use crate::time::Time;

/// The outcomes that are told; none for a cancel or an unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Hash)]
pub enum Outcome {
    Settled = 1,
    Failed = 2,
    Returned = 3,
}

impl Outcome {
    pub fn from_number(number: i64) -> Option<Outcome> {
        [Outcome::Settled, Outcome::Failed, Outcome::Returned]
            .into_iter()
            .find(|o| *o as i64 == number)
    }

    pub fn name(self) -> &'static str {
        match self {
            Outcome::Settled => "settled",
            Outcome::Failed => "failed",
            Outcome::Returned => "returned",
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
    pub payout: PayoutNo,
    pub outcome: Outcome,
    pub made_at: Time,
    pub state: NoticeState,
    pub tries: i64,
    pub next_at: Time,
    /// HTTP status of the last try; zero where there was none.
    pub last_status: i64,
    pub last_at: Option<Time>,
}
