//! Which `distinct_key`s were used, for ever, without a random page in every commit (decision H9,
//! docs/adr/0010).
//!
//! The payouts' rows are the truth and carry no index on the key. Beside them: the keys of the
//! newest rows in memory ([`recent`]), all older ones in sorted runs in a file of their own
//! ([`runs`]), each behind a filter. What is found is only a candidate: the row itself decides, so
//! that two keys of one hash never refuse each other. The file can be thrown away; it is made anew
//! from the rows.

mod recent;
mod runs;
mod side;
mod worker;

use crate::port::StoreError;
use ichae_domain::ident::{PartnerNo, PayoutNo};
use recent::Recent;
use runs::Runs;
use rusqlite::Connection;
use side::Side;
pub(super) use side::{Lineage, counted, file_beside, remove};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::path::Path;
use std::sync::Arc;
use worker::Worker;

/// Keys in memory from which on they are written down as a run.
pub const KEYS_IN_MEMORY: usize = 250_000;
/// So many times as many, beside those that are being written down, are never exceeded: the writer
/// then waits for the disk. A key takes about 100 bytes.
const RECENT_TIMES: usize = 4;

/// Keyed, so that nobody outside can make keys of one hash.
#[derive(Clone, Copy)]
struct KeyHash(u64, u64);

impl KeyHash {
    fn of(self, partner: PartnerNo, key: &str) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        hasher.write_i64(partner.0);
        hasher.write(key.as_bytes());
        hasher.finish()
    }
}

/// The index that the writer asks and fills.
pub(super) struct DistinctKeys {
    hash: KeyHash,
    recent: Recent,
    /// Being written down.
    frozen: Option<Arc<Recent>>,
    /// Of the batch that is not committed yet.
    pending: Vec<(u64, PayoutNo)>,
    runs: Arc<Runs>,
    probes: Connection,
    worker: Worker,
    flush_keys: usize,
}

impl DistinctKeys {
    /// Opens the runs beside `file`, throws them away where they are not of exactly these rows, and
    /// reads the keys of the rows that are in none.
    pub fn open(
        main: &Connection,
        file: &Path,
        lineage: &Lineage,
        flush_keys: usize,
    ) -> Result<Self, StoreError> {
        let beside = file_beside(file);
        let mut side = Side::open_for(main, &beside, lineage)?;
        let recent = side.catch_up(main, flush_keys)?;
        let runs = Arc::new(side.runs()?);
        let hash = side.hash();
        let probes = side::connect_to_read(&beside)?;
        let worker = Worker::start(side, Arc::clone(&runs))?;
        let pending = Vec::with_capacity(crate::port::BATCH_MAX);
        Ok(DistinctKeys { hash, recent, frozen: None, pending, runs, probes, worker, flush_keys })
    }

    /// Rows that may have been requested under this key; whoever asks looks at each.
    pub fn candidates(
        &self,
        partner: PartnerNo,
        key: &str,
        found: &mut Vec<PayoutNo>,
    ) -> Result<(), StoreError> {
        let hash = self.hash.of(partner, key);
        self.recent.find(hash, found);
        if let Some(frozen) = &self.frozen {
            frozen.find(hash, found);
        }
        self.runs.find(&self.probes, hash, found)
    }

    /// A row of the batch under way.
    pub fn insert(&mut self, partner: PartnerNo, key: &str, no: PayoutNo) {
        let hash = self.hash.of(partner, key);
        self.recent.insert(hash, no);
        self.pending.push((hash, no));
    }

    /// The batch is durable.
    pub fn committed(&mut self) {
        self.pending.clear();
        self.adopt();
        if self.frozen.is_none() && self.recent.len() >= self.flush_keys {
            let frozen = Arc::new(std::mem::take(&mut self.recent));
            self.worker.flush(Arc::clone(&frozen));
            self.frozen = Some(frozen);
        }
    }

    /// The batch was rolled back.
    pub fn rolled_back(&mut self) {
        for (hash, no) in self.pending.drain(..).rev() {
            self.recent.remove(hash, no);
        }
    }

    /// Waits where more keys are in memory than may be. An error: they cannot be written down, and
    /// nothing may be taken until they can.
    pub fn make_room(&mut self) -> Result<(), StoreError> {
        if self.recent.len() < RECENT_TIMES * self.flush_keys || self.frozen.is_none() {
            return Ok(());
        }
        self.worker.wait_for_flush();
        self.adopt();
        if self.frozen.is_some() { Err(StoreError::Busy) } else { Ok(()) }
    }

    /// Takes over what the worker has made meanwhile.
    fn adopt(&mut self) {
        if let Some((runs, flushed)) = self.worker.news() {
            self.runs = runs;
            if flushed {
                self.frozen = None;
            }
        }
    }
}

#[cfg(test)]
mod tests;
