//! Stores: the port, its adapters, sealing, and the one conformance suite.
//!
//! A store takes the orders that are waiting, loads the rows they name, decides one after another,
//! writes everything and commits once; answers go out after the commit is durable.
//!
//! **Architecture Invariant:** only this crate knows SQL. It knows no HTTP, no bank and no wire name.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod billing;
mod board;
#[cfg(test)]
mod conformance;
pub mod folder;
pub mod keys;
pub mod lookups;
pub mod memory;
mod model;
pub mod port;
pub mod postgres;
mod prints;
pub mod queue;
mod recount;
pub mod report;
mod rows;
pub mod seal;
pub mod sent;
pub mod sqlite;
pub mod witness;
