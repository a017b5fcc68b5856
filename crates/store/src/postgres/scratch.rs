//! Databases that are made for a while: for tests and benchmarks.

use super::link::Link;
use crate::port::StoreError;
use std::sync::Arc;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

/// A database of its own on the server of an address; dropped with the handle.
pub struct ScratchDatabase {
    server: Arc<Link>,
    name: String,
    address: String,
}

impl ScratchDatabase {
    /// `address` names any database of the server, by a role that may make others.
    pub fn make(address: &str, name: &str) -> Result<ScratchDatabase, StoreError> {
        let server = Arc::new(Link::new(address, None, None)?);
        run(&server, format!("CREATE DATABASE {name}"))?;
        Ok(Self::named(server, address, name))
    }

    /// What this one is now, under another name. Nobody may be connected to it; the server waits a while
    /// for those that are just leaving.
    pub fn copy(&self, name: &str) -> Result<ScratchDatabase, StoreError> {
        let server = Arc::clone(&self.server);
        run(&server, format!("CREATE DATABASE {name} TEMPLATE {}", self.name))?;
        Ok(Self::named(server, &self.address, name))
    }

    fn named(server: Arc<Link>, address: &str, name: &str) -> ScratchDatabase {
        let (path, options) = match address.split_once('?') {
            Some((path, options)) => (path, format!("?{options}")),
            None => (address, String::new()),
        };
        let host = path.rsplit_once('/').map_or(path, |(host, _)| host);
        let address = format!("{host}/{name}{options}");
        ScratchDatabase { server, name: name.to_owned(), address }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn link(&self) -> Result<Arc<Link>, StoreError> {
        Ok(Arc::new(Link::new(&self.address, None, None)?))
    }
}

impl Drop for ScratchDatabase {
    fn drop(&mut self) {
        if let Err(error) = run(&self.server, format!("DROP DATABASE {} WITH (FORCE)", self.name)) {
            tracing::warn!(%error, "a database that was made for a while is still there");
        }
    }
}

fn run(server: &Arc<Link>, sql: String) -> Result<(), StoreError> {
    let of = Arc::clone(server);
    server.wait(LIMIT, async move { Ok(of.session().await?.client.batch_execute(&sql).await?) })
}
