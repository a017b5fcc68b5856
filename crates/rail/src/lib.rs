//! The bank port, and the simulated bank behind it. Only this crate knows banks.
//!
//! The engine sees [`port::Rail`] and what the domain calls an answer; how a bank is reached and
//! what its messages look like stays behind that line.
//!
//! # Where a real rail goes
//!
//! The rail to the KFTC's open banking is not built yet. It gets a module of its own beside
//! [`simulated`], in two parts:
//!
//! - a codec without I/O: `request(&Attempt) -> Frame` writes what goes out, and
//!   `read(Frame | Timeout) -> Answer` says what came back. Every way in which an answer can be
//!   late, cut, repeated or nonsense is then a table of tests that needs no socket;
//! - one transport file, the only one that opens a connection to a bank. It says whether a byte
//!   left before a failure, because only that decides between "not sent" and "unknown"
//!   (decision H13).
//!
//! Both together implement [`port::Rail`]. Nothing outside this crate changes for it.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod port;
pub mod simulated;
