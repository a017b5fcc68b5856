//! What the hub keeps of a rail: its stop switch, its counter, how far its notices were read.

use crate::time::Time;

/// The stop switch (decision M3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pause {
    pub at: Time,
    /// Who paused it: an operator, or the engine on own-side trouble.
    pub by: String,
    pub reason: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rail {
    pub pause: Option<Pause>,
    /// The next counter of a `bank_tran_id` in this epoch. Persistent, never reused.
    pub bank_counter: i64,
    /// The number of the bank's last late notice that was taken in.
    pub notices_seen: i64,
}
