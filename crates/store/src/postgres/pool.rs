//! The pool of read connections: every read is one statement, on the primary.

use super::link::Link;
use super::nodes::Node;
use crate::port::StoreError;
use crate::seal::Sealer;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use ichae_domain::ident::Epochs;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Row as Found;
use tokio_postgres::types::ToSql;

/// Connections for reads at most.
const POOL_MAX: usize = 16;
/// How long a read waits for a connection: callers are told to come again rather than kept.
const PATIENCE: Duration = Duration::from_millis(800);
/// How long a read may take. What takes longer is taken to be gone, and its connection with it: a frozen
/// machine says nothing and closes nothing.
const LIMIT: Duration = Duration::from_secs(3);
/// For both tries together, and the waits before them.
const BOTH: Duration = Duration::from_secs(8);

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
    pool: Pool,
    pub(super) epochs: Arc<Epochs>,
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
        epochs: Arc<Epochs>,
        sealer: Arc<Sealer>,
        node: &Arc<Node>,
    ) -> Read<PostgresReader> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(link.config().clone(), link.tls(), recycling);
        let patience = Some(PATIENCE);
        let pool = Pool::builder(manager)
            .max_size(POOL_MAX)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts { wait: patience, create: patience, recycle: patience })
            .post_create(deadpool_postgres::Hook::async_fn(|client, _| {
                Box::pin(async move {
                    let set = client.batch_execute(super::link::SESSION).await;
                    set.map_err(deadpool_postgres::HookError::Backend)
                })
            }))
            .build()
            .map_err(|error| StoreError::Refused(format!("the pool of connections: {error}")))?;
        Ok(PostgresReader { link, pool, epochs, sealer, node: Arc::clone(node) })
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

    /// Asks once more where the connection turned out to be dead: nothing was written.
    pub(super) fn ask(&self, sql: String, params: Params) -> Read<Vec<Found>> {
        let pool = self.pool.clone();
        self.link.wait(BOTH, async move {
            let first = ask_once(&pool, &sql, &params).await;
            match &first {
                Err(StoreError::Postgres(error)) if error.is_closed() => {
                    ask_once(&pool, &sql, &params).await
                }
                _ => first,
            }
        })
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

async fn ask_once(pool: &Pool, sql: &str, params: &Params) -> Read<Vec<Found>> {
    let client = pool.get().await.map_err(|error| match error {
        deadpool_postgres::PoolError::Backend(error) => StoreError::Postgres(error),
        _ => StoreError::Busy,
    })?;
    let params: Vec<&(dyn ToSql + Sync)> =
        params.iter().map(|param| &**param as &(dyn ToSql + Sync)).collect();
    let asked = async {
        let statement = client.prepare_cached(sql).await?;
        Ok::<_, StoreError>(client.query(&statement, &params).await?)
    };
    match tokio::time::timeout(LIMIT, asked).await {
        Ok(found) => found,
        Err(_) => {
            // Not for the next one.
            drop(deadpool_postgres::Object::take(client));
            Err(StoreError::Busy)
        }
    }
}
