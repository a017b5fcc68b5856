//! The binary as a user runs it, and the house as a newcomer finds it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests say what they expect")]

mod bank;
mod billing;
mod cells;
mod check;
mod docs;
mod durability;
mod explain;
mod house;
mod partners;
mod postgres;
mod process;
mod sandbox;
mod serve;
mod tour;
