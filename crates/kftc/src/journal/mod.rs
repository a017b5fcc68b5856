//! The journal: a SQLite file of the simulator's own. What a call did is committed to it before
//! the call is answered, so it says what really happened, whoever was killed when.

pub mod audit;
pub(crate) mod statement;
pub(crate) mod write;

use ichae_journal::Kind;

/// `icK1`.
const KIND: Kind = Kind { application_id: 0x6963_4b31, steps: &[include_str!("journal_1.sql")] };
