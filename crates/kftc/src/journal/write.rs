//! The writing end of a journal. It belongs to one thread.

use crate::error::KftcError;
use ichae_domain::time::{Day, Time};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::path::Path;

/// A call to deposit, as the journal keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    pub bank_tran_id: String,
    pub day: Day,
    pub amount: i64,
    /// The receiver's bank, three digits.
    pub bank: String,
    /// Whether an inquiry can find it.
    pub known: bool,
    pub paid: bool,
    pub code: String,
    pub fault: Option<String>,
    pub at: Time,
    /// Inquiries before this time say 400.
    pub open_until: Time,
    pub pay_at: Option<Time>,
    pub return_at: Option<Time>,
    pub asks: Asks,
}

/// Inquiries about a call that are still to go another way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Asks {
    /// Say 400.
    pub open: u64,
    pub lost: u64,
    pub wrong: u64,
    pub no_history: u64,
}

/// What an inquiry names (openbanking 7).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Triple {
    pub bank_tran_id: String,
    pub day: Day,
    pub amount: i64,
}

/// A call that an inquiry found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    no: i64,
    pub bank: String,
    pub code: String,
    pub open_until: Time,
    pub asks: Asks,
}

/// What is kept once [`Journal::commit`] has returned, and not before.
#[derive(Debug)]
pub struct Journal {
    db: Connection,
}

impl Journal {
    /// Opens a journal, creates it where there is none.
    pub fn open(path: &Path) -> Result<Journal, KftcError> {
        Ok(Journal { db: super::KIND.open(path)? })
    }

    pub fn commit(&mut self) -> Result<(), KftcError> {
        if !self.db.is_autocommit() {
            self.db.execute_batch("COMMIT")?;
        }
        Ok(())
    }

    /// Forgets what was written since the last commit.
    pub fn abandon(&mut self) -> Result<(), KftcError> {
        if !self.db.is_autocommit() {
            self.db.execute_batch("ROLLBACK")?;
        }
        Ok(())
    }

    /// The first write after a commit opens the next transaction.
    fn begin(&self) -> Result<(), KftcError> {
        if self.db.is_autocommit() {
            self.db.execute_batch("BEGIN IMMEDIATE")?;
        }
        Ok(())
    }

    /// Calls that came with this number: all of them, and those that an inquiry can find.
    pub fn calls_with(&self, bank_tran_id: &str) -> Result<(i64, i64), KftcError> {
        let mut count = self.db.prepare_cached(
            "SELECT count(*), coalesce(sum(known), 0) FROM calls WHERE bank_tran_id = ?1",
        )?;
        Ok(count.query_row([bank_tran_id], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    pub fn append(&mut self, call: &Call) -> Result<(), KftcError> {
        self.begin()?;
        self.db
            .prepare_cached(
                "INSERT INTO calls (bank_tran_id, bank_tran_date, tran_amt, bank, known, paid, \
                 code, fault, at, open_until, pay_at, return_at, \
                 open_asks, lost_asks, wrong_asks, no_history_asks) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            )?
            .execute(params![
                call.bank_tran_id,
                call.day.0,
                call.amount,
                call.bank,
                call.known,
                call.paid,
                call.code,
                call.fault,
                call.at.0,
                call.open_until.0,
                call.pay_at.map(|due| due.0),
                call.return_at.map(|due| due.0),
                whole(call.asks.open),
                whole(call.asks.lost),
                whole(call.asks.wrong),
                whole(call.asks.no_history),
            ])?;
        Ok(())
    }

    /// The call that an inquiry is about. Where the number came more than once it is the first
    /// that was paid, or the latest.
    pub fn find(&self, triple: &Triple) -> Result<Option<Found>, KftcError> {
        let mut read = self.db.prepare_cached(
            "SELECT no, bank, code, open_until, open_asks, lost_asks, wrong_asks, \
             no_history_asks FROM calls WHERE no = (\
             SELECT ifnull(min(CASE WHEN code = '000' THEN no END), max(no)) FROM calls \
             WHERE bank_tran_id = ?1 AND bank_tran_date = ?2 AND tran_amt = ?3 AND known)",
        )?;
        let key = params![triple.bank_tran_id, triple.day.0, triple.amount];
        let found = read.query_row(key, |row| {
            let asks = |column| row.get(column).map(i64::unsigned_abs);
            Ok(Found {
                no: row.get(0)?,
                bank: row.get(1)?,
                code: row.get(2)?,
                open_until: Time(row.get(3)?),
                asks: Asks {
                    open: asks(4)?,
                    lost: asks(5)?,
                    wrong: asks(6)?,
                    no_history: asks(7)?,
                },
            })
        });
        Ok(found.optional()?)
    }

    /// Writes down how many inquiries about a call are still to go another way.
    pub fn set_asks(&mut self, call: &Found, asks: Asks) -> Result<(), KftcError> {
        if asks == call.asks {
            return Ok(());
        }
        self.begin()?;
        self.db
            .prepare_cached(
                "UPDATE calls SET open_asks = ?2, lost_asks = ?3, wrong_asks = ?4, \
                 no_history_asks = ?5 WHERE no = ?1",
            )?
            .execute(params![
                call.no,
                whole(asks.open),
                whole(asks.lost),
                whole(asks.wrong),
                whole(asks.no_history)
            ])?;
        Ok(())
    }

    /// Does what is due: pays what is to be paid late, and takes back what is to be returned.
    pub fn settle(&mut self, now: Time) -> Result<(), KftcError> {
        if self.next_due()?.is_none_or(|due| due > now) {
            return Ok(());
        }
        self.begin()?;
        for sql in [
            "UPDATE calls SET paid = 1, pay_at = NULL WHERE pay_at <= ?1",
            "UPDATE calls SET returned = 1, return_at = NULL WHERE return_at <= ?1 AND paid",
        ] {
            self.db.prepare_cached(sql)?.execute([now.0])?;
        }
        Ok(())
    }

    /// When the next payment or return is due.
    pub fn next_due(&self) -> Result<Option<Time>, KftcError> {
        let mut read = self.db.prepare_cached(
            "SELECT min(due) FROM (SELECT min(pay_at) AS due FROM calls WHERE pay_at IS NOT NULL \
             UNION ALL SELECT min(return_at) FROM calls WHERE return_at IS NOT NULL)",
        )?;
        let due: Option<i64> = read.query_row([], |row| row.get(0))?;
        Ok(due.map(Time))
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_bundled_sqlite_is_past_the_race_in_older_write_ahead_logs() {
        assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
    }
}
