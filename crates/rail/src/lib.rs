//! The bank port, and the banks behind it. Only this crate knows banks.
//!
//! The engine sees [`port::Rail`] and what the domain calls an answer; how a bank is reached and
//! what its messages look like stays behind that line.
//!
//! [`simulated`] is what a sandbox pays through; [`openbanking`] is the KFTC's open banking, in two
//! parts: a codec without I/O and one transport file, the only one that opens a connection to a
//! bank. Nothing outside this crate knows either.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod openbanking;
pub mod port;
pub mod simulated;
