//! The journal: a SQLite database of its own beside the hub's data, committed apart from it, so that a
//! hub that was killed can ask what really happened.

use super::audit::{self, AuditRow};
use super::error::AcquirerError;
use super::row::{Row, Standing};
use ichae_domain::billing::TradeKind;
use ichae_domain::money::Won;
use ichae_journal::Kind;
use rusqlite::{Connection, OptionalExtension as _, params};
use std::path::Path;

/// `icA1`.
const KIND: Kind = Kind { application_id: 0x6963_4131, steps: &[include_str!("journal_1.sql")] };

/// A journal. What is done with it is done inside [`Journal::whole`].
pub(super) struct Journal {
    db: Connection,
}

impl Journal {
    /// # Errors
    /// [`AcquirerError::File`].
    pub(super) fn open(path: &Path) -> Result<Journal, AcquirerError> {
        Ok(Journal { db: KIND.open(path)? })
    }

    /// Opens a journal to read it, also while an acquirer writes to it.
    pub(super) fn open_to_read(path: &Path) -> Result<Connection, AcquirerError> {
        Ok(KIND.open_to_read(path)?)
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
