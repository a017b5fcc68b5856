//! What a cell has, as it says itself.

use super::super::link::{Link, Session};
use crate::port::StoreError;
use ichae_domain::time::Time;
use std::sync::Arc;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);

/// One cell of an installation.
#[derive(Clone)]
pub struct Cell {
    pub no: u8,
    pub link: Arc<Link>,
}

/// How far a shard is, in one cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Steady = 0,
    /// Its rows are copied; it is served as before.
    Leaving = 1,
    /// Nothing of it is taken, for a moment.
    Frozen = 2,
    /// Its rows are here in part; another cell serves it.
    Arriving = 3,
    /// Another cell has it, and its rows are removed here.
    Clearing = 4,
    /// Its rows are all here; it is not handed over yet.
    Brought = 5,
}

impl State {
    const ALL: [State; 6] = [
        State::Steady,
        State::Leaving,
        State::Frozen,
        State::Arriving,
        State::Clearing,
        State::Brought,
    ];

    pub fn name(self) -> &'static str {
        match self {
            State::Steady => "steady",
            State::Leaving => "leaving",
            State::Frozen => "frozen",
            State::Arriving => "arriving",
            State::Clearing => "clearing",
            State::Brought => "brought",
        }
    }
}

/// A shard as one cell knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shard {
    pub shard: u16,
    /// Whose it is.
    pub cell: u8,
    pub state: State,
    /// How often it moved.
    pub version: i64,
    pub other: Option<u8>,
    /// While it is frozen, and after: which freezing that was, by its end in microseconds since 1970.
    pub until: Option<i64>,
}

/// A shard with what it holds, in the cell that has it.
#[derive(Clone, Copy, Debug)]
pub struct Whole {
    pub shard: Shard,
    pub partners: i64,
    /// A cell that had it before, and still has rows of it: the same move once more removes them.
    pub left_in: Option<u8>,
}

/// What [`shard`] takes, of rows that are called `s`.
pub(super) const COLUMNS: &str = "s.shard, s.cell, s.state, s.version, s.other, \
     (extract(epoch FROM s.until) * 1000000)::bigint";
/// Lets every node know that what this cell has is another now.
pub(super) const TELL: &str = "UPDATE versions SET version = version + 1, map = map + 1";

pub(super) fn number(cell: i16) -> Result<u8, StoreError> {
    u8::try_from(cell).map_err(|_| StoreError::Damaged("the number of a cell".to_owned()))
}

pub(super) fn shard(row: &tokio_postgres::Row) -> Result<Shard, StoreError> {
    let bad = || StoreError::Damaged("the map of shards".to_owned());
    let state: i16 = row.try_get(2)?;
    let other: Option<i16> = row.try_get(4)?;
    Ok(Shard {
        shard: u16::try_from(row.try_get::<_, i16>(0)?).map_err(|_| bad())?,
        cell: number(row.try_get(1)?)?,
        state: State::ALL.into_iter().find(|known| *known as i16 == state).ok_or_else(bad)?,
        version: row.try_get(3)?,
        other: other.map(number).transpose()?,
        until: row.try_get(5)?,
    })
}

/// Which cell a store says it is.
pub(super) async fn cell_no(session: &Session) -> Result<Option<u8>, StoreError> {
    let found = session.client.query_opt("SELECT cell FROM store", &[]).await?;
    let cell: Option<i16> = found.and_then(|row| row.get(0));
    cell.map(number).transpose()
}

pub(super) async fn whole_map(session: &Session) -> Result<Vec<Shard>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM shards s ORDER BY s.shard");
    session.client.query(&sql, &[]).await?.iter().map(shard).collect()
}

/// Every shard of the cells that can be asked, once, as the one says that has it: where two say so, or a move
/// was cut, the higher version counts. The texts are of cells that do not answer.
pub fn list(cells: &[Cell]) -> (Vec<Whole>, Vec<String>) {
    let (mut known, mut away): (Vec<Whole>, _) = (Vec::new(), Vec::new());
    for cell in cells {
        match of_cell(cell) {
            Ok(rows) => known.extend(rows),
            Err(error) => away.push(format!("cell {} does not answer: {error}", cell.no)),
        }
    }
    // The owner's own word last, where others have the same.
    known.sort_by_key(|whole| {
        (whole.shard.shard, whole.shard.version, whole.shard.state != State::Clearing)
    });
    let mut best: Vec<Whole> = Vec::new();
    for whole in known {
        match best.last_mut() {
            Some(last) if last.shard.shard == whole.shard.shard => {
                let left_in = whole.left_in.or(last.left_in);
                *last = Whole { left_in, ..whole };
            }
            _ => best.push(whole),
        }
    }
    (best, away)
}

/// What one cell says of its own shards, and of those that just go or come.
fn of_cell(cell: &Cell) -> Result<Vec<Whole>, StoreError> {
    let (of, no) = (Arc::clone(&cell.link), cell.no);
    cell.link.wait(LIMIT, async move {
        let session = of.session().await?;
        is_cell(&session, no).await?;
        let sql = format!(
            "SELECT {COLUMNS}, coalesce(p.partners, 0)::bigint FROM shards s LEFT JOIN ( \
             SELECT mod(no, 1024) AS shard, count(*) AS partners FROM partners GROUP BY 1) p \
             ON p.shard = s.shard WHERE s.cell = $1 OR s.state = 4 ORDER BY s.shard"
        );
        let rows = session.client.query(&sql, &[&i16::from(no)]).await?;
        let whole = |row| {
            let shard = shard(row)?;
            let left_in = (shard.state == State::Clearing).then_some(no);
            Ok(Whole { shard, partners: row.try_get(6)?, left_in })
        };
        rows.iter().map(whole).collect()
    })
}

/// A configuration that names one cell's database as another's is refused before anything is done.
pub(super) async fn is_cell(session: &Session, no: u8) -> Result<(), StoreError> {
    match cell_no(session).await? {
        Some(is) if is == no => Ok(()),
        Some(is) => Err(StoreError::Refused(format!(
            "the store that is named as cell {no} is cell {is}: look at `cells` in the configuration"
        ))),
        None => Err(StoreError::Refused(format!(
            "the store that is named as cell {no} is no cell yet: run `ichae shard init` once"
        ))),
    }
}

/// Serves again what was frozen and nobody handed over in time. Whoever wanted to finds that out: handing
/// over changes only what is still frozen.
pub(in super::super) async fn thaw(session: &mut Session) -> Result<(), StoreError> {
    let sql = "SELECT 1 FROM shards WHERE state = 2 AND until < clock_timestamp()";
    let late = session.prepared(sql).await?;
    if session.client.query(&late, &[]).await?.is_empty() {
        return Ok(());
    }
    session.client.batch_execute("BEGIN").await?;
    let thawed = thaw_late(session).await;
    let end = if thawed.is_ok() { "COMMIT" } else { "ROLLBACK" };
    session.client.batch_execute(end).await?;
    thawed
}

async fn thaw_late(session: &Session) -> Result<(), StoreError> {
    let client = &session.client;
    let sql = "SELECT shard FROM shards WHERE state = 2 AND until < clock_timestamp() FOR UPDATE";
    let late: Vec<i16> = client.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect();
    for shard in late {
        back_to_steady(session, shard).await?;
        tracing::error!(shard, "its move was not finished in time: it is served here as before");
    }
    Ok(())
}

/// In a transaction: it is served here as it was. Nobody has to be told: it was here all the while.
pub(super) async fn back_to_steady(session: &Session, shard: i16) -> Result<(), StoreError> {
    let client = &session.client;
    let sql = "UPDATE ledgers SET away = 0 WHERE away = 1 AND mod(partner, 1024) = $1";
    client.execute(sql, &[&i64::from(shard)]).await?;
    let sql = "UPDATE shards SET state = 0, other = NULL, until = NULL WHERE shard = $1";
    client.execute(sql, &[&shard]).await?;
    Ok(())
}

pub(super) async fn tell(session: &Session) -> Result<(), StoreError> {
    session.client.execute(TELL, &[]).await?;
    Ok(())
}

/// Before a cell serves: what others say they were given since is theirs, whatever this store remembers. A
/// store that was restored to before a shard left would serve it a second time; one from before a shard came
/// does not have it, and is refused.
pub(in super::super) async fn settle(
    session: &Session,
    others: &[Arc<super::Peer>],
    rolled_back: bool,
    now: Time,
) -> Result<(), StoreError> {
    let Some(own) = cell_no(session).await? else { return Ok(()) };
    // Of a restore that an earlier start began to look at, too.
    let sql = "SELECT EXISTS (SELECT 1 FROM epochs WHERE in_doubt)";
    let in_doubt: bool = session.client.query_one(sql, &[]).await?.get(0);
    let must_answer = rolled_back || in_doubt;
    let mine = whole_map(session).await?;
    for peer in others.iter().filter(|peer| peer.cell != own) {
        let theirs = match peer.map().await {
            Ok(theirs) => theirs,
            Err(error) if must_answer => {
                return Err(StoreError::Refused(format!(
                    "this store is older than it was, and cell {} does not say what became of its \
                     shards since ({error}): start again when it answers",
                    peer.cell
                )));
            }
            Err(error) => {
                tracing::warn!(cell = peer.cell, %error, "another cell does not answer");
                continue;
            }
        };
        for their in theirs {
            let newer = |one: &&Shard| one.shard == their.shard && one.version < their.version;
            let Some(old) = mine.iter().find(newer) else { continue };
            if their.cell == own && old.state == State::Brought && old.until == their.until {
                super::mover::open_arrived(session, own, &their, now).await?;
                continue;
            }
            if their.cell == own {
                return Err(StoreError::Refused(format!(
                    "shard {} came here after the time to which this store was restored: restore it \
                     to a later time",
                    their.shard
                )));
            }
            learn(session, old, &their, own).await?;
        }
    }
    if must_answer { thaw_all(session, own).await } else { Ok(()) }
}

/// Where the store went back no mover came back with it: what it had frozen is served again, and doubted.
async fn thaw_all(session: &Session, own: u8) -> Result<(), StoreError> {
    let sql = "SELECT shard FROM shards WHERE cell = $1 AND state IN (1, 2)";
    for row in session.client.query(sql, &[&i16::from(own)]).await? {
        session.client.batch_execute("BEGIN").await?;
        back_to_steady(session, row.get(0)).await?;
        session.client.batch_execute("COMMIT").await?;
    }
    Ok(())
}

/// A shard of ours that is another's by now, or of another that is a third one's.
async fn learn(session: &Session, old: &Shard, their: &Shard, own: u8) -> Result<(), StoreError> {
    let client = &session.client;
    let shard = i16::try_from(their.shard).unwrap_or_default();
    let lost = old.cell == own;
    let state = if lost { State::Clearing } else { State::Steady };
    client.batch_execute("BEGIN").await?;
    // Not what another has told since, and not what just comes.
    let sql = "UPDATE shards SET cell = $2, version = $3, state = $4, other = NULL, until = NULL \
               WHERE shard = $1 AND version < $3 AND state NOT IN (3, 5)";
    let cell = i16::from(their.cell);
    let learned = client.execute(sql, &[&shard, &cell, &their.version, &(state as i16)]).await?;
    if lost && learned == 1 {
        let sql = "UPDATE ledgers SET away = 2 WHERE mod(partner, 1024) = $1";
        client.execute(sql, &[&i64::from(shard)]).await?;
    }
    tell(session).await?;
    client.batch_execute("COMMIT").await?;
    if lost && learned == 1 {
        tracing::warn!(shard, cell, "has moved on since: not served here any more");
    }
    Ok(())
}

/// What was handed over to this cell and nobody opened, because the mover died: served from now on.
pub(in super::super) async fn open_brought(
    session: &Session,
    others: &[Arc<super::Peer>],
    now: Time,
) -> Result<(), StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM shards s WHERE s.state = 5");
    let waiting = session.client.query(&sql, &[]).await?;
    let Some(own) = cell_no(session).await?.filter(|_| !waiting.is_empty()) else { return Ok(()) };
    for row in &waiting {
        let ours = shard(row)?;
        let from = others.iter().find(|peer| Some(peer.cell) == ours.other);
        let Some(from) = from else { continue };
        let theirs = from.map().await?;
        if let Some(their) = theirs.iter().find(|their| their.shard == ours.shard) {
            super::mover::open_arrived(session, own, their, now).await?;
        }
    }
    Ok(())
}
