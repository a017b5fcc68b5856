//! The embedded store: one SQLite file, one writer, readers beside it.

mod append;
pub mod backup;
mod batch;
mod billing;
mod cache;
pub mod check;
mod distinct;
mod doubt;
mod open;
mod persist;
mod read;
mod reseal;
mod row;
pub(crate) mod sent;
mod statements;
#[cfg(test)]
mod tests;
mod unique;

pub(crate) use batch::next_serial;
pub use distinct::KEYS_IN_MEMORY;
pub use open::{Opened, Settings, environment, latest, open};
pub use read::SqliteReader;

/// Older SQLite versions can lose commits when a WAL is reset (fixed in 3.51.3).
pub const SQLITE_MIN: i32 = 3_051_003;
