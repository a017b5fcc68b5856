//! What can go wrong with the simulated bank itself. None of it reaches the engine as an error.

use ichae_journal::JournalError;

/// Trouble with the journal or with the thread that keeps it.
#[derive(Debug, thiserror::Error)]
pub enum RailError {
    #[error("the simulated bank's journal: {0}")]
    Journal(#[from] rusqlite::Error),
    #[error("the simulated bank's journal: {0}")]
    File(#[from] JournalError),
    #[error("the simulated bank's thread did not start: {0}")]
    Thread(#[from] std::io::Error),
    /// The call's batch was not committed, or the thread has ended.
    #[error("the simulated bank did not keep the call")]
    NotKept,
}
