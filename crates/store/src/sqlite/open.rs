//! Opening a store: version, durability, migrations, keys and epoch are checked before it serves.

use super::SQLITE_MIN;
use super::batch::{Parts, SqliteBackend};
use super::distinct::{DistinctKeys, Lineage};
use super::read::SqliteReader;
use crate::board::Board;
use crate::keys::Keys;
use crate::port::{Clock, StoreError};
use crate::prints::{self, Known};
use crate::seal::Sealer;
use crate::witness::Witness;
use ichae_domain::ident::{EPOCHS_MAX, Epochs};
use ichae_domain::time::Time;
use ichae_domain::view::{EventKind, Rules};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod migrations {
    refinery::embed_migrations!("src/sqlite/migrations");
}

/// How a store is opened.
pub struct Settings {
    pub file: PathBuf,
    /// `test` or `live`; a store made for one is refused by the other.
    pub environment: &'static str,
    pub rules: Rules,
    pub clock: Clock,
    /// Keeps, outside the store, how far it was; tells a store that is older than it was.
    pub witness: Option<PathBuf>,
    /// Newest `distinct_key`s in memory from which on they are written down: [`KEYS_IN_MEMORY`] but
    /// for tests.
    pub keys_in_memory: usize,
}

/// An open store: its writer's half and its readers.
pub struct Opened {
    pub backend: SqliteBackend,
    pub reader: SqliteReader,
    /// Set where the store was found to be older than it was: a new epoch was started and the rail
    /// paused (decision I1).
    pub rolled_back: bool,
}

/// Opens or makes the store. Refuses an SQLite with the WAL-reset race, weaker sync than FULL, a
/// store of a newer version, of another environment, or of other keys.
pub fn open(settings: Settings, sealer: &Arc<Sealer>) -> Result<Opened, StoreError> {
    check_library()?;
    let mut writer = connect(&settings.file)?;
    migrate(&mut writer)?;
    identify(&writer, &settings)?;
    know_keys(&writer, &sealer.keys())?;
    let witness = settings.witness.as_deref().map(|path| Witness::of(path, &settings.file));
    let store_id = store_id(&writer)?;
    let rolled_back = start_epoch(&mut writer, witness.as_ref(), &store_id, &settings)?;
    let epochs = Arc::new(epochs(&writer)?);
    let lineage = Lineage { store_id: store_id.clone(), epochs: Arc::clone(&epochs) };
    let distinct = DistinctKeys::open(&writer, &settings.file, &lineage, settings.keys_in_memory)?;
    let board = Arc::new(Board::default());
    let reader = SqliteReader::open(
        &settings.file,
        Arc::clone(&epochs),
        Arc::clone(sealer),
        Arc::clone(&board),
    )?;
    let mut backend = SqliteBackend::new(Parts {
        db: writer,
        sealer: Arc::clone(sealer),
        rules: settings.rules,
        clock: settings.clock,
        epochs: Arc::clone(&epochs),
        distinct,
        board,
        witness: witness.map(|witness| (witness, store_id)),
    })?;
    backend.doubt_lost_time()?;
    Ok(Opened { backend, reader, rolled_back })
}

fn check_library() -> Result<(), StoreError> {
    if rusqlite::version_number() < SQLITE_MIN {
        let have = rusqlite::version();
        let text = format!("SQLite {have} can lose commits (WAL reset); 3.51.3 or newer is needed");
        return Err(StoreError::Refused(text));
    }
    Ok(())
}

pub(super) fn connect(file: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(file)?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    keep_plans(&connection)?;
    {
        // The switch is committed when its statement ends, after it has said its row.
        let mut switch = connection.prepare("PRAGMA journal_mode = WAL")?;
        let mut rows = switch.query([])?;
        while rows.next()?.is_some() {}
    }
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |r| r.get(0))?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
         PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;",
    )?;
    let sync: i64 = connection.query_row("PRAGMA synchronous", [], |r| r.get(0))?;
    if mode != "wal" || sync != 2 {
        let text = format!("the store needs WAL and synchronous FULL, got {mode} and {sync}");
        return Err(StoreError::Refused(text));
    }
    Ok(connection)
}

/// Plans do not depend on what is bound. Else every statement on a table with a partial index is
/// planned again at each use, which cost more than the statement.
pub(super) fn keep_plans(connection: &Connection) -> Result<(), StoreError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Brings an older store to this version; refuses a newer one.
fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let runner = migrations::migrations::runner();
    let known = runner.get_migrations().iter().map(|m| i64::from(m.version())).max().unwrap_or(0);
    if let Some(version) = schema_version(connection)?.filter(|version| *version > known) {
        return Err(StoreError::Refused(format!(
            "this store is of version {version}, this ichae knows up to {known}: use a newer ichae"
        )));
    }
    // All of it in one transaction: a step without its line in the history could not be taken again.
    runner
        .set_grouped(true)
        .run(connection)
        .map(|_| ())
        .map_err(|error| StoreError::Refused(format!("the store cannot be upgraded: {error}")))
}

fn schema_version(connection: &Connection) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT 1 FROM sqlite_master WHERE name = 'refinery_schema_history'";
    if connection.query_row(sql, [], |_| Ok(())).optional()?.is_none() {
        return Ok(None);
    }
    let sql = "SELECT max(version) FROM refinery_schema_history";
    Ok(connection.query_row(sql, [], |r| r.get(0))?)
}

/// Gives a new store its id and environment; refuses one of another environment.
fn identify(connection: &Connection, settings: &Settings) -> Result<(), StoreError> {
    let sql = "SELECT environment FROM store";
    let found: Option<String> = connection.query_row(sql, [], |r| r.get(0)).optional()?;
    match found {
        Some(environment) if environment == settings.environment => Ok(()),
        Some(moved) if moved.starts_with("moved") => Err(StoreError::Refused(format!(
            "this store was {moved}: serve that one, by the `store` of its configuration"
        ))),
        Some(environment) => Err(StoreError::Refused(format!(
            "this store was made for {environment}, not for {}",
            settings.environment
        ))),
        None => {
            let id = crate::keys::Key::random()?;
            let transaction = connection.unchecked_transaction()?;
            transaction.execute(
                "INSERT INTO store VALUES (1, ?1, ?2, ?3)",
                params![&id.bytes()[..16], (settings.clock)().0, settings.environment],
            )?;
            transaction.execute("INSERT INTO epochs (epoch, first_serial) VALUES (0, 1)", [])?;
            Ok(transaction.commit()?)
        }
    }
}

pub(super) fn store_id(connection: &Connection) -> Result<Vec<u8>, StoreError> {
    Ok(connection.query_row("SELECT store_id FROM store", [], |r| r.get(0))?)
}

/// The keys that the store knows: kind, number, fingerprint.
fn known_keys(connection: &Connection) -> Result<Vec<Known>, StoreError> {
    let mut known = connection.prepare("SELECT kind, id, print FROM key_prints")?;
    let known = known.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
    Ok(known.collect::<Result<_, _>>()?)
}

/// Every key that the store knows must be there and the same. A sealing or index key that nothing
/// is under any more may be missing: that is how old keys are retired.
pub(super) fn compare_keys(connection: &Connection, keys: &Keys) -> Result<(), StoreError> {
    prints::compare(&known_keys(connection)?, keys, || used_keys(connection))
}

/// Numbers of the keys that rows are under. A fingerprint does not say which index key made it, but
/// both kinds are rotated together and a row is indexed when it is sealed: one number for both.
fn used_keys(connection: &Connection) -> Result<BTreeSet<u32>, StoreError> {
    let sql = "SELECT substr(account, 1, 4) FROM billing_keys UNION \
               SELECT substr(webhook_secret, 1, 4) FROM partners WHERE webhook_secret IS NOT NULL \
               UNION SELECT substr(instrument, 1, 4) FROM payers \
               UNION SELECT substr(texts, 1, 4) FROM charges";
    let mut rows = connection.prepare(sql)?;
    let mut rows = rows.query([])?;
    let mut used = BTreeSet::new();
    while let Some(r) = rows.next()? {
        let head: Vec<u8> = r.get(0)?;
        let damaged = || StoreError::Damaged("what a row is sealed under".to_owned());
        used.insert(Sealer::sealed_under(&head).ok_or_else(damaged)?);
    }
    Ok(used)
}

/// After every row was sealed again: keys older than those in use when that began are not asked for again.
/// What rows are under is not looked up, which would read every sealed row while all commits wait.
pub(super) fn forget_keys(connection: &Connection, oldest: u32) -> Result<(), StoreError> {
    let sql = "DELETE FROM key_prints WHERE kind IN (?1, ?2) AND id < ?3";
    connection.execute(sql, params![prints::SEALING, prints::INDEX, oldest])?;
    Ok(())
}

/// Compares the keys, and writes new ones down before anything is sealed under them. What was found to be
/// retired is not looked for again.
pub(super) fn know_keys(connection: &Connection, keys: &Keys) -> Result<(), StoreError> {
    compare_keys(connection, keys)?;
    for (kind, id) in prints::retired(&known_keys(connection)?, keys) {
        let sql = "DELETE FROM key_prints WHERE kind = ?1 AND id = ?2";
        connection.execute(sql, params![kind, id])?;
    }
    for (kind, id, print) in prints::of(keys) {
        connection.execute(
            "INSERT INTO key_prints VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            params![kind, id, &print[..]],
        )?;
    }
    Ok(())
}

pub(super) fn epochs(connection: &Connection) -> Result<Epochs, StoreError> {
    let mut rows = connection.prepare("SELECT first_serial, epoch FROM epochs ORDER BY epoch")?;
    let starts = rows.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<Result<_, _>>()?;
    Epochs::new(starts).ok_or_else(|| StoreError::Damaged("the table of epochs".to_owned()))
}

/// A store that is older than its witness starts a new epoch and pauses the rail: what was sent in
/// the lost time is known to the bank only (decision I1).
fn start_epoch(
    connection: &mut Connection,
    witness: Option<&Witness>,
    store_id: &[u8],
    settings: &Settings,
) -> Result<bool, StoreError> {
    let seen = witness.map(|witness| witness.read(store_id)).transpose()?.flatten();
    let Some(seen) = seen else { return Ok(false) };
    let epoch = epochs(connection)?.current();
    let events = last_event(connection)?;
    if seen.epoch <= epoch && seen.events <= events {
        return Ok(false);
    }
    let next = epoch.max(seen.epoch) + 1;
    if next >= EPOCHS_MAX {
        return Err(StoreError::Refused(format!("all {EPOCHS_MAX} store epochs are used up")));
    }
    let lost = seen.events.saturating_sub(events);
    let reason = format!("the store is {lost} events older than it was; epoch {next} started");
    begin_epoch(connection, next, (settings.clock)(), &reason)?;
    Ok(true)
}

/// Begins an epoch in one transaction: no number of the time before can come again, the rail is
/// paused, and every payout that may have been sent in a lost time is marked to be asked about,
/// which the next opening does.
pub(super) fn begin_epoch(
    connection: &mut Connection,
    epoch: u16,
    now: Time,
    reason: &str,
) -> Result<(), StoreError> {
    let transaction = connection.transaction()?;
    let first = super::batch::next_serial(&transaction)?;
    transaction.execute(
        "INSERT INTO epochs (epoch, first_serial, in_doubt) VALUES (?1, ?2, 1)",
        params![epoch, first],
    )?;
    transaction.execute(
        "UPDATE rails SET paused_at = ?1, paused_by = 'ichae', pause_reason = ?2, bank_counter = 0",
        params![now.0, reason],
    )?;
    transaction.execute(
        "INSERT INTO events (at, actor_kind, kind, about_kind, about, note)
         VALUES (?1, 2, ?2, 6, 0, ?3)",
        params![now.0, EventKind::EpochStarted as i64, reason],
    )?;
    Ok(transaction.commit()?)
}

pub(super) fn last_event(connection: &Connection) -> Result<i64, StoreError> {
    let sql = "SELECT ifnull(max(no), 0) FROM events";
    Ok(connection.query_row(sql, [], |r| r.get(0))?)
}

/// The latest moment that a store has written down, before it is opened to serve; zero where there
/// is no store yet.
pub fn latest(file: &Path) -> Result<Time, StoreError> {
    if !file.exists() {
        return Ok(Time(0));
    }
    let db = super::read::connect(file)?;
    let sql = "SELECT at FROM events ORDER BY no DESC LIMIT 1";
    let table = "SELECT 1 FROM sqlite_master WHERE name = 'events'";
    if db.query_row(table, [], |_| Ok(())).optional()?.is_none() {
        return Ok(Time(0));
    }
    Ok(Time(db.query_row(sql, [], |r| r.get(0)).optional()?.unwrap_or(0)))
}

/// What a store was made for, `test` or `live`.
pub fn environment(file: &Path) -> Result<String, StoreError> {
    let db = super::read::connect(file)?;
    Ok(db.query_row("SELECT environment FROM store", [], |r| r.get(0))?)
}
