//! The journal in a file: a SQLite database of its own beside the hub's data, committed apart from
//! it, so that a hub that was killed can ask what really happened.

use super::error::RailError;
use super::journal::{Call, Execution, Journal, Return, Triple};
use super::scenario::Scenario;
use ichae_domain::ident::BankNo;
use ichae_domain::money::Won;
use ichae_domain::time::Time;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, TransactionBehavior, params};
use std::path::Path;
use std::time::Duration;

/// The steps from each version to the next; an empty file has version 0.
const STEPS: [&str; 1] = [include_str!("journal_1.sql")];
const VERSION: i64 = STEPS.len() as i64;
/// `icJ1`, as the first step writes it: tells a journal from any other database.
const APPLICATION_ID: i64 = 0x6963_4a31;
/// How long to wait for another process that has the file.
const BUSY: Duration = Duration::from_secs(5);

/// A journal in a file. What is appended or counted is kept once [`SqliteJournal::commit`] has
/// returned, and not before.
#[derive(Debug)]
pub struct SqliteJournal {
    db: Connection,
}

impl SqliteJournal {
    /// Opens a journal, creates it where there is none, brings an older one up to date.
    ///
    /// # Errors
    /// [`RailError::Newer`] and [`RailError::Foreign`], with the file untouched;
    /// [`RailError::Journal`] where it cannot be read or written.
    pub fn open(path: &Path) -> Result<SqliteJournal, RailError> {
        let mut db = Connection::open(path)?;
        db.busy_timeout(BUSY)?;
        version(&db)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        upgrade(&mut db)?;
        Ok(SqliteJournal { db })
    }

    /// Opens a journal to read it, also while a bank writes to it.
    pub(super) fn open_to_read(path: &Path) -> Result<Connection, RailError> {
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        db.busy_timeout(BUSY)?;
        match version(&db)? {
            0 => Err(RailError::Foreign),
            _ => Ok(db),
        }
    }

    /// Makes durable what was written since the last commit.
    ///
    /// # Errors
    /// [`RailError::Journal`]; whether it was kept is then open until the file is read again.
    pub fn commit(&mut self) -> Result<(), RailError> {
        if !self.db.is_autocommit() {
            self.db.execute_batch("COMMIT")?;
        }
        Ok(())
    }

    /// Forgets what was written since the last commit.
    ///
    /// # Errors
    /// [`RailError::Journal`].
    pub fn abandon(&mut self) -> Result<(), RailError> {
        if !self.db.is_autocommit() {
            self.db.execute_batch("ROLLBACK")?;
        }
        Ok(())
    }

    /// The first write after a commit opens the next transaction.
    fn begin(&self) -> Result<(), RailError> {
        if self.db.is_autocommit() {
            self.db.execute_batch("BEGIN IMMEDIATE")?;
        }
        Ok(())
    }
}

/// The version of a journal, 0 for an empty file.
fn version(db: &Connection) -> Result<i64, RailError> {
    let pragma = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let found = pragma("user_version")?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let empty = found == 0 && tables == 0;
    if !empty && pragma("application_id")? != APPLICATION_ID {
        return Err(RailError::Foreign);
    }
    if found > VERSION {
        return Err(RailError::Newer { found, known: VERSION });
    }
    Ok(found)
}

fn upgrade(db: &mut Connection) -> Result<(), RailError> {
    let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Read again under the lock: another process may have been faster.
    let done = usize::try_from(version(&step)?).unwrap_or_default();
    for sql in STEPS.iter().skip(done) {
        step.execute_batch(sql)?;
    }
    step.pragma_update(None, "user_version", VERSION)?;
    Ok(step.commit()?)
}

impl Journal for SqliteJournal {
    fn append(&mut self, call: &Call, return_due: Option<Time>) -> Result<(), RailError> {
        self.begin()?;
        let Call { triple, scenario, paid, at } = call;
        self.db
            .prepare_cached(
                "INSERT INTO calls (bank_no, day, amount, scenario, paid, at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                triple.bank_no.0,
                triple.day.0,
                triple.amount.0,
                scenario.number(),
                paid,
                at.0
            ])?;
        if let Some(due) = return_due {
            // No row is ever deleted, so the next number is always a new one.
            self.db
                .prepare_cached("INSERT INTO returns (bank_no, due) VALUES (?1, ?2)")?
                .execute(params![triple.bank_no.0, due.0])?;
        }
        Ok(())
    }

    fn inquired(&mut self, triple: &Triple) -> Result<Option<(Call, i64)>, RailError> {
        self.begin()?;
        let mut count = self.db.prepare_cached(
            "UPDATE calls SET inquiries = inquiries + 1 WHERE no = (\
             SELECT ifnull(min(CASE WHEN paid THEN no END), max(no)) FROM calls \
             WHERE bank_no = ?1 AND day = ?2 AND amount = ?3) \
             RETURNING scenario, paid, at, inquiries",
        )?;
        let key = params![triple.bank_no.0, triple.day.0, triple.amount.0];
        let call = |row: &Row<'_>| {
            let (paid, at) = (row.get(1)?, Time(row.get(2)?));
            Ok((Call { triple: *triple, scenario: scenario(row)?, paid, at }, row.get(3)?))
        };
        Ok(count.query_row(key, call).optional()?)
    }

    fn returns(&self, after: i64, limit: usize) -> Result<Vec<Return>, RailError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut read = self.db.prepare_cached(
            "SELECT number, bank_no, due FROM returns WHERE number > ?1 ORDER BY number LIMIT ?2",
        )?;
        let rows = read.query_map([after, limit], |row| {
            Ok(Return { number: row.get(0)?, bank_no: BankNo(row.get(1)?), due: Time(row.get(2)?) })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn executions(&self) -> Result<Vec<Execution>, RailError> {
        let mut read = self.db.prepare_cached(
            "SELECT bank_no, count(*), sum(paid), sum(paid * amount) FROM calls \
             GROUP BY bank_no ORDER BY bank_no",
        )?;
        let rows = read.query_map([], |row| {
            Ok(Execution {
                bank_no: BankNo(row.get(0)?),
                calls: row.get(1)?,
                times_paid: row.get(2)?,
                paid: Won(row.get(3)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn scenario(row: &Row<'_>) -> rusqlite::Result<Scenario> {
    let number = row.get(0)?;
    Scenario::from_number(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, number))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_bundled_sqlite_is_past_the_race_in_older_write_ahead_logs() {
        assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
    }
}
