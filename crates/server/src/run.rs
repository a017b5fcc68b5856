//! Wiring and graceful stop: opens store, keys and rail, starts the loops and the listener.

use crate::admin::socket::AdminSocket;
use crate::api;
use crate::api::elsewhere::Forwarder;
use crate::cells::Cells;
use crate::config::{AcquirerKind, Config, Environment, RailKind};
use crate::courier::HttpCourier;
use crate::engine::{Engine, Limits};
use crate::hub::{Hub, Parts};
use crate::listen;
use crate::process;
use crate::reach::Reach;
use crate::store::{self, Store};
use crate::till::Till;
use ichae_acquirer::simulated::SimulatedAcquirer;
use ichae_rail::openbanking::OpenBanking;
use ichae_rail::port::Rail;
use ichae_rail::simulated::SimulatedRail;
use ichae_store::folder::{DataFolder, Lock};
use ichae_store::keys::{KeyFolder, Keys};
use ichae_store::port::{Clock, StoreError};
use ichae_store::seal::Sealer;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

fn refused(text: impl Into<String>) -> StoreError {
    StoreError::Refused(text.into())
}

/// Where things are, from a configuration.
#[derive(Clone, Debug)]
pub struct Places {
    pub data: DataFolder,
    pub keys: KeyFolder,
    /// Which cell is served from there, where there are several.
    pub cell: Option<u8>,
}

impl Places {
    pub fn of(config: &Config) -> Places {
        let data = DataFolder::at(&config.data);
        let keys = KeyFolder::at(&config.keys.clone().unwrap_or_else(|| data.keys()));
        let own = config.cells.iter().find(|cell| Some(&cell.store) == config.store.as_ref());
        Places { data, keys, cell: own.map(|cell| cell.no) }
    }

    pub(crate) fn witness(&self) -> PathBuf {
        // One folder of keys may serve several cells, and each is as far as it is.
        let name = self.cell.map_or("witness".to_owned(), |no| format!("witness-{no}"));
        self.keys.path().join(name)
    }
}

/// Opens the hub of a data folder whose lock is held. With `offline`, nothing reaches a bank: the
/// rail's own journal is left alone.
pub fn open(config: &Config, places: &Places, offline: bool) -> Result<Hub, StoreError> {
    let link = store::link(config)?;
    let keys = load_keys(places, link.is_some())?;
    let sealer = Arc::new(Sealer::new(keys)?);
    let store = Store::open(config, places, link, &sealer)?;
    let (clock, rules) = (store.clock, config.rules());
    if store.rolled_back {
        tracing::error!(
            "the store is older than it was: a new epoch was started and the rail is paused; \
             see `ichae bank status`"
        );
    }
    if store.reader.is_shared() && config.bank.rail == RailKind::Simulated && !offline {
        tracing::warn!(
            "the simulated bank is this node's own: of several nodes only one may have it"
        );
    }
    let file = places.data.bank();
    let rail: Arc<dyn Rail> = match config.bank.rail {
        RailKind::Simulated => {
            let file = (!offline).then_some(file.as_path());
            let rail = SimulatedRail::open(file, Arc::clone(&clock));
            Arc::new(rail.map_err(|error| refused(format!("the simulated bank: {error}")))?)
        }
        RailKind::OpenBanking => Arc::new(open_banking(config, &clock)?),
    };
    let till = if offline { Till::closed() } else { till(config, places)? };
    Hub::new(Parts {
        writer: store.writer,
        reader: store.reader,
        rail,
        sealer,
        clock,
        environment: config.environment,
        reach: reach(config),
        key_folder: Some(places.keys.clone()),
        calendar: rules.calendar,
        operators: config.operators(),
        till,
        cells: Cells::of(store::others(config)?),
    })
}

fn till(config: &Config, places: &Places) -> Result<Till, StoreError> {
    match config.billing.acquirer {
        AcquirerKind::None => Ok(Till::closed()),
        AcquirerKind::Simulated => {
            let acquirer = SimulatedAcquirer::open(&places.data.acquirer());
            let acquirer =
                acquirer.map_err(|error| refused(format!("the simulated acquirer: {error}")))?;
            let timeout = Duration::from_secs(u64::from(config.billing.timeout_s));
            Ok(Till::new(Arc::new(acquirer), timeout))
        }
    }
}

/// The key folder's keys. Fresh ones are made only for a store that is not there yet. Whether there is one
/// elsewhere the store tells: keys that were made here do not open one that is.
fn load_keys(places: &Places, elsewhere: bool) -> Result<Keys, StoreError> {
    if places.keys.exists() {
        return places.keys.load();
    }
    if elsewhere {
        let path = places.keys.path().display();
        places.data.create()?;
        tracing::warn!(%path, "fresh keys: a second node needs a copy of them");
        return places.keys.create();
    }
    if places.data.store().exists() {
        let path = places.keys.path().display();
        return Err(refused(format!("the store has no keys: {path} is missing, restore it")));
    }
    places.data.create()?;
    places.keys.create()
}

fn open_banking(config: &Config, clock: &Clock) -> Result<OpenBanking, StoreError> {
    let missing = || refused("bank.rail is openbanking: give the table [bank.openbanking]");
    let table = config.bank.openbanking.as_ref().ok_or_else(missing)?;
    let in_flight = config.bank.in_flight as usize;
    let settings = table.settings(config.bank_timeout(), in_flight).map_err(refused)?;
    OpenBanking::new(settings, Arc::clone(clock))
        .map_err(|error| refused(format!("the open banking rail: {error}")))
}

/// How long the engine waits for a call at most. The open banking rail bounds each of its requests by
/// itself: a wait for a place, then the time-out; a deposit may take four of them, for a token that is
/// refused, and a check of the receiver as many.
fn patience(config: &Config) -> Duration {
    match &config.bank.openbanking {
        Some(table) if table.receive_check => config.bank_timeout() * 16,
        Some(_) => config.bank_timeout() * 8,
        None => config.bank_timeout(),
    }
}

fn reach(config: &Config) -> Reach {
    match config.environment {
        Environment::Live => Reach::Public,
        Environment::Test => Reach::Test { private: config.webhooks.allow_private },
    }
}

/// A running server.
pub struct Server {
    pub address: SocketAddr,
    pub hub: Arc<Hub>,
    stop: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<()>,
    admin: tokio::task::JoinHandle<()>,
    engine: Engine,
    _lock: Lock,
}

impl Server {
    /// Starts everything. When it returns, the API answers.
    pub async fn start(
        config: &Config,
        places: &Places,
        hub: Hub,
        lock: Lock,
    ) -> Result<Server, StoreError> {
        process::raise_file_limit();
        let hub = Arc::new(hub);
        let tls = match &config.tls {
            Some(tls) => {
                Some(listen::acceptor(&tls.certificate, &tls.private_key).map_err(refused)?)
            }
            None => None,
        };
        let at = config.server.listen;
        let listener = TcpListener::bind(at).await.map_err(|source| StoreError::Io {
            what: format!("{at} cannot be listened on"),
            source,
        })?;
        let address = listener.local_addr().unwrap_or(at);
        let admin = AdminSocket::bind(&places.data.admin_socket())?;
        let webhook_timeout = Duration::from_secs(u64::from(config.webhooks.timeout_s));
        let courier = HttpCourier::new(hub.reach, webhook_timeout)
            .map_err(|error| refused(format!("webhooks cannot be sent: {error}")))?;
        let limits =
            Limits { bank_timeout: patience(config), in_flight: config.bank.in_flight as usize };
        let engine = Engine::start(&hub, Arc::new(courier), limits).await?;
        let (stop, stopped) = watch::channel(false);
        let router = api::router(api_state(config, &hub, stopped.clone())?);
        let limits = listen_limits(config);
        let serving =
            listen::serve(listener, router, tls, limits, Arc::clone(&hub), stopped.clone());
        let admin = tokio::spawn(admin.serve(Arc::clone(&hub), stopped));
        Ok(Server {
            address,
            serving: tokio::spawn(serving),
            admin,
            hub,
            stop,
            engine,
            _lock: lock,
        })
    }

    /// Drains the API within ten seconds, claims no more, gives open bank calls their time-out, and
    /// writes what waits.
    pub async fn stop(self) {
        // Receivers live as long as the tasks that hold them.
        let _ = self.stop.send(true);
        let engine = tokio::spawn(self.engine.stop());
        for task in [self.serving, self.admin, engine] {
            if let Err(error) = task.await {
                tracing::error!(%error, "a part did not stop in order");
            }
        }
        let hub = self.hub;
        let closed = tokio::task::spawn_blocking(move || hub.writer.close()).await;
        if closed.is_err() {
            tracing::error!("the writer did not close in order");
        }
    }
}

fn api_state(
    config: &Config,
    hub: &Arc<Hub>,
    draining: watch::Receiver<bool>,
) -> Result<api::Api, StoreError> {
    let server = &config.server;
    // Longer than any call may take that waits for a bank.
    let forwarder = Forwarder::new(patience(config) + Duration::from_secs(10));
    let forwarder =
        forwarder.map_err(|error| refused(format!("calls cannot be sent on: {error}")))?;
    Ok(api::Api::new(api::Parts {
        hub: Arc::clone(hub),
        limiter: api::call::limiter(server.requests_per_second),
        settings: api::Settings {
            body_timeout: Duration::from_secs(u64::from(server.body_timeout_s)),
            trusted_proxies: server.trusted_proxies.clone(),
            requests_per_second: server.requests_per_second,
            docs: server.docs,
            try_it: config.environment == Environment::Test,
            public_url: config.billing.public_url.clone(),
            tls: config.tls.is_some(),
        },
        draining,
        bulk: Arc::new(tokio::sync::Semaphore::new(api::bulk::CALLS_MAX)),
        forwarder,
    }))
}

fn listen_limits(config: &Config) -> listen::Limits {
    let server = &config.server;
    listen::Limits {
        connections: server.connections as usize,
        header_timeout: Duration::from_secs(u64::from(server.header_timeout_s)),
        idle_timeout: Duration::from_secs(u64::from(server.idle_timeout_s)),
    }
}
