//! A disk that loses power and a disk whose calls fail, under the embedded store: figures 8 and 9.
//!
//! For tests only; nothing that is shipped uses this crate.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod child;
pub mod dice;
pub mod disk;
pub mod facts;
pub mod load;
pub mod pending;
pub mod power;
pub mod site;
pub mod sweep;
pub mod verify;
pub mod vfs;
