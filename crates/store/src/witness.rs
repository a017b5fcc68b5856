//! A small file beside the keys that says how far the store was. A store that is behind it was
//! restored or copied back from an older day (decision I1, docs/adr/0007).
//!
//! It is written after commits, at most once a second, and need not be synced: a witness that is
//! behind only notices less.

use crate::port::StoreError;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) struct Witness {
    path: PathBuf,
    /// Where the keys lie in the data folder, a copy of it takes them along. This one stays: it is
    /// beside the folder, and believed only if it names the same store.
    beside: Option<PathBuf>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub store_id: Vec<u8>,
    pub epoch: u16,
    /// Number of the last event that was durable.
    pub events: i64,
}

impl Witness {
    /// `store` is the store's file.
    pub fn of(path: &Path, store: &Path) -> Witness {
        let folder = store.parent().filter(|folder| path.starts_with(folder));
        let beside = folder.and_then(beside_folder);
        Witness { path: path.to_owned(), beside }
    }

    /// What was seen of this store; `None` where there is no readable witness.
    pub fn read(&self, store_id: &[u8]) -> Result<Option<Seen>, StoreError> {
        let seen = read(&self.path);
        if seen.as_ref().is_some_and(|seen| seen.store_id != store_id) {
            return Err(StoreError::Refused(
                "the key folder's witness is of another store: use that store's own keys"
                    .to_owned(),
            ));
        }
        let other = self.beside.as_deref().and_then(read);
        let other = other.filter(|other| other.store_id == store_id);
        Ok(seen.into_iter().chain(other).max_by_key(|seen| (seen.epoch, seen.events)))
    }

    pub fn write(&self, seen: &Seen) -> Result<(), StoreError> {
        if let Some(beside) = &self.beside {
            // Where the folder above may not be written, there is one witness less.
            let _ = write(beside, seen);
        }
        write(&self.path, seen)
    }
}

/// `/var/lib/ichae` has `/var/lib/ichae.witness`.
pub fn beside_folder(folder: &Path) -> Option<PathBuf> {
    let mut name = folder.file_name()?.to_owned();
    name.push(".witness");
    Some(folder.with_file_name(name))
}

fn read(path: &Path) -> Option<Seen> {
    let text = fs::read_to_string(path).ok()?;
    let mut words = text.split_whitespace();
    let id = words.next()?;
    let bytes =
        (0..id.len() / 2).map(|at| u8::from_str_radix(id.get(at * 2..at * 2 + 2)?, 16).ok());
    Some(Seen {
        store_id: bytes.collect::<Option<_>>()?,
        epoch: words.next()?.parse().ok()?,
        events: words.next()?.parse().ok()?,
    })
}

fn write(path: &Path, seen: &Seen) -> Result<(), StoreError> {
    let id: String = seen.store_id.iter().map(|byte| format!("{byte:02x}")).collect();
    let new = path.with_extension("new");
    let io = || StoreError::io(format!("{} cannot be written", path.display()));
    fs::write(&new, format!("{id} {} {}\n", seen.epoch, seen.events)).map_err(io())?;
    fs::rename(&new, path).map_err(io())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_garbage_is_nothing() {
        let dir = crate::conformance::scratch();
        let path = dir.join("witness");
        let witness = Witness::of(&path, Path::new("/elsewhere/hub.db"));
        let seen = Seen { store_id: vec![1, 0xab], epoch: 3, events: 99 };
        witness.write(&seen).unwrap();
        assert_eq!(witness.read(&[1, 0xab]).unwrap(), Some(seen));
        assert!(witness.read(&[2]).is_err(), "keys of another store");
        fs::write(&path, "nonsense").unwrap();
        assert_eq!(witness.read(&[1, 0xab]).unwrap(), None);
        crate::conformance::remove(&dir);
    }

    /// A folder that is copied back with its keys is told by the witness that stayed beside it.
    #[test]
    fn a_witness_beside_the_folder_does_not_go_back_with_it() {
        let dir = crate::conformance::scratch();
        let (path, store) = (dir.join("keys-witness"), dir.join("hub.db"));
        let witness = Witness::of(&path, &store);
        let seen = |events| Seen { store_id: vec![1], epoch: 0, events };
        witness.write(&seen(50)).unwrap();
        write(&path, &seen(20)).unwrap();
        assert_eq!(witness.read(&[1]).unwrap(), Some(seen(50)));
        // Another store in a folder of the same name has nothing to do with it.
        fs::remove_file(&path).unwrap();
        assert_eq!(witness.read(&[9]).unwrap(), None);
        crate::conformance::remove(&dir);
    }
}
