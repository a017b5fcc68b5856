//! Reads a journal from outside, to prove that nothing was captured or given back twice.

use super::error::AcquirerError;
use super::journal::Journal;
use ichae_domain::billing::TradeKind;
use ichae_domain::money::Won;
use rusqlite::Connection;
use std::path::Path;

/// One reference that a call came with. What was moved is the sum of those that are `done` and no
/// `alias`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditRow {
    pub reference: String,
    /// The journal's number of what it names: two references of one payment have the same.
    pub trade: i64,
    /// Whether it came with an order that was captured before under another reference.
    pub alias: bool,
    /// The order, also of what is about its payment; `None` where there was no such payment.
    pub order: Option<String>,
    pub kind: TradeKind,
    pub amount: Won,
    /// Whether it was carried out, whatever the caller got to hear.
    pub done: bool,
    /// How often a call came with this reference.
    pub calls: i64,
}

/// Every reference, in the order of what they name; also while an acquirer writes to the file.
///
/// # Errors
/// [`AcquirerError::File`] where there is no such file or it is no journal that we know;
/// [`AcquirerError::Journal`] where it cannot be read.
pub fn audit(path: &Path) -> Result<Vec<AuditRow>, AcquirerError> {
    rows(&Journal::open_to_read(path)?)
}

pub(super) fn rows(db: &Connection) -> Result<Vec<AuditRow>, AcquirerError> {
    let mut read = db.prepare(
        "SELECT reference, trade, alias, ifnull(own.order_no, paid.order_no), own.kind, own.amount, \
         own.reason IS NULL, calls FROM refs JOIN trades own ON own.no = trade \
         LEFT JOIN trades paid ON paid.no = own.pay ORDER BY trade, alias, reference",
    )?;
    let rows = read.query_map([], |row| {
        let kind = row.get(4)?;
        Ok(AuditRow {
            reference: row.get(0)?,
            trade: row.get(1)?,
            alias: row.get(2)?,
            order: row.get(3)?,
            kind: TradeKind::from_number(kind)
                .ok_or(rusqlite::Error::IntegralValueOutOfRange(4, kind))?,
            amount: Won(row.get(5)?),
            done: row.get(6)?,
            calls: row.get(7)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
