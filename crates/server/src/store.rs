//! Which store a configuration names, opened.

use crate::clock;
use crate::config::{Config, Environment};
use crate::run::Places;
use ichae_store::port::{Backend, Clock, Reader, StoreError};
use ichae_store::postgres::{self, Link};
use ichae_store::seal::Sealer;
use ichae_store::sqlite;
use std::sync::Arc;

/// An open store, whichever it is.
pub(crate) struct Store {
    pub backend: Box<dyn Backend>,
    pub reader: Arc<dyn Reader>,
    pub clock: Clock,
    /// It was found to be older than it was (decision I1).
    pub rolled_back: bool,
}

/// The database that a configuration names; `None`: the store is a file in the data folder.
pub fn link(config: &Config) -> Result<Option<Arc<Link>>, StoreError> {
    let Some(address) = &config.store else { return Ok(None) };
    let password = match &config.store_password_file {
        Some(path) => {
            Some(crate::secrets::read("store_password_file", path).map_err(StoreError::Refused)?)
        }
        None => None,
    };
    let link = Link::new(address, password.as_ref(), config.store_ca.as_deref())?;
    if config.environment == Environment::Live && link.in_the_clear() {
        let text = "LIVE needs TLS to its store: name the certificates of the database in store_ca";
        return Err(StoreError::Refused(text.to_owned()));
    }
    Ok(Some(Arc::new(link)))
}

impl Store {
    pub fn open(
        config: &Config,
        places: &Places,
        link: Option<Arc<Link>>,
        sealer: &Arc<Sealer>,
    ) -> Result<Store, StoreError> {
        match link {
            Some(link) => Store::on_postgres(config, places, link, sealer),
            None => Store::on_sqlite(config, places, sealer),
        }
    }

    fn on_sqlite(
        config: &Config,
        places: &Places,
        sealer: &Arc<Sealer>,
    ) -> Result<Store, StoreError> {
        // Never below the latest time that the store has written down (decision H5).
        let clock = clock::start(sqlite::latest(&places.data.store())?);
        let settings = sqlite::Settings {
            file: places.data.store(),
            environment: config.environment.name(),
            rules: config.rules(),
            clock: Arc::clone(&clock),
            witness: Some(places.witness()),
            keys_in_memory: sqlite::KEYS_IN_MEMORY,
        };
        let opened = sqlite::open(settings, sealer)?;
        let (backend, reader) = (Box::new(opened.backend), Arc::new(opened.reader));
        Ok(Store { backend, reader, clock, rolled_back: opened.rolled_back })
    }

    fn on_postgres(
        config: &Config,
        places: &Places,
        link: Arc<Link>,
        sealer: &Arc<Sealer>,
    ) -> Result<Store, StoreError> {
        let clock = clock::start(postgres::latest(&link)?);
        let settings = postgres::Settings {
            link,
            environment: config.environment.name(),
            rules: config.rules(),
            clock: Arc::clone(&clock),
            witness: Some(places.witness()),
            node: node(config),
        };
        let opened = postgres::open(settings, sealer)?;
        let (backend, reader) = (Box::new(opened.backend), Arc::new(opened.reader));
        Ok(Store { backend, reader, clock, rolled_back: opened.rolled_back })
    }
}

/// What this node is called: by the file, or by its machine and data folder, which one process holds.
pub fn node(config: &Config) -> String {
    if let Some(name) = &config.node {
        return name.clone();
    }
    let system = rustix::system::uname();
    let data = std::path::absolute(&config.data).unwrap_or_else(|_| config.data.clone());
    format!("{}:{}", system.nodename().to_string_lossy(), data.display())
}
