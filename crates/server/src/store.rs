//! Which store a configuration names, opened.

use crate::clock;
use crate::config::{CellConfig, Config, Environment};
use crate::run::Places;
use ichae_store::port::{Backend, Clock, Reader, StoreError};
use ichae_store::postgres::shards::{Cell, Peer};
use ichae_store::postgres::{self, Link};
use ichae_store::queue::Writer;
use ichae_store::seal::Sealer;
use ichae_store::sqlite;
use std::sync::Arc;

/// An open store, whichever it is.
pub(crate) struct Store {
    pub writer: Writer,
    pub reader: Arc<dyn Reader>,
    pub clock: Clock,
    /// It was found to be older than it was (decision I1).
    pub rolled_back: bool,
}

/// The database that a configuration names; `None`: the store is a file in the data folder.
pub fn link(config: &Config) -> Result<Option<Arc<Link>>, StoreError> {
    config.store.as_ref().map(|address| link_to(config, address)).transpose()
}

/// Every cell that a configuration names.
pub fn cells(config: &Config) -> Result<Vec<Cell>, StoreError> {
    let cell = |cell: &CellConfig| Ok(Cell { no: cell.no, link: link_to(config, &cell.store)? });
    config.cells.iter().map(cell).collect()
}

/// The other cells, each with the address of its nodes.
pub(crate) fn others(config: &Config) -> Result<Vec<(Arc<Peer>, String)>, StoreError> {
    let others = config.cells.iter().filter(|cell| Some(&cell.store) != config.store.as_ref());
    let other = |cell: &CellConfig| {
        Ok((Peer::new(cell.no, link_to(config, &cell.store)?), cell.url.clone()))
    };
    others.map(other).collect()
}

/// A node that does not know of the other cells would serve what they have got since.
fn is_what_it_is_called(config: &Config, is: Option<u8>) -> Result<(), StoreError> {
    let named = config.cells.iter().find(|cell| Some(&cell.store) == config.store.as_ref());
    let refused = |text: String| Err(StoreError::Refused(text));
    match (named.map(|cell| cell.no), is) {
        (named, is) if named == is => Ok(()),
        (None, Some(is)) => refused(format!(
            "this store is cell {is} of an installation: name every cell in `cells`"
        )),
        (Some(named), None) => refused(format!(
            "this store is to be cell {named} and is none yet: run `ichae shard init` once"
        )),
        (named, is) => refused(format!(
            "this store is cell {}, not cell {}: look at `cells`",
            is.unwrap_or_default(),
            named.unwrap_or_default()
        )),
    }
}

fn link_to(config: &Config, address: &str) -> Result<Arc<Link>, StoreError> {
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
    Ok(Arc::new(link))
}

impl Store {
    pub fn open(
        config: &Config,
        places: &Places,
        link: Option<Arc<Link>>,
        sealer: &Arc<Sealer>,
    ) -> Result<Store, StoreError> {
        match link {
            Some(link) => {
                let store = Store::on_postgres(config, places, link, sealer)?;
                is_what_it_is_called(config, store.reader.epochs()?.cell())?;
                Ok(store)
            }
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
        let writer = Writer::start(Box::new(opened.backend))?;
        let reader = Arc::new(opened.reader);
        Ok(Store { writer, reader, clock, rolled_back: opened.rolled_back })
    }

    fn on_postgres(
        config: &Config,
        places: &Places,
        link: Arc<Link>,
        sealer: &Arc<Sealer>,
    ) -> Result<Store, StoreError> {
        let clock = clock::start(postgres::latest(&link)?);
        let peers: Vec<Arc<Peer>> = others(config)?.into_iter().map(|(peer, _)| peer).collect();
        let settings = |node: String, one_by_one| postgres::Settings {
            link: Arc::clone(&link),
            environment: config.environment.name(),
            rules: config.rules(),
            clock: Arc::clone(&clock),
            witness: Some(places.witness()),
            node,
            one_by_one,
            peers: peers.clone(),
        };
        let test = config.environment == Environment::Test;
        let Some(count) = one_by_one().filter(|_| test) else {
            let opened = postgres::open(settings(node(config), false), sealer)?;
            let writer = Writer::start(Box::new(opened.backend))?;
            let reader = Arc::new(opened.reader);
            return Ok(Store { writer, reader, clock, rolled_back: opened.rolled_back });
        };
        let opened = postgres::open(settings(node(config), true), sealer)?;
        let mut backends: Vec<Box<dyn Backend>> = vec![Box::new(opened.backend)];
        for at in 1..count {
            let more = postgres::open(settings(format!("{}/{at}", node(config)), true), sealer)?;
            backends.push(Box::new(more.backend));
        }
        let (writer, reader) = (Writer::one_by_one(backends)?, Arc::new(opened.reader));
        Ok(Store { writer, reader, clock, rolled_back: opened.rolled_back })
    }
}

/// Set by the benchmark only: so many connections, each with one request in a transaction, statement by
/// statement. What group commit is measured beside.
pub const ONE_BY_ONE: &str = "ICHAE_BENCH_ONE_BY_ONE";

fn one_by_one() -> Option<usize> {
    std::env::var(ONE_BY_ONE).ok()?.parse().ok()
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
