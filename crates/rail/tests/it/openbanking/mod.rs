//! The open banking rail: its messages as tables and properties, its transport against a server
//! on this machine.

mod account;
mod arbitrary;
mod corpus;
mod deposit;
mod institution;
mod limits;
mod requests;
mod result;
mod samples;
mod server;
mod token;
mod wire;
