//! Makes cells of stores: `ichae shard init`.
//!
//! What a cell numbers leaves a rest of its own, so that a shard can move with all its numbers: serials by
//! blocks, lines of the journal, notices and events one by one. Where the others have come to by then, a new
//! cell begins above.

use super::super::confirm::acknowledged;
use super::super::link::Session;
use super::super::open::{OPENING, identify, know_keys, starts, tables};
use super::map::{Cell, Shard, cell_no, tell, whole_map};
use crate::keys::Keys;
use crate::port::StoreError;
use ichae_domain::ident::{CELLS, EPOCHS_MAX, LAP, SHARDS, Start, TURN};
use ichae_domain::time::Time;
use ichae_domain::view::EventKind;
use std::sync::Arc;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);
/// Numbered one by one.
pub(super) const NUMBERED: [&str; 3] = ["postings", "notices", "events"];

/// What became of a store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Made {
    /// It was one before.
    Already,
    /// With so many of the shards.
    Now { shards: usize },
}

fn refused(text: String) -> StoreError {
    StoreError::Refused(text)
}

/// Makes a cell of every store that is none yet. Partners that there are stay where they are: the first cell
/// may have some, a further one none. With none anywhere the shards are dealt out evenly.
pub fn init(
    cells: &[Cell],
    environment: &'static str,
    keys: &Keys,
    now: Time,
) -> Result<Vec<(u8, Made)>, StoreError> {
    let Some(first) = cells.first() else {
        return Err(refused("the configuration names no `cells`".to_owned()));
    };
    if cells.iter().any(|cell| cell.no >= CELLS) {
        return Err(refused(format!("cells have numbers from 0 to {}", CELLS - 1)));
    }
    let of: Vec<Cell> = cells.to_vec();
    let keys = keys.clone();
    let link = Arc::clone(&first.link);
    link.wait(LIMIT, async move {
        let mut sessions = Vec::with_capacity(of.len());
        for cell in &of {
            let mut session = cell.link.session().await?;
            session.client.query_one("SELECT pg_advisory_lock($1)", &[&OPENING]).await?;
            acknowledged(&cell.link, &mut session, 0).await?;
            tables(&mut session, true).await?;
            identify(&session, environment, now).await?;
            know_keys(&session, &keys).await?;
            sessions.push((cell.no, session));
        }
        make(&sessions, now).await
    })
}

async fn make(sessions: &[(u8, Session)], now: Time) -> Result<Vec<(u8, Made)>, StoreError> {
    let mut are = Vec::with_capacity(sessions.len());
    let mut partners = Vec::with_capacity(sessions.len());
    for (no, session) in sessions {
        let is = cell_no(session).await?;
        if is.is_some_and(|is| is != *no) {
            return Err(refused(format!(
                "the store named as cell {no} is cell {}",
                is.unwrap_or(0)
            )));
        }
        are.push(is.is_some());
        let sql = "SELECT count(*) FROM partners";
        partners.push(session.client.query_one(sql, &[]).await?.get::<_, i64>(0) > 0);
    }
    let known = are.iter().any(|is| *is);
    let new = |at: &usize| !are[*at];
    // Everything that may be refused is, before anything is made.
    for at in (0..sessions.len()).filter(new) {
        let (no, session) = &sessions[at];
        if partners[at] && (known || at > 0) {
            return Err(refused(format!(
                "the store named as cell {no} has partners already: only the first one may, their \
                 numbers may be others' too"
            )));
        }
        let sql = "SELECT 1 FROM nodes WHERE ended_at IS NULL";
        if !session.client.query(sql, &[]).await?.is_empty() {
            return Err(refused(format!(
                "stop the nodes of cell {no} first, and start them after"
            )));
        }
    }
    let dealt = match (known, partners.contains(&true)) {
        // What is there has a map already.
        (true, _) => None,
        (false, true) => Some(Dealt::First(sessions[0].0)),
        (false, false) => Some(Dealt::Evenly(sessions.iter().map(|(no, _)| *no).collect())),
    };
    let mut made = Vec::new();
    for (at, (no, _)) in sessions.iter().enumerate() {
        made.push((
            *no,
            match are[at] {
                true => Made::Already,
                false => Made::Now { shards: one(sessions, at, dealt.as_ref(), now).await? },
            },
        ));
    }
    Ok(made)
}

/// How shards are dealt out at first.
enum Dealt {
    First(u8),
    Evenly(Vec<u8>),
}

impl Dealt {
    fn cell(&self, shard: u16) -> u8 {
        match self {
            Dealt::First(cell) => *cell,
            Dealt::Evenly(cells) => cells[usize::from(shard) * cells.len() / usize::from(SHARDS)],
        }
    }
}

/// Makes one cell; the others are told of its epoch first, so that no number of one is given twice.
async fn one(
    sessions: &[(u8, Session)],
    at: usize,
    dealt: Option<&Dealt>,
    now: Time,
) -> Result<usize, StoreError> {
    let (no, session) = &sessions[at];
    let mut all: Vec<Start> = Vec::new();
    let mut highest = 0;
    for (_, session) in sessions {
        let sql = "SELECT last_value FROM serials";
        highest = highest.max(session.client.query_one(sql, &[]).await?.get::<_, i64>(0) + TURN);
        all.extend(starts(session).await?);
    }
    let epoch = all.iter().map(|start| start.epoch).max().map_or(0, |last| last + 1);
    if epoch >= EPOCHS_MAX {
        return Err(refused(format!("all {EPOCHS_MAX} store epochs are used up")));
    }
    let start = Start { first: block_above(*no, highest), epoch, cell: Some(*no) };
    let others = sessions.iter().filter(|(other, _)| other != no);
    for (_, other) in others.clone() {
        note(other, start).await?;
        tell(other).await?;
    }
    let client = &session.client;
    client.batch_execute("BEGIN").await?;
    for known in all.iter().chain([&start]) {
        note(session, *known).await?;
    }
    let sql = format!("ALTER SEQUENCE serials INCREMENT BY {LAP} RESTART WITH {}", start.first);
    client.batch_execute(&sql).await?;
    for table in NUMBERED {
        let above = highest_of(sessions, table).await?;
        let next = number_above(*no, above);
        let sql = format!(
            "ALTER SEQUENCE {} INCREMENT BY {CELLS} RESTART WITH {next}",
            sequence(session, table).await?
        );
        client.batch_execute(&sql).await?;
    }
    let rows = match dealt {
        Some(dealt) => (0..SHARDS).map(|shard| (shard, dealt.cell(shard), 0)).collect(),
        None => borrowed(sessions, *no).await?,
    };
    let shards = rows.iter().filter(|(_, cell, _)| cell == no).count();
    for (shard, cell, version) in rows {
        let sql = "INSERT INTO shards (shard, cell, version) VALUES ($1, $2, $3)";
        let shard = i16::try_from(shard).unwrap_or_default();
        client.execute(sql, &[&shard, &i16::from(cell), &version]).await?;
    }
    client.execute("UPDATE store SET cell = $1", &[&i16::from(*no)]).await?;
    // A node of a version that knows nothing of shards does not say what it knows: it cannot start here.
    client.batch_execute("ALTER TABLE nodes ALTER COLUMN knows DROP DEFAULT").await?;
    let sql = "INSERT INTO events (at, actor_kind, kind, about_kind, about, note) \
               VALUES ($1, 2, $2, 6, 0, $3)";
    let text = format!("cell {no} of an installation; epoch {epoch} started");
    client.execute(sql, &[&now.0, &(EventKind::EpochStarted as i16), &text]).await?;
    tell(session).await?;
    client.batch_execute("COMMIT").await?;
    Ok(shards)
}

/// The first serial of a cell's next block above one.
pub(super) fn block_above(cell: u8, serial: i64) -> i64 {
    (serial.div_euclid(LAP) + 1) * LAP + i64::from(cell) * TURN + 1
}

/// A cell's next number above one.
pub(super) fn number_above(cell: u8, number: i64) -> i64 {
    let lap = i64::from(CELLS);
    (number.div_euclid(lap) + 1) * lap + i64::from(cell)
}

async fn note(session: &Session, start: Start) -> Result<(), StoreError> {
    let sql = "INSERT INTO epochs (epoch, first_serial, cell) VALUES ($1, $2, $3) \
               ON CONFLICT (epoch) DO NOTHING";
    let cell = start.cell.map(i16::from);
    session.client.execute(sql, &[&i32::from(start.epoch), &start.first, &cell]).await?;
    let sql = "SELECT first_serial, cell FROM epochs WHERE epoch = $1";
    let row = session.client.query_one(sql, &[&i32::from(start.epoch)]).await?;
    match (row.get::<_, i64>(0), row.get::<_, Option<i16>>(1)) == (start.first, cell) {
        true => Ok(()),
        false => Err(refused(format!(
            "two of the stores have an epoch {} of their own: they cannot be cells of one installation",
            start.epoch
        ))),
    }
}

pub(super) async fn sequence(session: &Session, table: &str) -> Result<String, StoreError> {
    let sql = "SELECT pg_get_serial_sequence($1, 'no')";
    Ok(session.client.query_one(sql, &[&table]).await?.get(0))
}

/// Where a store's sequences are: serials, then those of [`NUMBERED`].
pub(super) async fn come_to(session: &Session) -> Result<Vec<i64>, StoreError> {
    let mut names = vec!["serials".to_owned()];
    for table in NUMBERED {
        names.push(sequence(session, table).await?);
    }
    let mut numbers = Vec::with_capacity(names.len());
    for name in names {
        let sql = format!("SELECT last_value FROM {name}");
        numbers.push(session.client.query_one(&sql, &[]).await?.get(0));
    }
    Ok(numbers)
}

/// Lets a cell go on above what another one has come to: a shard that came or comes from there has no number
/// that is given again. It may be serving: whoever takes a number waits for the moment.
pub(in super::super) async fn go_on_above(
    session: &Session,
    cell: u8,
    theirs: &[i64],
) -> Result<(), StoreError> {
    for (at, theirs) in theirs.iter().enumerate() {
        let (name, step, next) = match at.checked_sub(1) {
            None => ("serials".to_owned(), LAP, block_above(cell, *theirs)),
            Some(at) => {
                let name = sequence(session, NUMBERED[at]).await?;
                (name, i64::from(CELLS), number_above(cell, *theirs))
            }
        };
        // Altered to what it is: that keeps others from it until the end of this transaction.
        let sql = format!(
            "SET LOCAL lock_timeout = '2s'; ALTER SEQUENCE {name} INCREMENT BY {step}; \
             SELECT setval('{name}', {next}, FALSE) WHERE (SELECT last_value FROM {name}) <= {theirs}"
        );
        session.client.batch_execute(&sql).await?;
    }
    Ok(())
}

async fn highest_of(sessions: &[(u8, Session)], table: &str) -> Result<i64, StoreError> {
    let mut highest = 0;
    for (_, session) in sessions {
        let sql = format!("SELECT last_value FROM {}", sequence(session, table).await?);
        let last: i64 = session.client.query_one(&sql, &[]).await?.get(0);
        highest = highest.max(last);
    }
    Ok(highest)
}

/// The map as those have it that are cells already: of each shard the newest word of anyone.
async fn borrowed(sessions: &[(u8, Session)], no: u8) -> Result<Vec<(u16, u8, i64)>, StoreError> {
    let mut rows = Vec::new();
    for (other, session) in sessions.iter().filter(|(other, _)| *other != no) {
        let map = whole_map(session).await?;
        // The owner's own last, where others have the same.
        let row = |shard: &Shard| (shard.shard, shard.version, shard.cell == *other, shard.cell);
        rows.extend(map.iter().map(row));
    }
    rows.sort_unstable();
    let mut newest: Vec<(u16, u8, i64)> = Vec::new();
    for (shard, version, _, cell) in rows {
        match newest.last_mut() {
            Some(last) if last.0 == shard => *last = (shard, cell, version),
            _ => newest.push((shard, cell, version)),
        }
    }
    Ok(newest)
}
