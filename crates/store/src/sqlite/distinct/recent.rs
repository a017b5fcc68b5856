//! Keys in memory: hash to row.

use ichae_domain::ident::PayoutNo;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

/// The keys of the map are hashes already.
#[derive(Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only whole numbers come here; anything else would still be a hash, if a poor one.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

#[derive(Default)]
pub(super) struct Recent {
    rows: HashMap<u64, PayoutNo, BuildHasherDefault<AsItIs>>,
    /// Rows whose hash another row had first: next to never any.
    twins: Vec<(u64, PayoutNo)>,
}

impl Recent {
    pub fn len(&self) -> usize {
        self.rows.len() + self.twins.len()
    }

    pub fn insert(&mut self, hash: u64, no: PayoutNo) {
        match self.rows.entry(hash) {
            Entry::Vacant(place) => {
                place.insert(no);
            }
            Entry::Occupied(_) => self.twins.push((hash, no)),
        }
    }

    pub fn remove(&mut self, hash: u64, no: PayoutNo) {
        if self.rows.get(&hash) == Some(&no) {
            self.rows.remove(&hash);
        }
        self.twins.retain(|twin| *twin != (hash, no));
    }

    pub fn find(&self, hash: u64, found: &mut Vec<PayoutNo>) {
        found.extend(self.rows.get(&hash));
        found.extend(self.twins.iter().filter(|(twin, _)| *twin == hash).map(|(_, no)| no));
    }

    /// All of it in the order of a run.
    pub fn sorted(&self) -> Vec<(u64, PayoutNo)> {
        let rows = self.rows.iter().map(|(hash, no)| (*hash, *no));
        let mut all: Vec<_> = rows.chain(self.twins.iter().copied()).collect();
        all.sort_unstable();
        all
    }
}
