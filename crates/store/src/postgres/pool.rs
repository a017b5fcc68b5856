//! The pool of read connections: every read is one statement, on the primary, and told only when it is
//! confirmed.

use super::confirm::Confirmer;
use super::link::{Link, Server, Session};
use super::nodes::Node;
use crate::port::StoreError;
use crate::seal::Sealer;
use arc_swap::ArcSwap;
use deadpool::Runtime;
use deadpool::managed::{
    Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult, Timeouts,
};
use ichae_domain::ident::Epochs;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio_postgres::Row as Found;
use tokio_postgres::types::ToSql;

/// Connections for reads at most.
const POOL_MAX: usize = 16;
/// How long a read waits for a connection: callers are told to come again rather than kept.
const PATIENCE: Duration = Duration::from_millis(800);
/// How long a read may take, by the server's own clock.
const SERVER: Duration = Duration::from_millis(2_500);
/// What takes longer is taken to be gone, and its connection with it: a frozen machine says nothing and
/// closes nothing.
const LIMIT: Duration = Duration::from_secs(3);
/// For all tries together, and the waits before them.
const ALL: Duration = Duration::from_secs(8);
/// Times that one is read again because another server leads now.
const TRIES: usize = 3;

/// Values of a statement.
pub(super) type Params = Vec<Box<dyn ToSql + Sync + Send>>;

macro_rules! params {
    ($($value:expr),* $(,)?) => {
        vec![$(Box::new($value) as Box<dyn tokio_postgres::types::ToSql + Sync + Send>),*]
    };
}
pub(super) use params;

pub struct PostgresReader {
    link: Arc<Link>,
    source: Source,
    pub(super) epochs: Arc<ArcSwap<Epochs>>,
    pub(super) sealer: Arc<Sealer>,
    pub(super) node: Arc<Node>,
}

type Read<T> = Result<T, StoreError>;

/// `LIMIT` as the database takes it.
pub(super) fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl PostgresReader {
    pub(super) fn new(
        link: Arc<Link>,
        epochs: Arc<ArcSwap<Epochs>>,
        sealer: Arc<Sealer>,
        node: &Arc<Node>,
    ) -> Read<PostgresReader> {
        let patience = Some(PATIENCE);
        let pool = Pool::builder(Sessions(Arc::downgrade(&link)))
            .max_size(POOL_MAX)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts { wait: patience, create: patience, recycle: patience })
            .build()
            .map_err(|error| StoreError::Refused(format!("the pool of connections: {error}")))?;
        let confirmer = Arc::new(Confirmer::start(&link, node.no));
        let source = Source { pool, confirmer, map: Arc::new(AtomicI64::new(0)) };
        Ok(PostgresReader { link, source, epochs, sealer, node: Arc::clone(node) })
    }

    /// The newest map of shards that a read was confirmed under.
    pub(super) fn newest_map(&self) -> i64 {
        self.source.map.load(Ordering::SeqCst)
    }

    pub(super) fn node(&self) -> i64 {
        self.node.no
    }

    pub(super) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// What of the shards is this node's: (how many nodes, which of them).
    pub(super) fn share(&self) -> (i64, i64) {
        let (place, count) = self.node.share();
        (count, place)
    }

    fn read(&self, sql: String, params: Params, confirm: Confirm) -> Read<Vec<Found>> {
        let source = self.source.clone();
        self.link.wait(ALL, async move { source.read(&sql, &params, confirm).await })
    }

    pub(super) fn ask(&self, sql: String, params: Params) -> Read<Vec<Found>> {
        self.read(sql, params, Confirm::Always)
    }

    /// What nobody is told, and nothing is done for by itself.
    pub(super) fn hint(&self, sql: String, params: Params) -> Read<Vec<Found>> {
        self.read(sql, params, Confirm::Never)
    }

    /// What there is to do, looked for again and again: where nothing is found nothing is told.
    pub(super) fn work<T>(
        &self,
        sql: String,
        params: Params,
        map: impl FnMut(&Found) -> Read<T>,
    ) -> Read<Vec<T>> {
        self.read(sql, params, Confirm::WhatIsFound)?.iter().map(map).collect()
    }

    pub(super) fn all<T>(
        &self,
        sql: String,
        params: Params,
        map: impl FnMut(&Found) -> Read<T>,
    ) -> Read<Vec<T>> {
        self.ask(sql, params)?.iter().map(map).collect()
    }

    pub(super) fn one<T>(
        &self,
        sql: String,
        params: Params,
        map: impl FnMut(&Found) -> Read<T>,
    ) -> Read<Option<T>> {
        self.ask(sql, params)?.first().map(map).transpose()
    }
}

/// Sessions of the pool.
struct Sessions(Weak<Link>);

impl Manager for Sessions {
    type Type = Session;
    type Error = StoreError;

    async fn create(&self) -> Read<Session> {
        let link = self.0.upgrade().ok_or(StoreError::Busy)?;
        link.bounded(SERVER).await
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<StoreError> {
        let doubted = self.0.upgrade().is_none_or(|link| link.doubts(&session.server));
        match session.client.is_closed() || doubted {
            false => Ok(()),
            true => Err(RecycleError::message("closed, or on a server in doubt")),
        }
    }
}

/// Whether what is read waits for a standby's word.
#[derive(Clone, Copy)]
enum Confirm {
    /// Also that there is nothing.
    Always,
    WhatIsFound,
    Never,
}

/// Where reads come from.
#[derive(Clone)]
struct Source {
    pool: Pool<Sessions>,
    confirmer: Arc<Confirmer>,
    map: Arc<AtomicI64>,
}

impl Source {
    /// Of the server that leads, where it is confirmed.
    async fn read(&self, sql: &str, params: &Params, confirm: Confirm) -> Read<Vec<Found>> {
        for _ in 0..TRIES {
            let (found, server) = self.ask(sql, params).await?;
            let told = match confirm {
                Confirm::Always => true,
                Confirm::WhatIsFound => !found.is_empty(),
                Confirm::Never => false,
            };
            if !told {
                return Ok(found);
            }
            let (confirmed, map) = self.confirmer.confirm().await?;
            self.map.fetch_max(map, Ordering::SeqCst);
            if confirmed == server {
                return Ok(found);
            }
            self.pool.retain(|session, _| session.server == confirmed);
        }
        Err(StoreError::Busy)
    }

    /// Asks once more where the connection turned out to be dead: nothing was written.
    async fn ask(&self, sql: &str, params: &Params) -> Read<(Vec<Found>, Server)> {
        match self.ask_once(sql, params).await {
            Err(StoreError::Postgres(error)) if error.is_closed() => {
                self.ask_once(sql, params).await
            }
            first => first,
        }
    }

    async fn ask_once(&self, sql: &str, params: &Params) -> Read<(Vec<Found>, Server)> {
        let mut session = self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            _ => StoreError::Busy,
        })?;
        let params: Vec<&(dyn ToSql + Sync)> =
            params.iter().map(|param| &**param as &(dyn ToSql + Sync)).collect();
        let asked = async {
            let statement = session.prepared(sql).await?;
            Ok::<_, StoreError>(session.client.query(&statement, &params).await?)
        };
        match tokio::time::timeout(LIMIT, asked).await {
            Ok(found) => Ok((found?, session.server.clone())),
            Err(_) => {
                // Not for the next one.
                drop(Object::take(session));
                Err(StoreError::Busy)
            }
        }
    }
}
