//! Reads a journal from outside, to prove that nothing was paid twice.

use super::error::RailError;
use super::sqlite::SqliteJournal;
use ichae_domain::money::Won;
use std::path::Path;

/// A journal in five numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct JournalSummary {
    /// Calls to deposit, paid or not.
    pub calls: i64,
    /// Calls that were paid.
    pub payments: i64,
    /// Numbers that were paid at least once; as many as `payments` if none was paid twice.
    pub numbers_paid: i64,
    /// How often the number that was paid most was paid.
    pub most_paid: i64,
    /// The sum of all payments.
    pub paid: Won,
}

/// Sums a journal up, also while a bank writes to it.
///
/// # Errors
/// [`RailError::File`] where there is no such file or it is no journal that we know;
/// [`RailError::Journal`] where it cannot be read.
pub fn read_journal(path: &Path) -> Result<JournalSummary, RailError> {
    let db = SqliteJournal::open_to_read(path)?;
    let summary = db.query_row(
        "SELECT coalesce(sum(calls), 0), coalesce(sum(times), 0), \
         coalesce(sum(times > 0), 0), coalesce(max(times), 0), coalesce(sum(won), 0) FROM (\
         SELECT count(*) AS calls, sum(paid) AS times, sum(paid * amount) AS won \
         FROM calls GROUP BY bank_no)",
        [],
        |row| {
            Ok(JournalSummary {
                calls: row.get(0)?,
                payments: row.get(1)?,
                numbers_paid: row.get(2)?,
                most_paid: row.get(3)?,
                paid: Won(row.get(4)?),
            })
        },
    )?;
    Ok(summary)
}
