//! The server as its callers, its bank and its receivers see it: router, engine, webhooks, admin.
//!
//! Calls go through the router without a socket, over the memory store and the simulated bank, on
//! virtual time. A few tests use a store in a file or a receiver on loopback; they say so.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod admin;
mod answer;
mod app;
mod bad_input;
mod bank;
mod bulk;
mod courier;
mod cpay;
mod distinct_key;
mod engine;
mod execute;
mod folder;
mod golden;
mod groups;
mod hours;
mod isolation;
mod openapi;
mod operators;
mod order;
mod real_name;
mod remain;
mod request;
mod results;
mod secrets;
mod token;
mod tokens;
mod transport;
mod webhooks;
