//! What only the store on PostgreSQL must do; and the server that all tests of it share.

mod copy;
mod cuts;
mod nodes;
mod proxy;
mod restore;
pub(crate) mod server;
mod shards;
mod standby;
