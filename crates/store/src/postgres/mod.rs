//! The store of an installation that outgrew one machine: PostgreSQL, several nodes, several cells.

mod batch;
mod billing;
pub mod check;
mod confirm;
pub mod copy;
mod decided;
mod flush;
mod link;
mod load;
mod nodes;
mod open;
mod pipeline;
mod pool;
mod rare;
mod read;
mod reseal;
mod row;
pub mod scratch;
pub(crate) mod sent;
mod serials;
pub mod shards;
#[cfg(test)]
pub(crate) mod tests;
mod wanted;

pub use batch::PostgresBackend;
pub use link::Link;
pub use open::{Opened, Settings, latest, migrate, open};
pub use pool::PostgresReader;

/// Whether an error says that the database went away.
pub(crate) fn is_lost(error: &crate::port::StoreError) -> bool {
    link::fate(error) == link::Fate::Lost
}
