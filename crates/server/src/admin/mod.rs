//! What operators do: the same requests through the admin socket of a running server, or on a store
//! that this process holds the lock of (decision I3).

pub mod client;
mod execute;
pub mod request;
mod rotate;
pub mod socket;

pub use execute::execute;
pub use request::{AdminError, Line, Request};
