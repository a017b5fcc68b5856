//! What operators do: the same requests through the admin socket of a running server, or on a store
//! that this process holds the lock of (decision I3).

pub mod billing;
pub mod client;
mod execute;
mod find;
mod funds;
mod operators;
mod payouts;
pub mod request;
mod rotate;
mod signed;
pub mod socket;
mod timeline;

pub use execute::execute;
pub use request::{AdminError, Envelope, Line, Request, Signature, signed_text};
pub use signed::serve;
