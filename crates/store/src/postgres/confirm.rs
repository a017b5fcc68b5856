//! Whether what was read is more than one server's word.
//!
//! A primary shows a commit once nobody waits for its standby any more: also where the wait was broken off,
//! by an administrator or by its own end, and also where another one has long taken the lead and this one was
//! not told. What is read there may be gone, or be overtaken. So what was read is told only after a commit of
//! the same server that began later and that a standby acknowledged: whatever that server showed before is
//! then on the standby, and no other one led meanwhile. Readers share such commits: those that wait take the
//! next one together.

use super::link::{Link, Server, Session};
use crate::port::StoreError;
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// A commit that writes nothing but itself. Nothing at all where no standby is to be waited for: there a
/// commit is shown when it is on the disk. The lock is held until the standby has acknowledged: no time-out
/// of a server ends that wait, so this node's next session waits for the lock instead, which one does end.
const CONFIRM: &str = "SELECT CASE WHEN current_setting('synchronous_standby_names') <> '' \
     THEN (SELECT pg_logical_emit_message(TRUE, 'ichae', '') \
           FROM pg_advisory_xact_lock($1, $2)) END";
static WITH_MAP: LazyLock<String> =
    LazyLock::new(|| format!("{CONFIRM}, (SELECT map FROM versions)"));
/// Of such locks.
const LOCK: i32 = 0x6963_6861;
/// How long a reader waits: callers are told to come again rather than kept.
const PATIENCE: Duration = Duration::from_millis(600);
/// How long the server lets one wait for the one before it.
const SERVER: Duration = Duration::from_secs(2);
/// After so long without a word the server is taken to be gone.
const SILENT: Duration = Duration::from_secs(3);

/// The server, and which map of shards it has (docs/adr/0024).
pub(super) type Confirmed = (Server, i64);

/// Asks for the server that the next such commit was acknowledged for.
pub(super) struct Confirmer {
    asked: mpsc::UnboundedSender<oneshot::Sender<Confirmed>>,
}

impl Confirmer {
    pub fn start(link: &Arc<Link>, node: i64) -> Confirmer {
        let (asked, wanted) = mpsc::unbounded_channel();
        link.handle().spawn(run(Arc::downgrade(link), node, wanted));
        Confirmer { asked }
    }

    /// Begun after this was called. Errors: nobody acknowledged one in time.
    pub async fn confirm(&self) -> Result<Confirmed, StoreError> {
        let (tell, told) = oneshot::channel();
        self.asked.send(tell).map_err(|_| StoreError::Busy)?;
        match timeout(PATIENCE, told).await {
            Ok(Ok(confirmed)) => Ok(confirmed),
            _ => Err(StoreError::Busy),
        }
    }
}

async fn run(
    link: Weak<Link>,
    node: i64,
    mut wanted: mpsc::UnboundedReceiver<oneshot::Sender<Confirmed>>,
) {
    let mut session: Option<Session> = None;
    let mut away = false;
    while let Some(first) = wanted.recv().await {
        let mut together = vec![first];
        while let Ok(one) = wanted.try_recv() {
            together.push(one);
        }
        // Whoever gave up needs no answer.
        together.retain(|one| !one.is_closed());
        let Some(link) = link.upgrade() else { return };
        if together.is_empty() {
            continue;
        }
        match timeout(SILENT, once(&link, node, &mut session))
            .await
            .unwrap_or(Err(StoreError::Busy))
        {
            Ok(confirmed) => {
                if std::mem::take(&mut away) {
                    tracing::warn!("what is read is confirmed again");
                }
                for one in together {
                    // It may have given up.
                    let _ = one.send(confirmed.clone());
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut away, true) {
                    tracing::error!(%error, "no standby confirms what is read: nothing is told");
                }
                if let Some(session) = session.take() {
                    link.doubt(&session.server);
                }
            }
        }
    }
}

async fn once(link: &Link, node: i64, kept: &mut Option<Session>) -> Result<Confirmed, StoreError> {
    let usable =
        |session: &&mut Session| !session.client.is_closed() && !link.doubts(&session.server);
    if let Some(session) = kept.as_mut().filter(usable) {
        match with_map(link, session, node).await {
            // It ended since: another one may be there.
            Err(_) if session.client.is_closed() => {}
            told => return told,
        }
    }
    // Not the old one's, where no new one can be had.
    *kept = None;
    let session = kept.insert(link.bounded(SERVER).await?);
    with_map(link, session, node).await
}

/// The map as it was after what was read: where it is the one that the reader went by, the partner was here.
async fn with_map(link: &Link, session: &mut Session, node: i64) -> Result<Confirmed, StoreError> {
    let found = commit(link, session, node, &WITH_MAP).await?;
    let map = found.first().map_or(Ok(0), |row| row.try_get(1))?;
    Ok((session.server.clone(), map))
}

/// What this session's server showed before is so, and it led meanwhile.
pub(super) async fn acknowledged(
    link: &Link,
    session: &mut Session,
    node: i64,
) -> Result<Server, StoreError> {
    commit(link, session, node, CONFIRM).await?;
    Ok(session.server.clone())
}

async fn commit(
    link: &Link,
    session: &mut Session,
    node: i64,
    sql: &str,
) -> Result<Vec<tokio_postgres::Row>, StoreError> {
    let statement = session.prepared(sql).await?;
    // Numbers of nodes are small; where two had the same they would take turns.
    let node = i32::try_from(node & 0x7fff_ffff).unwrap_or(0);
    session.warned();
    let found = session.client.query(&statement, &[&LOCK, &node]).await?;
    if session.warned() {
        return Err(StoreError::Busy);
    }
    link.trust(&session.server);
    Ok(found)
}
