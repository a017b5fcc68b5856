//! The file of the runs: made from the rows, believed only where it is of exactly these rows.

use super::KeyHash;
use super::recent::Recent;
use super::runs::{FILTERS_MAX, Filter, Run, Runs};
use crate::port::StoreError;
use crate::sqlite::row;
use ichae_domain::ident::{Epochs, PartnerNo, PayoutNo};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SCHEMA: &str = "
    CREATE TABLE meta (
        one        INTEGER PRIMARY KEY CHECK (one = 1),
        version    INTEGER NOT NULL,
        filters    INTEGER NOT NULL,
        store_id   BLOB NOT NULL,
        hash_key   BLOB NOT NULL,
        epoch      INTEGER NOT NULL,
        -- Every row up to this one is in a run; its own hash tells whether it is still that row.
        watermark  INTEGER NOT NULL,
        last_hash  INTEGER NOT NULL
    );
    CREATE TABLE runs (
        id     INTEGER PRIMARY KEY,
        level  INTEGER NOT NULL,
        rows   INTEGER NOT NULL,
        filter BLOB NOT NULL
    );";
const VERSION: i64 = 1;

/// Which store the rows are of.
pub(in crate::sqlite) struct Lineage {
    pub store_id: Vec<u8>,
    pub epochs: Arc<Epochs>,
}

/// Where the runs of a store are.
pub(in crate::sqlite) fn file_beside(main: &Path) -> PathBuf {
    main.with_extension("distinct.db")
}

pub(super) struct Side {
    db: Connection,
    hash: KeyHash,
    epoch: u16,
    watermark: PayoutNo,
}

fn connect(file: &Path) -> Result<Connection, StoreError> {
    let db = Connection::open(file)?;
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    // Not FULL: after a power loss it may be behind, never inconsistent, and what it lacks is read
    // from the rows again.
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF;
         PRAGMA cache_size = -8192;",
    )?;
    Ok(db)
}

pub(super) fn connect_to_read(file: &Path) -> Result<Connection, StoreError> {
    let db = crate::sqlite::read::connect(file)?;
    db.set_prepared_statement_cache_capacity(128);
    db.execute_batch("PRAGMA cache_size = -16384;")?;
    Ok(db)
}

/// Removes a database with what SQLite keeps beside it.
pub(in crate::sqlite) fn remove(file: &Path) -> Result<(), StoreError> {
    for ending in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::io(format!("{} cannot be removed", file.display()))(error));
            }
            _ => {}
        }
    }
    Ok(())
}

impl Side {
    /// Opens the file where it is of exactly these rows, else makes an empty one.
    pub fn open_for(main: &Connection, file: &Path, lineage: &Lineage) -> Result<Side, StoreError> {
        match Side::read(main, file, lineage) {
            Ok(Some(side)) => return Ok(side),
            Ok(None) => {}
            Err(StoreError::Sqlite(error)) => {
                tracing::warn!(%error, "the index of distinct keys cannot be read: made anew");
            }
            Err(other) => return Err(other),
        }
        remove(file)?;
        Side::make(file, lineage)
    }

    fn make(file: &Path, lineage: &Lineage) -> Result<Side, StoreError> {
        let db = connect(file)?;
        let key = crate::keys::Key::random()?;
        let transaction = db.unchecked_transaction()?;
        transaction.execute_batch(SCHEMA)?;
        transaction.execute(
            "INSERT INTO meta VALUES (1, ?1, ?2, ?3, ?4, ?5, 0, 0)",
            params![
                VERSION,
                Filter::print(),
                lineage.store_id,
                &key.bytes()[..16],
                lineage.epochs.current()
            ],
        )?;
        transaction.commit()?;
        let hash = key_hash(&key.bytes()[..16])?;
        Ok(Side { db, hash, epoch: lineage.epochs.current(), watermark: PayoutNo(0) })
    }

    /// `None` where there is none, or one of other rows: of another store, ahead of the rows, or
    /// of an epoch that was left before its last row.
    fn read(main: &Connection, file: &Path, lineage: &Lineage) -> Result<Option<Side>, StoreError> {
        if !file.exists() {
            return Ok(None);
        }
        let db = connect(file)?;
        let sql = "SELECT store_id, hash_key, epoch, watermark, last_hash FROM meta \
                   WHERE version = ?1 AND filters = ?2";
        type Meta = (Vec<u8>, Vec<u8>, u16, i64, i64);
        let meta: Option<Meta> = db
            .query_row(sql, [VERSION, Filter::print()], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?))
            })
            .optional()?;
        let Some((store_id, hash_key, epoch, watermark, last_hash)) = meta else {
            return Ok(None);
        };
        let hash = key_hash(&hash_key)?;
        let same_row = watermark == 0
            || row_hash(main, hash, PayoutNo(watermark))?.map(row::from_hash) == Some(last_hash);
        let left = watermark > 0 && lineage.epochs.of(watermark) > epoch;
        if store_id != lineage.store_id || !same_row || left {
            tracing::warn!("the index of distinct keys is not of these rows: made anew");
            return Ok(None);
        }
        let epoch = lineage.epochs.current();
        let side = Side { db, hash, epoch, watermark: PayoutNo(watermark) };
        side.sweep()?;
        Ok(Some(side))
    }

    pub fn hash(&self) -> KeyHash {
        self.hash
    }

    /// Reads the rows above the watermark. So many that memory should not hold them become runs.
    pub fn catch_up(&mut self, main: &Connection, flush_keys: usize) -> Result<Recent, StoreError> {
        let mut recent = Recent::default();
        let mut last = self.watermark;
        let sql = "SELECT no, partner, distinct_key FROM payouts WHERE no > ?1 ORDER BY no";
        let mut statement = main.prepare(sql)?;
        let mut rows = statement.query([self.watermark.0])?;
        while let Some(r) = rows.next()? {
            if recent.len() >= flush_keys * super::worker::FAN_IN {
                tracing::info!(up_to = last.0, "indexing distinct keys");
                self.flush(&std::mem::take(&mut recent), 1)?;
            }
            last = PayoutNo(r.get(0)?);
            let key = r.get_ref(2)?.as_str().map_err(|_| damaged())?;
            recent.insert(self.hash.of(PartnerNo(r.get(1)?), key), last);
        }
        Ok(recent)
    }

    /// All runs, with the filters of the newest ones first in memory.
    pub fn runs(&self) -> Result<Runs, StoreError> {
        let sql = "SELECT id, level, rows, filter FROM runs ORDER BY id DESC";
        let mut statement = self.db.prepare(sql)?;
        let mut rows = statement.query([])?;
        let (mut runs, mut left) = (Vec::new(), FILTERS_MAX);
        while let Some(r) = rows.next()? {
            let (id, level, count): (i64, i64, i64) = (r.get(0)?, r.get(1)?, r.get(2)?);
            let bytes = r.get_ref(3)?.as_blob().map_err(|_| damaged())?;
            let keys = usize::try_from(count).map_err(|_| damaged())?;
            let filter = (!bytes.is_empty() && bytes.len() <= left)
                .then(|| Filter::from_bytes(bytes, keys))
                .flatten();
            left -= filter.as_ref().map_or(0, Filter::bytes);
            runs.push(Run { id, level, rows: count, filter: filter.map(Arc::new) });
        }
        runs.reverse();
        Ok(Runs(runs))
    }

    /// Writes keys down as one run, with its filter, and moves the watermark, in one transaction.
    pub fn flush(&mut self, keys: &Recent, level: i64) -> Result<Run, StoreError> {
        let sorted = keys.sorted();
        let newest = sorted.iter().max_by_key(|(_, no)| *no).copied();
        let Some((last_hash, last)) = newest else { return Err(damaged()) };
        let mut filter = Filter::for_keys(sorted.len());
        let transaction = self.db.unchecked_transaction()?;
        let id = self.fresh_run()?;
        {
            let sql = format!("INSERT INTO {} VALUES (?1, ?2)", Run::table(id));
            let mut insert = transaction.prepare(&sql)?;
            for (hash, no) in in_table_order(&sorted) {
                insert.execute([row::from_hash(hash), no.0])?;
                filter.insert(hash);
            }
        }
        let rows = sorted.len() as i64;
        self.enter(id, level, rows, Some(&filter))?;
        transaction.execute(
            "UPDATE meta SET watermark = ?1, last_hash = ?2, epoch = ?3",
            params![last.0, row::from_hash(last_hash), self.epoch],
        )?;
        transaction.commit()?;
        self.watermark = last;
        Ok(Run { id, level, rows, filter: Some(Arc::new(filter)) })
    }

    /// An empty table for a new run. Its name was never used.
    pub fn fresh_run(&self) -> Result<i64, StoreError> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'run\\_%' \
                   ESCAPE '\\'";
        let mut names = self.db.prepare_cached(sql)?;
        let names = names.query_map([], |r| r.get::<_, String>(0))?;
        let mut last: i64 =
            self.db.query_row("SELECT ifnull(max(id), 0) FROM runs", [], |r| r.get(0))?;
        for name in names {
            let id = name?.strip_prefix("run_").and_then(|id| id.parse().ok());
            last = last.max(id.unwrap_or(0));
        }
        let id = last + 1;
        self.db.execute_batch(&format!(
            "CREATE TABLE {} (hash INTEGER, no INTEGER, PRIMARY KEY (hash, no)) WITHOUT ROWID",
            Run::table(id)
        ))?;
        Ok(id)
    }

    pub fn enter(
        &self,
        id: i64,
        level: i64,
        rows: i64,
        filter: Option<&Filter>,
    ) -> Result<(), StoreError> {
        let filter = filter.map(Filter::to_bytes).unwrap_or_default();
        self.db
            .prepare_cached("INSERT INTO runs VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![id, level, rows, filter])?;
        Ok(())
    }

    pub fn db(&self) -> &Connection {
        &self.db
    }

    /// Drops tables that are no run: a merge that was cut, or runs that were merged.
    pub fn sweep(&self) -> Result<(), StoreError> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'run\\_%' \
                   ESCAPE '\\' AND name NOT IN (SELECT 'run_' || id FROM runs)";
        let names: Vec<String> =
            self.db.prepare(sql)?.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?;
        for name in names {
            self.db.execute_batch(&format!("DROP TABLE {name}"))?;
        }
        Ok(())
    }
}

/// Signed, as SQLite compares them.
fn in_table_order(sorted: &[(u64, PayoutNo)]) -> impl Iterator<Item = (u64, PayoutNo)> {
    let half = sorted.partition_point(|(hash, _)| *hash <= i64::MAX as u64);
    sorted[half..].iter().chain(&sorted[..half]).copied()
}

fn key_hash(bytes: &[u8]) -> Result<KeyHash, StoreError> {
    let halves = bytes.as_chunks::<8>();
    match halves {
        ([a, b], []) => Ok(KeyHash(u64::from_le_bytes(*a), u64::from_le_bytes(*b))),
        _ => Err(damaged()),
    }
}

fn row_hash(main: &Connection, hash: KeyHash, no: PayoutNo) -> Result<Option<u64>, StoreError> {
    let sql = "SELECT partner, distinct_key FROM payouts WHERE no = ?1";
    let found = main.query_row(sql, [no.0], |r| Ok((r.get(0)?, r.get::<_, String>(1)?)));
    Ok(found.optional()?.map(|(partner, key)| hash.of(PartnerNo(partner), &key)))
}

fn damaged() -> StoreError {
    StoreError::Damaged("the index of distinct keys".to_owned())
}

/// What the file says of itself, for `ichae check`.
pub(in crate::sqlite) struct Counted {
    pub watermark: i64,
    /// Rows in all runs, as the tables have them.
    pub rows: i64,
}

/// Counts the runs' rows; `None` where there is no file yet.
pub(in crate::sqlite) fn counted(main: &Path) -> Result<Option<Counted>, StoreError> {
    let file = file_beside(main);
    if !file.exists() {
        return Ok(None);
    }
    let db = crate::sqlite::read::connect(&file)?;
    db.execute_batch("BEGIN")?;
    let watermark = db.query_row("SELECT watermark FROM meta", [], |r| r.get(0)).optional()?;
    let Some(watermark) = watermark else { return Ok(None) };
    let ids: Vec<i64> = db
        .prepare("SELECT id FROM runs")?
        .query_map([], |r| r.get(0))?
        .collect::<Result<_, _>>()?;
    let mut rows = 0;
    for id in ids {
        let sql = format!("SELECT count(*) FROM {}", Run::table(id));
        rows += db.query_row(&sql, [], |r| r.get::<_, i64>(0))?;
    }
    Ok(Some(Counted { watermark, rows }))
}
