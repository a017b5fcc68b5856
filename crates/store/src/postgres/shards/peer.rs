//! Another cell, as a node looks at it: what it has, so that calls of its partners can be sent there. Nothing
//! is decided by it: the cell that is asked decides.

use super::super::confirm::acknowledged;
use super::super::link::{Link, Session};
use super::init::come_to;
use super::map::{Shard, is_cell, whole_map};
use crate::port::StoreError;
use ichae_domain::ident::{PartnerNo, Start};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How long one look may take.
const LOOK: Duration = Duration::from_secs(2);

/// Another cell's database.
pub struct Peer {
    pub cell: u8,
    link: Arc<Link>,
    session: Mutex<Option<Session>>,
}

/// What a cell has.
#[derive(Clone, Debug, Default)]
pub struct Owned {
    pub version: i64,
    pub partners: Vec<(PartnerNo, String)>,
    /// Whom it has handed over, or is about to be given: they are somewhere.
    pub between: Vec<(PartnerNo, String)>,
}

impl Peer {
    pub fn new(cell: u8, link: Arc<Link>) -> Arc<Peer> {
        Arc::new(Peer { cell, link, session: Mutex::new(None) })
    }

    async fn asked<T>(
        &self,
        ask: impl AsyncFnOnce(&mut Session) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut kept = self.session.lock().await;
        let asking = async {
            let session = match kept.take().filter(|session| !session.client.is_closed()) {
                Some(session) => session,
                None => {
                    let session = self.link.bounded(LOOK).await?;
                    is_cell(&session, self.cell).await?;
                    session
                }
            };
            let mut session = session;
            let told = ask(&mut session).await?;
            Ok::<_, StoreError>((told, session))
        };
        let (told, session) = timeout(LOOK, asking).await.map_err(|_| StoreError::Busy)??;
        *kept = Some(session);
        Ok(told)
    }

    /// As a standby has it too: what the cell would say after a fail-over.
    pub(super) async fn map(&self) -> Result<Vec<Shard>, StoreError> {
        self.asked(async |session| {
            let map = whole_map(session).await?;
            acknowledged(&self.link, session, 0).await?;
            Ok(map)
        })
        .await
    }

    /// The highest numbers that it has come to: serials, then those of [`NUMBERED`].
    pub(in super::super) async fn numbers(&self) -> Result<Vec<i64>, StoreError> {
        self.asked(async |session| come_to(session).await).await
    }

    /// Epochs that the cell knows; every cell knows them all.
    pub(in super::super) async fn epochs(&self) -> Result<Vec<Start>, StoreError> {
        self.asked(async |session| super::super::open::starts(session).await).await
    }

    /// Another cell begins an epoch: refused where its number is taken.
    pub(in super::super) async fn note_epoch(&self, start: Start) -> Result<(), StoreError> {
        self.asked(async |session| {
            let sql = "INSERT INTO epochs (epoch, first_serial, cell) VALUES ($1, $2, $3)";
            let cell = start.cell.map(i16::from);
            let epoch = i32::from(start.epoch);
            session.client.execute(sql, &[&epoch, &start.first, &cell]).await?;
            super::map::tell(session).await
        })
        .await
    }

    /// What it has, where that is not what was seen last.
    async fn owned_since(&self, seen: i64) -> Result<Option<Owned>, StoreError> {
        self.asked(async |session| {
            let sql = "SELECT version FROM versions";
            let version: i64 = session.client.query_one(sql, &[]).await?.get(0);
            if version == seen {
                return Ok(None);
            }
            let sql = "SELECT p.no, p.cst_id, l.away < 2 FROM partners p \
                       JOIN ledgers l ON l.partner = p.no";
            let mut owned = Owned { version, ..Owned::default() };
            for row in session.client.query(sql, &[]).await? {
                let here = if row.get(2) { &mut owned.partners } else { &mut owned.between };
                here.push((PartnerNo(row.get(0)), row.get(1)));
            }
            Ok(Some(owned))
        })
        .await
    }

    /// As [`Peer::owned_since`], from any thread that may wait.
    pub fn owned(self: &Arc<Self>, seen: i64) -> Result<Option<Owned>, StoreError> {
        let of = Arc::clone(self);
        self.link.wait(LOOK * 2, async move { of.owned_since(seen).await })
    }
}
