//! Groups: what is executed or cancelled together (decision H7).
//!
//! A group keeps the count and the sum of what waits in it, so that ALL on a hundred thousand rows
//! costs what ALL on one costs.

use crate::ident::{GroupNo, PartnerNo};
use crate::money::Won;
use crate::time::Time;

/// Requests that one group takes before the next opens.
pub const GROUP_ROWS_MAX: i64 = 1_000_000;

/// What rows without a state of their own are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Takes new requests.
    Open = 0,
    /// Takes none; what waits can still be executed or cancelled.
    Closed = 1,
    Executing = 2,
    Canceled = 3,
    /// Takes the rows of its own bulk call and nothing else.
    Filling = 4,
}

impl Mode {
    pub const ALL: [Mode; 5] =
        [Mode::Open, Mode::Closed, Mode::Executing, Mode::Canceled, Mode::Filling];

    pub fn from_number(number: i64) -> Option<Mode> {
        Mode::ALL.into_iter().find(|m| *m as i64 == number)
    }

    pub fn name(self) -> &'static str {
        match self {
            Mode::Open => "open",
            Mode::Closed => "closed",
            Mode::Executing => "executed",
            Mode::Canceled => "canceled",
            Mode::Filling => "filling",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    pub no: GroupNo,
    pub partner: PartnerNo,
    pub opened_at: Time,
    pub mode: Mode,
    /// Requests ever taken.
    pub rows: i64,
    /// What waits: count and sum. Zero once the mode is `Executing` or `Canceled`.
    pub waiting: i64,
    pub waiting_sum: Won,
    /// Rows that an ALL executed and the engine has not claimed yet.
    pub unclaimed: i64,
    /// Where the webhooks of an executed ALL go, if it named an address (TEST).
    pub webhook_url: Option<String>,
}

impl Group {
    pub fn open(no: GroupNo, partner: PartnerNo, at: Time) -> Group {
        Group::new(no, partner, at, Mode::Open)
    }

    /// A group of a bulk call's own.
    pub fn filling(no: GroupNo, partner: PartnerNo, at: Time) -> Group {
        Group::new(no, partner, at, Mode::Filling)
    }

    fn new(no: GroupNo, partner: PartnerNo, at: Time, mode: Mode) -> Group {
        Group {
            no,
            partner,
            opened_at: at,
            mode,
            rows: 0,
            waiting: 0,
            waiting_sum: Won::ZERO,
            unclaimed: 0,
            webhook_url: None,
        }
    }
}
