//! What can go wrong with the simulator itself. A caller sees none of it but a lost connection.

use ichae_journal::JournalError;
use std::net::SocketAddr;

/// Trouble with the listener, the journal or the thread that keeps it.
#[derive(Debug, thiserror::Error)]
pub enum KftcError {
    #[error("the bank simulator cannot listen on {address}: {error}")]
    Listen { address: SocketAddr, error: std::io::Error },
    #[error("the bank simulator's journal: {0}")]
    Journal(#[from] rusqlite::Error),
    #[error("the bank simulator's journal: {0}")]
    File(#[from] JournalError),
    #[error("the bank simulator's thread did not start: {0}")]
    Thread(#[from] std::io::Error),
    /// The call's batch was not committed, or the thread has ended.
    #[error("the bank simulator did not keep the call")]
    NotKept,
}
