//! Reconciliation: a bank's statement or settlement file held against the hub's own rows
//! (figure 7).
//!
//! Nothing here opens a file, asks a store or changes a row. The caller gives the bytes of the
//! statement, a [`Map`] that says which column is which, and the hub's rows of the days in
//! question; back comes a [`Report`] of what differs, with a proposal for each finding.
//!
//! # Memory
//!
//! The statement is streamed. In memory are the hub's rows of the period and of the days next to
//! it, 56 bytes each, and what differs: a hub with a hundred million rows gives only those of the
//! period. Ids in the file that the hub does not know are kept up to
//! [`Options::strays_max`], and one more ends the run; findings are kept up to [`Options::keep`] a
//! class, and all are counted.
//!
//! # Privacy
//!
//! A statement holds account numbers and names. Of a line only its number, the names that the map
//! gives its columns, and an id of the form of a `bank_tran_id` come into a report or an error.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod book;
mod class;
mod error;
mod field;
mod ident;
mod json;
mod judge;
mod lines;
mod map;
mod report;
mod run;
mod sheet;
mod statement;
mod text;

pub use book::{Ours, STRAYS_MAX};
pub use class::{Class, Evidence, Kind, Outcome, Proposal, Why, Word};
pub use error::{MapError, ReconcileError};
pub use ident::{Id, IdError, bank_no};
pub use map::{Map, SAMPLE};
pub use report::{Days, Finding, Findings, OurSide, Report, Rows, Sum, TheirSide, Unreadable};
pub use run::{Options, Survey, reconcile, survey};
