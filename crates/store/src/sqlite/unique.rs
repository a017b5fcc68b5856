//! Whether a key stands twice among any number of rows, with little memory: their hashes are sorted
//! on the disk, and only rows of one hash are compared.

use super::row::from_hash;
use crate::port::StoreError;
use ichae_domain::ident::{PartnerNo, PayoutNo};
use rusqlite::{Connection, params};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

pub(super) struct Unique {
    /// A private file that is gone once it is closed.
    hashes: Connection,
}

impl Unique {
    pub fn new() -> Result<Unique, StoreError> {
        let hashes = Connection::open("")?;
        hashes.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
             CREATE TABLE hashes (hash INTEGER NOT NULL, no INTEGER NOT NULL); BEGIN",
        )?;
        Ok(Unique { hashes })
    }

    pub fn add(&mut self, partner: PartnerNo, key: &str, no: PayoutNo) -> Result<(), StoreError> {
        let mut hasher = SipHasher13::new();
        hasher.write_i64(partner.0);
        hasher.write(key.as_bytes());
        let mut insert = self.hashes.prepare_cached("INSERT INTO hashes VALUES (?1, ?2)")?;
        insert.execute([from_hash(hasher.finish()), no.0])?;
        Ok(())
    }

    /// Lets go of what was added so far.
    pub fn written(&mut self) -> Result<(), StoreError> {
        Ok(self.hashes.execute_batch("COMMIT; BEGIN")?)
    }

    /// (partner, payout, later payout) of rows that share a key.
    pub fn doubled(&self, rows: &Connection) -> Result<Vec<(i64, i64, i64)>, StoreError> {
        let sql = "SELECT h.no FROM hashes h JOIN \
                   (SELECT hash FROM hashes GROUP BY hash HAVING count(*) > 1) d USING (hash) \
                   ORDER BY h.hash, h.no";
        let suspects: Vec<i64> =
            self.hashes.prepare(sql)?.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?;
        let mut key = rows.prepare("SELECT partner, distinct_key FROM payouts WHERE no = ?1")?;
        let mut seen = std::collections::HashMap::new();
        let mut doubled = Vec::new();
        for no in suspects {
            let key: (i64, String) = key.query_row(params![no], |r| Ok((r.get(0)?, r.get(1)?)))?;
            let partner = key.0;
            if let Some(first) = seen.insert(key, no) {
                doubled.push((partner, first, no));
            }
        }
        Ok(doubled)
    }
}
