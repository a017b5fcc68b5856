//! Everything that listens or loops: the API, the engine, auth, webhooks, the admin socket, metrics.
//!
//! **Architecture Invariant:** `engine` has no HTTP types, so that a simulator can drive it; only
//! `api` and `listen` know the HTTP framework; nothing here prints.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod admin;
pub mod api;
pub mod auth;
pub mod cells;
pub mod clock;
pub mod config;
pub mod courier;
pub mod directory;
pub mod engine;
pub mod hub;
pub mod listen;
pub mod metrics;
pub mod open_banking;
pub mod process;
pub mod reach;
pub mod receive;
pub mod run;
pub mod secrets;
pub mod store;
pub mod till;
pub mod token;
