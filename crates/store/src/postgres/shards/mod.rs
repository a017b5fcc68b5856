//! Cells and shards: which cluster has which of the 1,024 logical shards, and moving one.
//!
//! Each cell is a PostgreSQL cluster with its nodes, its leases and its engine; they share nothing but the
//! keys. What a cell has stands in its own table, and a partner's ledger says whether the partner is here:
//! every batch locks it, so that a node, or a router, with an old map is refused by the cell itself
//! (docs/adr/0024).

mod carry;
mod init;
mod map;
mod mover;
mod parts;
mod peer;

pub use init::{Made, init};
pub use map::{Cell, Shard, State, Whole, list};
pub use mover::{Moved, Step, move_shard};
pub use peer::{Owned, Peer};

pub(super) use init::go_on_above;
pub(super) use map::{open_brought, settle, thaw};

/// Of a partner whose shard is not served here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Away {
    /// For a moment: either it comes back or it is gone.
    Frozen = 1,
    Gone = 2,
    Arriving = 3,
}

impl Away {
    /// `Some(None)`: here.
    pub fn from_number(number: i64) -> Option<Option<Away>> {
        match number {
            0 => Some(None),
            1 => Some(Some(Away::Frozen)),
            2 => Some(Some(Away::Gone)),
            3 => Some(Some(Away::Arriving)),
            _ => None,
        }
    }
}

/// That a partner's shard is served here: for reads that look over all partners.
pub(super) fn served(column: &str) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM shards s WHERE s.shard = mod({column}, 1024) \
         AND (s.state >= 2 OR s.cell <> (SELECT c.cell FROM store c)))"
    )
}

/// What a node of this version knows how to do, as its row says.
pub(super) const KNOWS: i32 = 2;
/// Held for as long as a shard moves from or to a cell, and while rows are sealed under another key.
pub(super) const MOVING: i64 = 0x6963_6861_6501;
