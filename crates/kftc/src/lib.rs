//! A bank to test against. It speaks the HTTP protocol of the KFTC's open banking (openbanking 1
//! to 11), keeps what it did in a journal on disk, and goes wrong on order.
//!
//! It is the other side of the wire, so it shares no message with any client: its fields are
//! written down here once more, from the reference, and a client's mistake shows as a refusal.
//! It pays whatever it is told to pay, as often as it is told: preventing a double send is the
//! hub's work, and the journal is there to show where that failed.
//!
//! Where the public documents are silent it does what `docs/guide/bank-simulator.md` says, and
//! that is our choice, never the KFTC's word.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod answer;
mod bank;
mod calls;
mod clock;
mod control;
mod deal;
mod dealer;
mod desk;
mod error;
pub mod fault;
mod form;
mod gate;
pub mod journal;
mod line;
mod listen;
pub mod plan;
mod route;
mod settings;
mod simulator;
mod token;

pub use error::KftcError;
pub use journal::audit::{Summary, read_journal};
pub use plan::{Plan, PlanError};
pub use settings::{
    CLIENT_ID, CLIENT_SECRET, CONTRACT_ACCOUNT, Hours, INSTITUTION, PASS_PHRASE, Settings,
};
pub use simulator::Simulator;
