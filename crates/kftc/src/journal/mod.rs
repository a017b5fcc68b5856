//! The journal: a SQLite file of the simulator's own. What a call did is committed to it before
//! the call is answered, so it says what really happened, whoever was killed when.

pub mod audit;
pub(crate) mod statement;
pub(crate) mod write;

use crate::error::KftcError;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::Path;
use std::time::Duration;

/// The steps from each version to the next; an empty file has version 0.
const STEPS: [&str; 1] = [include_str!("journal_1.sql")];
const VERSION: i64 = STEPS.len() as i64;
/// `icK1`, as the first step writes it: tells a journal from any other database.
const APPLICATION_ID: i64 = 0x6963_4b31;
/// How long to wait for another process that has the file.
const BUSY: Duration = Duration::from_secs(5);

/// Opens a journal to write it, creates it where there is none.
fn open(path: &Path) -> Result<Connection, KftcError> {
    let mut db = Connection::open(path)?;
    db.busy_timeout(BUSY)?;
    version(&db)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    upgrade(&mut db)?;
    Ok(db)
}

/// Opens a journal to read it, also while a simulator writes to it.
fn open_to_read(path: &Path) -> Result<Connection, KftcError> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    db.busy_timeout(BUSY)?;
    match version(&db)? {
        0 => Err(KftcError::Foreign),
        _ => Ok(db),
    }
}

/// The version of a journal, 0 for an empty file.
fn version(db: &Connection) -> Result<i64, KftcError> {
    let pragma = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let found = pragma("user_version")?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let empty = found == 0 && tables == 0;
    if !empty && pragma("application_id")? != APPLICATION_ID {
        return Err(KftcError::Foreign);
    }
    if found > VERSION {
        return Err(KftcError::Newer { found, known: VERSION });
    }
    Ok(found)
}

fn upgrade(db: &mut Connection) -> Result<(), KftcError> {
    let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Read again under the lock: another process may have been faster.
    let done = usize::try_from(version(&step)?).unwrap_or_default();
    for sql in STEPS.iter().skip(done) {
        step.execute_batch(sql)?;
    }
    step.pragma_update(None, "user_version", VERSION)?;
    Ok(step.commit()?)
}
