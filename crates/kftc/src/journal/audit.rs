//! Reads a journal from outside, to prove that nothing was paid twice.

use crate::error::KftcError;
use serde::Serialize;
use std::path::Path;

/// A journal in a few numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Summary {
    /// Calls to deposit, paid or not.
    pub calls: i64,
    /// Calls that were paid.
    pub payments: i64,
    /// Numbers that were paid at least once; as many as `payments` if none was paid twice.
    pub ids_paid: i64,
    /// How often the number that was paid most was paid.
    pub most_paid: i64,
    /// The sum of all payments in won, returned ones too.
    pub paid_sum: i64,
    /// Payments that came back.
    pub returned: i64,
}

/// Sums a journal up, also while a simulator writes to it.
///
/// # Errors
/// [`KftcError::File`] where there is no such file or it is no journal that we know;
/// [`KftcError::Journal`] where it cannot be read.
pub fn read_journal(path: &Path) -> Result<Summary, KftcError> {
    let db = super::KIND.open_to_read(path)?;
    let summary = db.query_row(
        "SELECT coalesce(sum(calls), 0), coalesce(sum(times), 0), \
         coalesce(sum(times > 0), 0), coalesce(max(times), 0), coalesce(sum(won), 0), \
         coalesce(sum(back), 0) FROM (\
         SELECT count(*) AS calls, sum(paid) AS times, sum(paid * tran_amt) AS won, \
         sum(returned) AS back FROM calls GROUP BY bank_tran_id)",
        [],
        |row| {
            Ok(Summary {
                calls: row.get(0)?,
                payments: row.get(1)?,
                ids_paid: row.get(2)?,
                most_paid: row.get(3)?,
                paid_sum: row.get(4)?,
                returned: row.get(5)?,
            })
        },
    )?;
    Ok(summary)
}
