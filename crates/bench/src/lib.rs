//! What `ichae bench` measures: each rate beside its yardstick, in the same run.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod callers;
pub mod child;
pub mod http;
pub mod load;
pub mod plan;
mod receiver;
pub mod report;
pub mod site;
pub mod suite;
pub mod yardstick;

use ichae_store::port::StoreError;

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("a connection or the store was closed before its answer")]
    Closed,
    #[error("an answer could not be read")]
    Unreadable,
    #[error("not done within the time limit")]
    Late,
    #[error("the server did not start: {0}")]
    NotStarted(String),
    #[error("the store refused with {0}")]
    Refused(String),
    #[error("an answer was not what it has to be: {0}")]
    Wrong(String),
}
