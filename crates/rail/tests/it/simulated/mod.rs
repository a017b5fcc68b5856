//! The simulated bank.

mod file;
mod journal;
mod rail;
mod scenarios;
