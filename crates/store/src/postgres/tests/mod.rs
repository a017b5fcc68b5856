//! What only the store on PostgreSQL must do; and the server that all tests of it share.

pub(crate) mod server;
