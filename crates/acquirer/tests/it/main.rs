//! The simulated acquirer from outside: what a hub, and whoever checks on it, gets to see.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
mod file;
mod register;
mod rules;
mod scenarios;
