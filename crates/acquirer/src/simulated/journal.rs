//! The journal: a SQLite database of its own beside the hub's data, committed apart from it, so that a
//! hub that was killed can ask what really happened.

use super::audit::{self, AuditRow};
use super::error::AcquirerError;
use super::row::{Row, Standing};
use ichae_domain::billing::TradeKind;
use ichae_domain::money::Won;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior, params};
use std::path::Path;
use std::time::Duration;

/// The steps from each version to the next; an empty file has version 0.
const STEPS: [&str; 1] = [include_str!("journal_1.sql")];
const VERSION: i64 = STEPS.len() as i64;
/// `icA1`, as the first step writes it: tells a journal from any other database.
const APPLICATION_ID: i64 = 0x6963_4131;
/// How long to wait for another process that has the file.
const BUSY: Duration = Duration::from_secs(5);

/// A journal. What is done with it is done inside [`Journal::whole`].
pub(super) struct Journal {
    db: Connection,
}

impl Journal {
    /// Opens a journal, creates it where there is none, brings an older one up to date.
    ///
    /// # Errors
    /// [`AcquirerError::Newer`] and [`AcquirerError::Foreign`], with the file untouched;
    /// [`AcquirerError::Journal`] where it cannot be read or written.
    pub(super) fn open(path: &Path) -> Result<Journal, AcquirerError> {
        let mut db = Connection::open(path)?;
        db.busy_timeout(BUSY)?;
        version(&db)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        upgrade(&mut db)?;
        Ok(Journal { db })
    }

    /// Opens a journal to read it, also while an acquirer writes to it.
    pub(super) fn open_to_read(path: &Path) -> Result<Connection, AcquirerError> {
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        db.busy_timeout(BUSY)?;
        match version(&db)? {
            0 => Err(AcquirerError::Foreign),
            _ => Ok(db),
        }
    }

    /// Does some work in one transaction: all of it is durable on return, or none of it was done.
    ///
    /// # Errors
    /// The work's; where the commit itself failed, whether it was kept is open until the file is
    /// read again.
    pub(super) fn whole<T>(
        &mut self,
        work: impl FnOnce(&Journal) -> Result<T, AcquirerError>,
    ) -> Result<T, AcquirerError> {
        self.db.execute_batch("BEGIN IMMEDIATE")?;
        let kept = work(self).and_then(|value| {
            self.db.execute_batch("COMMIT")?;
            Ok(value)
        });
        if kept.is_err() && !self.db.is_autocommit() {
            self.db.execute_batch("ROLLBACK")?;
        }
        kept
    }

    /// No row is ever deleted, so the next number is always a new one.
    pub(super) fn next_no(&self) -> Result<i64, AcquirerError> {
        let mut read = self.db.prepare_cached("SELECT ifnull(max(no), 0) + 1 FROM trades")?;
        Ok(read.query_row([], |row| row.get(0))?)
    }

    pub(super) fn by_reference(&self, reference: &str) -> Result<Option<Row>, AcquirerError> {
        self.one("no = (SELECT trade FROM refs WHERE reference = ?1)", reference)
    }

    /// The payment that captured an order.
    pub(super) fn captured(&self, order: &str) -> Result<Option<Row>, AcquirerError> {
        self.one("order_no = ?1 AND kind = 1 AND reason IS NULL", order)
    }

    fn one(&self, which: &str, key: &str) -> Result<Option<Row>, AcquirerError> {
        let sql = format!("SELECT {} FROM trades WHERE {which}", Row::COLUMNS);
        Ok(self.db.prepare_cached(&sql)?.query_row([key], Row::read).optional()?)
    }

    pub(super) fn add(&self, row: &Row, reference: &str) -> Result<(), AcquirerError> {
        let sql = format!(
            "INSERT INTO trades ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            Row::COLUMNS
        );
        self.db.prepare_cached(&sql)?.execute(params![
            row.no,
            row.kind as i64,
            row.pay,
            row.order,
            row.token,
            row.by_card,
            row.amount.0,
            row.reason.map(|reason| reason.0),
            row.receipt,
            row.receipt_reason.map(|reason| reason.0),
        ])?;
        self.name(reference, row.no, false)
    }

    /// Lets one more reference name a payment.
    pub(super) fn alias(&self, reference: &str, no: i64) -> Result<(), AcquirerError> {
        self.name(reference, no, true)
    }

    fn name(&self, reference: &str, no: i64, alias: bool) -> Result<(), AcquirerError> {
        self.db
            .prepare_cached("INSERT INTO refs (reference, trade, alias) VALUES (?1, ?2, ?3)")?
            .execute(params![reference, no, alias])?;
        Ok(())
    }

    /// Counts a call that came with a reference that is known.
    pub(super) fn called_again(&self, reference: &str) -> Result<(), AcquirerError> {
        self.db
            .prepare_cached("UPDATE refs SET calls = calls + 1 WHERE reference = ?1")?
            .execute([reference])?;
        Ok(())
    }

    /// Which inquiry about it this is, counted from 1.
    pub(super) fn inquired(&self, no: i64) -> Result<i64, AcquirerError> {
        let mut count = self.db.prepare_cached(
            "UPDATE trades SET inquiries = inquiries + 1 WHERE no = ?1 RETURNING inquiries",
        )?;
        Ok(count.query_row([no], |row| row.get(0))?)
    }

    /// What refunds gave back of a payment.
    pub(super) fn refunded(&self, pay: i64) -> Result<Won, AcquirerError> {
        let mut sum = self.db.prepare_cached(
            "SELECT ifnull(sum(amount), 0) FROM trades \
             WHERE pay = ?1 AND kind = ?2 AND reason IS NULL",
        )?;
        Ok(Won(sum.query_row([pay, TradeKind::Refund as i64], |row| row.get(0))?))
    }

    pub(super) fn standing(&self, pay: i64) -> Result<Option<Standing>, AcquirerError> {
        let mut read =
            self.db.prepare_cached("SELECT receipt, amount FROM receipts WHERE pay = ?1")?;
        let standing =
            |row: &rusqlite::Row<'_>| Ok(Standing { no: row.get(0)?, amount: Won(row.get(1)?) });
        Ok(read.query_row([pay], standing).optional()?)
    }

    pub(super) fn stands(&self, pay: i64, receipt: Standing) -> Result<(), AcquirerError> {
        self.db
            .prepare_cached("INSERT INTO receipts (pay, receipt, amount) VALUES (?1, ?2, ?3)")?
            .execute([pay, receipt.no, receipt.amount.0])?;
        Ok(())
    }

    pub(super) fn stands_no_more(&self, pay: i64) -> Result<(), AcquirerError> {
        self.db.prepare_cached("DELETE FROM receipts WHERE pay = ?1")?.execute([pay])?;
        Ok(())
    }

    /// Whether a payment ever had a receipt, by itself or later.
    pub(super) fn had_receipt(&self, pay: i64) -> Result<bool, AcquirerError> {
        let mut read = self.db.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM trades WHERE (no = ?1 OR pay = ?1) AND receipt IS NOT NULL)",
        )?;
        Ok(read.query_row([pay], |row| row.get(0))?)
    }

    pub(super) fn audit(&self) -> Result<Vec<AuditRow>, AcquirerError> {
        audit::rows(&self.db)
    }
}

/// The version of a journal, 0 for an empty file.
fn version(db: &Connection) -> Result<i64, AcquirerError> {
    let pragma = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let found = pragma("user_version")?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let empty = found == 0 && tables == 0;
    if !empty && pragma("application_id")? != APPLICATION_ID {
        return Err(AcquirerError::Foreign);
    }
    if found > VERSION {
        return Err(AcquirerError::Newer { found, known: VERSION });
    }
    Ok(found)
}

fn upgrade(db: &mut Connection) -> Result<(), AcquirerError> {
    let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Read again under the lock: another process may have been faster.
    let done = usize::try_from(version(&step)?).unwrap_or_default();
    for sql in STEPS.iter().skip(done) {
        step.execute_batch(sql)?;
    }
    step.pragma_update(None, "user_version", VERSION)?;
    Ok(step.commit()?)
}
