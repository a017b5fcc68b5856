//! The simulator over loopback, with literal messages: no codec is shared with it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod calls;
mod control;
mod faults;
mod inquiries;
mod plans;
mod site;
mod tokens;
