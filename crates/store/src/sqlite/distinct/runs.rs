//! Sorted runs: immutable tables of (hash, row), each behind a Bloom filter in memory.

use super::super::row;
use crate::port::StoreError;
use fastbloom::BloomFilter;
use ichae_domain::ident::PayoutNo;
use rusqlite::Connection;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// Bits of a filter a key: one look-up in 300 goes to the disk for nothing.
const BITS_A_KEY: usize = 12;
const HASHES: u32 = 8;
/// Fixed: a filter is stored, and has to mean the same after a restart. What goes in is a keyed hash.
const SEED: u128 = 0x6963_6861_6520_6469_7374_696e_6374_2031;
/// Memory of all filters together: 180 million keys. What is over it is looked up on the disk.
pub(super) const FILTERS_MAX: usize = 256 << 20;

/// A filter of one run.
pub(super) struct Filter(BloomFilter);

impl Filter {
    pub fn bytes_for(keys: usize) -> usize {
        (keys.max(1) * BITS_A_KEY).div_ceil(64) * 8
    }

    pub fn for_keys(keys: usize) -> Filter {
        let bits = Filter::bytes_for(keys) * 8;
        Filter(BloomFilter::with_num_bits(bits).seed(&SEED).hashes(HASHES))
    }

    pub fn insert(&mut self, hash: u64) {
        self.0.insert(&hash);
    }

    pub fn may_have(&self, hash: u64) -> bool {
        self.0.contains(&hash)
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.as_slice().iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// `None` where it is not a filter of so many keys.
    pub fn from_bytes(bytes: &[u8], keys: usize) -> Option<Filter> {
        let (words, rest) = bytes.as_chunks::<8>();
        let fits = rest.is_empty() && bytes.len() == Filter::bytes_for(keys);
        let words = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        fits.then(|| Filter(BloomFilter::from_vec(words).seed(&SEED).hashes(HASHES)))
    }

    /// Differs where the library makes other filters of the same keys: stored ones are then useless.
    pub fn print() -> i64 {
        let mut filter = Filter::for_keys(64);
        (0..64).for_each(|hash| filter.insert(hash));
        let mut hasher = SipHasher13::new();
        hasher.write(&filter.to_bytes());
        row::from_hash(hasher.finish())
    }

    pub fn bytes(&self) -> usize {
        self.0.as_slice().len() * 8
    }
}

pub(super) struct Run {
    pub id: i64,
    pub level: i64,
    pub rows: i64,
    /// `None`: its keys are looked up on the disk.
    pub filter: Option<std::sync::Arc<Filter>>,
}

impl Run {
    pub fn table(id: i64) -> String {
        format!("run_{id}")
    }
}

/// The runs of one moment, oldest first.
#[derive(Default)]
pub(super) struct Runs(pub Vec<Run>);

impl Runs {
    pub fn find(
        &self,
        probes: &Connection,
        hash: u64,
        found: &mut Vec<PayoutNo>,
    ) -> Result<(), StoreError> {
        for run in &self.0 {
            if run.filter.as_ref().is_some_and(|filter| !filter.may_have(hash)) {
                continue;
            }
            let sql = format!("SELECT no FROM {} WHERE hash = ?1", Run::table(run.id));
            let mut statement = probes.prepare_cached(&sql)?;
            let rows = statement.query_map([row::from_hash(hash)], |r| r.get(0).map(PayoutNo))?;
            for no in rows {
                found.push(no?);
            }
        }
        Ok(())
    }

    pub fn filter_bytes(&self) -> usize {
        self.0.iter().filter_map(|run| run.filter.as_ref()).map(|filter| filter.bytes()).sum()
    }
}
