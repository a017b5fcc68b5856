//! The acquirer port, and the acquirers behind it. Only this crate knows who charges cards and accounts.
//!
//! The engine sees [`port::Acquirer`] and what the domain calls an answer. [`simulated`] is what a
//! sandbox charges through. An acquirer over the network would be a second one beside it.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod port;
pub mod simulated;
