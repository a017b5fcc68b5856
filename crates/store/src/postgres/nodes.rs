//! The nodes that work on one store: each is heard of now and then, and takes over from one that is not.
//!
//! A node that ended can commit nothing any more, because every batch writes its node's row first. What it
//! had claimed is not known to have been sent or not, and is asked about. Partners are shared out by their
//! logical shard over the nodes that are there, so that nobody does twice what one can do.

use super::confirm::acknowledged;
use super::link::{Link, Session};
use super::open::LAST_EVENT;
use super::shards::{self, Peer};
use crate::port::{Clock, StoreError};
use crate::witness::{Seen, Witness};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// A node that was not heard of for so long is taken to be gone.
const LEASE: Duration = Duration::from_secs(10);
/// How often it is heard of.
const BEAT: Duration = Duration::from_secs(2);
/// So long before its lease is over a node begins nothing outside any more: clocks differ, and a thread may
/// not be scheduled between the look and the act.
const MARGIN: Duration = Duration::from_secs(4);

/// What this node knows of itself and of the others.
pub(super) struct Node {
    pub no: i64,
    began: Instant,
    /// Milliseconds since then until which it may act outside.
    until: AtomicU64,
    /// Which of how many it is, among those that are there.
    place: AtomicI64,
    count: AtomicI64,
    /// Told how far the store is.
    witness: Option<(Witness, Vec<u8>)>,
    others: Others,
}

/// The other cells, and what time it is.
pub(super) type Others = (Vec<Arc<Peer>>, Clock);

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Node {
    pub fn may_act(&self) -> bool {
        ms(self.began.elapsed()) < self.until.load(Ordering::SeqCst)
    }

    /// (place, count): of the shards those are this node's that leave this rest.
    pub fn share(&self) -> (i64, i64) {
        (self.place.load(Ordering::SeqCst), self.count.load(Ordering::SeqCst))
    }

    /// Heard of at a moment no earlier than `at`.
    fn heard(&self, at: Instant) {
        let until = at.duration_since(self.began) + LEASE - MARGIN;
        self.until.store(ms(until), Ordering::SeqCst);
    }

    /// Makes this node's row; a row of the same name that has not ended is ended, and fenced.
    pub async fn register(
        session: &Session,
        name: &str,
        witness: Option<(Witness, Vec<u8>)>,
        others: Others,
    ) -> Result<Node, StoreError> {
        let began = Instant::now();
        let client = &session.client;
        client.batch_execute("BEGIN").await?;
        let sql =
            "UPDATE nodes SET ended_at = clock_timestamp() WHERE name = $1 AND ended_at IS NULL";
        client.execute(sql, &[&name]).await?;
        let sql = "INSERT INTO nodes (name, knows) VALUES ($1, $2) RETURNING no";
        let no: i64 = client.query_one(sql, &[&name, &shards::KNOWS]).await?.get(0);
        client.execute("INSERT INTO leases (node) VALUES ($1)", &[&no]).await?;
        client.batch_execute("COMMIT").await?;
        let node = Node {
            no,
            began,
            until: AtomicU64::new(0),
            place: AtomicI64::new(0),
            count: AtomicI64::new(1),
            witness,
            others,
        };
        node.heard(began);
        node.look_around(session).await?;
        Ok(node)
    }

    async fn look_around(&self, session: &Session) -> Result<(), StoreError> {
        let sql = "SELECT no FROM nodes WHERE ended_at IS NULL ORDER BY no";
        let rows = session.client.query(sql, &[]).await?;
        let place = rows.iter().position(|row| row.get::<_, i64>(0) == self.no);
        // Where this node has been ended its next batch finds out; until then it takes no share.
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX).max(1);
        let place = place.map_or(count, |at| i64::try_from(at).unwrap_or(count));
        self.place.store(place, Ordering::SeqCst);
        self.count.store(count, Ordering::SeqCst);
        Ok(())
    }

    /// Is heard of; where it has been without a gap, ends those that are not.
    async fn beat(
        &self,
        link: &Link,
        session: &mut Session,
        steady: bool,
    ) -> Result<(), StoreError> {
        let at = Instant::now();
        let sql = "UPDATE leases SET seen_at = clock_timestamp() WHERE node = $1 \
                   AND EXISTS (SELECT 1 FROM nodes WHERE no = $1 AND ended_at IS NULL)";
        session.warned();
        let renewed = session.client.execute(sql, &[&self.no]).await?;
        if session.warned() {
            // Here, and perhaps on no standby: after a fail-over nobody would know of it.
            return Err(StoreError::Busy);
        }
        if renewed == 0 {
            if self.until.load(Ordering::SeqCst) == 0 {
                return Ok(());
            }
            // A server that another one replaced never heard of the nodes that came since.
            acknowledged(link, session, self.no).await?;
            end_as_fenced();
        }
        self.heard(at);
        if steady {
            // One whose row a batch holds is looked at again: it may be about to be heard of.
            let sql = "UPDATE nodes SET ended_at = clock_timestamp() WHERE no IN ( \
                       SELECT n.no FROM nodes n JOIN leases l ON l.node = n.no \
                       WHERE n.ended_at IS NULL AND n.no <> $1 \
                       AND l.seen_at < clock_timestamp() - make_interval(secs => $2) \
                       FOR UPDATE OF n SKIP LOCKED)";
            let lease = LEASE.as_secs_f64();
            let ended = session.client.execute(sql, &[&self.no, &lease]).await?;
            if ended > 0 {
                tracing::warn!(nodes = ended, "not heard of any more: their work is taken over");
            }
        }
        shards::thaw(session).await?;
        let (peers, clock) = &self.others;
        if let Err(error) = shards::open_brought(session, peers, clock()).await {
            tracing::warn!(%error, "whether a shard was handed over to this cell is not known yet");
        }
        if let Err(error) = self.tell_witness(link, session).await {
            tracing::warn!(%error, "the witness could not be written");
        }
        self.look_around(session).await
    }

    /// It says goodbye: it may begin nothing outside any more.
    pub fn leave(&self) {
        self.until.store(0, Ordering::SeqCst);
    }

    pub async fn tell_witness(&self, link: &Link, session: &mut Session) -> Result<(), StoreError> {
        let Some((witness, store_id)) = &self.witness else { return Ok(()) };
        // Before the store is asked: another node may have the same witness, and be ahead of this one.
        let seen = witness.read(store_id)?;
        let sql = format!(
            "SELECT ({LAST_EVENT}), max(epoch) FROM epochs \
             WHERE cell IS NOT DISTINCT FROM (SELECT cell FROM store)"
        );
        let row = session.client.query_one(&sql, &[]).await?;
        // Else a fail-over could leave a store that is older than what is written down here.
        acknowledged(link, session, self.no).await?;
        let bad = |_| StoreError::Damaged("the table of epochs".to_owned());
        let epoch = u16::try_from(row.get::<_, i32>(1)).map_err(bad)?;
        let events = row.get(0);
        if seen.is_some_and(|seen| seen.epoch == epoch && seen.events > events) {
            // A new start finds that too, and begins an epoch.
            stop_all(
                "the store is older than it was a moment ago: the process ends, start it again",
            );
        }
        witness.write(&Seen { store_id: store_id.clone(), epoch, events })
    }
}

/// Says goodbye: what this node worked on is taken over at once.
pub(super) async fn end(session: &Session, node: i64) -> Result<(), StoreError> {
    let sql = "UPDATE nodes SET ended_at = clock_timestamp() WHERE no = $1 AND ended_at IS NULL";
    session.client.execute(sql, &[&node]).await?;
    Ok(())
}

/// Beats until the node is dropped.
pub(super) async fn beat(node: Weak<Node>, link: Weak<Link>) {
    let mut session: Option<Session> = None;
    // Others are ended only by one that has itself been heard of for a whole lease: after an outage of the
    // database everybody looks gone.
    let mut steady_since: Option<Instant> = None;
    let mut last = Instant::now();
    loop {
        tokio::time::sleep(BEAT).await;
        let (Some(node), Some(link)) = (node.upgrade(), link.upgrade()) else { return };
        if last.elapsed() > BEAT * 2 {
            // This machine slept, and so may have everybody.
            steady_since = None;
        }
        last = Instant::now();
        let steady = steady_since.is_some_and(|since| since.elapsed() > LEASE);
        let beaten = async {
            let unusable = |s: &Session| s.client.is_closed() || link.doubts(&s.server);
            if session.as_ref().is_none_or(unusable) {
                (session, steady_since) = (None, None);
                session = Some(link.bounded(BEAT).await?);
            }
            match &mut session {
                Some(session) => node.beat(&link, session, steady && steady_since.is_some()).await,
                None => Ok(()),
            }
        };
        let beaten = tokio::time::timeout(BEAT * 2, beaten).await;
        match (beaten.unwrap_or(Err(StoreError::Busy)), &session) {
            (Ok(()), session) => {
                steady_since.get_or_insert_with(Instant::now);
                if let Some(session) = session {
                    link.trust(&session.server);
                }
            }
            (Err(error), gone) => {
                tracing::warn!(%error, "this node could not be heard of");
                if let Some(gone) = gone {
                    link.doubt(&gone.server);
                }
                (session, steady_since) = (None, None);
            }
        }
    }
}

/// Another node counts this one as gone and goes on with its work: whatever it still wanted to write would
/// be written beside that.
pub(super) fn end_as_fenced() -> ! {
    stop_all(
        "another node has taken over from this one, or the database went back: the process ends, start it again",
    )
}

fn stop_all(why: &str) -> ! {
    tracing::error!("{why}");
    std::process::abort();
}
