//! Rows sealed again under the newest keys, a slice at a time.
//!
//! Payers, payments and billing keys share one sequence of serials, so one number says how far it came.

use crate::port::StoreError;
use crate::seal::Sealer;
use ichae_domain::ident::PartnerNo;
use rusqlite::{Connection, params};

/// A row of one of the tables that hold something sealed.
enum Sealed {
    Key { partner: i64, sub_id: Option<String>, bank: String },
    Payer,
    Charge,
}

/// Seals up to `limit` rows after `after` again, in one transaction. The last one's serial, or `None` where
/// there are no more.
pub(super) fn slice(
    db: &mut Connection,
    sealer: &Sealer,
    after: i64,
    limit: usize,
) -> Result<Option<i64>, StoreError> {
    let rows = rows(db, after, limit)?;
    let transaction = db.transaction()?;
    for (no, row, sealed) in &rows {
        reseal(&transaction, sealer, *no, row, sealed)?;
    }
    transaction.commit()?;
    Ok(rows.last().filter(|_| rows.len() == limit).map(|(no, ..)| *no))
}

type Found = (i64, Sealed, Vec<u8>);

fn rows(db: &Connection, after: i64, limit: usize) -> Result<Vec<Found>, StoreError> {
    let sql = "SELECT no, 0, partner, sub_id, bank, account FROM billing_keys WHERE no > ?1 \
               UNION ALL SELECT no, 1, 0, NULL, '', instrument FROM payers WHERE no > ?1 \
               UNION ALL SELECT no, 2, 0, NULL, '', texts FROM charges WHERE no > ?1 \
               ORDER BY 1 LIMIT ?2";
    let mut rows = db.prepare_cached(sql)?;
    let found = rows.query_map(params![after, super::read::most(limit)], |r| {
        let row = match r.get::<_, i64>(1)? {
            0 => Sealed::Key { partner: r.get(2)?, sub_id: r.get(3)?, bank: r.get(4)? },
            1 => Sealed::Payer,
            _ => Sealed::Charge,
        };
        Ok((r.get(0)?, row, r.get(5)?))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn reseal(
    db: &Connection,
    sealer: &Sealer,
    no: i64,
    row: &Sealed,
    sealed: &[u8],
) -> Result<(), StoreError> {
    match row {
        Sealed::Key { partner, sub_id, bank } => {
            let account = sealer.open_account(no, sealed)?;
            // Sealed first: keys may be swapped between the two, and what is under the newest
            // sealing key must be indexed under the newest index key.
            let sealed = sealer.seal_account(no, &account)?;
            let sub_id = sub_id.as_deref();
            let prints = sealer.fingerprints(PartnerNo(*partner), sub_id, bank, &account);
            let sql = "UPDATE billing_keys SET account = ?2, fingerprint = ?3 WHERE no = ?1";
            db.prepare_cached(sql)?.execute(params![no, sealed, prints[0].0])?;
        }
        Sealed::Payer => {
            let sealed = sealer.seal_instrument(no, &sealer.open_instrument(no, sealed)?)?;
            let sql = "UPDATE payers SET instrument = ?2 WHERE no = ?1";
            db.prepare_cached(sql)?.execute(params![no, sealed])?;
        }
        Sealed::Charge => {
            let sealed = sealer.seal_order(no, &sealer.open_order(no, sealed)?)?;
            let sql = "UPDATE charges SET texts = ?2 WHERE no = ?1";
            db.prepare_cached(sql)?.execute(params![no, sealed])?;
        }
    }
    Ok(())
}
