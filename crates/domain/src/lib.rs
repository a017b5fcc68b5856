//! The pure core of ichae: what a command does, and nothing else.
//!
//! No I/O, no clock, no randomness, no serialisation: identifiers and time come in with the
//! command, rows come in with the [`view::View`], and [`decide::decide`] says what to write.
//! The embedded store, the memory store, the simulator and the property tests all run it.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod audit;
pub mod bank;
pub mod banks;
pub mod billing;
pub mod calendar;
pub mod code;
pub mod command;
pub mod decide;
pub mod group;
pub mod ident;
pub mod key;
pub mod ledger;
pub mod matter;
pub mod money;
pub mod notice;
pub mod operator;
pub mod partner;
pub mod payout;
pub mod rail;
pub mod refusal;
pub mod retry;
pub mod text;
pub mod time;
pub mod view;
