//! The statement of a day: what the bank did in the end with each deposit that it took.

use crate::error::KftcError;
use ichae_domain::time::Day;
use std::fmt::Write as _;
use std::path::Path;

/// The first line.
pub const HEADER: &str = "bank_tran_id,bank_tran_date,tran_amt,status,code\n";
/// Bytes of lines that go out together.
const PIECE: usize = 16_384;

/// Gives a day's lines to `out`, in pieces, in the order of the calls, until it says that nobody
/// reads on. A deposit that is still to be paid is on no statement, nor is one that the bank did
/// not get to know; a number that was paid twice has two lines.
pub fn write(path: &Path, day: Day, mut out: impl FnMut(String) -> bool) -> Result<(), KftcError> {
    let db = super::KIND.open_to_read(path)?;
    let mut read = db.prepare(
        "SELECT bank_tran_id, tran_amt, paid + returned, code FROM calls \
         WHERE bank_tran_date = ?1 AND known AND pay_at IS NULL ORDER BY no",
    )?;
    let mut rows = read.query([day.0])?;
    let mut piece = String::from(HEADER);
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let (amount, done): (i64, i64) = (row.get(1)?, row.get(2)?);
        let code: String = row.get(3)?;
        let status = match done {
            0 => "refused",
            1 => "paid",
            _ => "returned",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(piece, "{id},{day},{amount},{status},{code}");
        if piece.len() >= PIECE && !out(std::mem::take(&mut piece)) {
            return Ok(());
        }
    }
    out(piece);
    Ok(())
}
