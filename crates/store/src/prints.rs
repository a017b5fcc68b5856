//! Which keys a store knows, by fingerprint: it serves only with the keys that it was made with
//! (decision I2).

use crate::keys::Keys;
use crate::port::StoreError;
use std::collections::BTreeSet;

/// The kinds of keys, as `key_prints` has them.
const IDENTIFIER: &str = "identifier";
pub(crate) const SEALING: &str = "sealing";
pub(crate) const INDEX: &str = "index";

/// Kind, number and fingerprint of a key, as a store has them.
pub(crate) type Known = (String, u32, Vec<u8>);

/// The keys that are there.
pub(crate) fn of(keys: &Keys) -> Vec<(&'static str, u32, [u8; 16])> {
    let mut have = vec![(IDENTIFIER, 1, keys.identifier.print())];
    have.extend(keys.sealing.newest_first().map(|(id, key)| (SEALING, *id, key.print())));
    have.extend(keys.index.newest_first().map(|(id, key)| (INDEX, *id, key.print())));
    have
}

/// Every key that the store knows must be there and the same. A sealing or index key that nothing
/// is under any more may be missing: that is how old keys are retired. `used` is asked only where one is
/// missing: it reads every sealed row.
pub(crate) fn compare(
    known: &[Known],
    keys: &Keys,
    used: impl Fn() -> Result<BTreeSet<u32>, StoreError>,
) -> Result<(), StoreError> {
    let have = of(keys);
    for (kind, id, print) in known {
        let fits = match have.iter().find(|(k, i, _)| k == kind && i == id) {
            Some((.., same)) => same[..] == print[..],
            None => kind != IDENTIFIER && !used()?.contains(id),
        };
        if !fits {
            return Err(StoreError::Refused(format!(
                "the key folder does not belong to this store: its {kind} key {id} is another or \
                 missing"
            )));
        }
    }
    Ok(())
}

/// Keys that the store knows and that are not there any more.
pub(crate) fn retired(known: &[Known], keys: &Keys) -> Vec<(String, u32)> {
    let have = of(keys);
    let there = |kind: &str, id: u32| have.iter().any(|(k, i, _)| *k == kind && *i == id);
    let gone = known.iter().filter(|(kind, id, _)| !there(kind, *id));
    gone.map(|(kind, id, _)| (kind.clone(), *id)).collect()
}

/// The oldest keys that a row can be under which is sealed from now on.
pub(crate) fn oldest_in_use(keys: &Keys) -> u32 {
    keys.sealing.active().0.min(keys.index.active().0)
}
