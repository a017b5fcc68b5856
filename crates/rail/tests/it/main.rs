//! The rails from outside: what a hub, and whoever checks on it, gets to see.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
mod openbanking;
mod simulated;
