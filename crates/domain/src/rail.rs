//! What the hub keeps of a rail: its stop switch, its counter, how far its notices were read, and
//! what the bank said to be there.

use crate::money::Won;
use crate::time::Time;

/// The stop switch (decision M3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pause {
    pub at: Time,
    /// Who paused it: an operator, or the engine on own-side trouble.
    pub by: String,
    pub reason: String,
}

/// One payout that operators hold back (decision M3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hold {
    pub at: Time,
    pub by: String,
    pub reason: String,
}

/// What the settlement account held, as an operator entered it or a statement brought it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Balance {
    /// May be below zero: an overdraft.
    pub amount: Won,
    /// The moment that it is of.
    pub at: Time,
    pub by: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rail {
    pub pause: Option<Pause>,
    /// The next counter of a `bank_tran_id` in this epoch. Persistent, never reused.
    pub bank_counter: i64,
    /// The number of the bank's last late notice that was taken in.
    pub notices_seen: i64,
    pub balance: Option<Balance>,
}
