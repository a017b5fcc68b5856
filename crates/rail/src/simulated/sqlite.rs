//! The journal in a file: a SQLite database of its own beside the hub's data, committed apart from
//! it, so that a hub that was killed can ask what really happened.

use super::error::RailError;
use super::journal::{Call, Execution, Journal, Return, Triple};
use super::scenario::Scenario;
use ichae_domain::ident::BankNo;
use ichae_domain::money::Won;
use ichae_domain::time::Time;
use ichae_journal::Kind;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use std::path::Path;

/// `icJ1`.
const KIND: Kind = Kind { application_id: 0x6963_4a31, steps: &[include_str!("journal_1.sql")] };

/// A journal in a file. What is appended or counted is kept once [`SqliteJournal::commit`] has
/// returned, and not before.
#[derive(Debug)]
pub struct SqliteJournal {
    db: Connection,
}

impl SqliteJournal {
    /// # Errors
    /// [`RailError::File`].
    pub fn open(path: &Path) -> Result<SqliteJournal, RailError> {
        Ok(SqliteJournal { db: KIND.open(path)? })
    }

    /// Opens a journal to read it, also while a bank writes to it.
    pub(super) fn open_to_read(path: &Path) -> Result<Connection, RailError> {
        Ok(KIND.open_to_read(path)?)
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
