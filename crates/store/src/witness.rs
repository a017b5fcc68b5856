//! A small file beside the keys that says how far the store was. A store that is behind it was
//! restored or copied back from an older day (decision I1).
//!
//! It is written after commits, at most once a second, and need not be synced: a witness that is
//! behind only notices less.

use crate::port::StoreError;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) struct Witness {
    path: PathBuf,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub store_id: Vec<u8>,
    pub epoch: u16,
    /// Number of the last event that was durable.
    pub events: i64,
}

impl Witness {
    pub fn at(path: &Path) -> Witness {
        Witness { path: path.to_owned() }
    }

    /// `None` where there is no readable witness.
    pub fn read(&self) -> Option<Seen> {
        let text = fs::read_to_string(&self.path).ok()?;
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

    pub fn write(&self, seen: &Seen) -> Result<(), StoreError> {
        let id: String = seen.store_id.iter().map(|byte| format!("{byte:02x}")).collect();
        let beside = self.path.with_extension("new");
        let io = || StoreError::io(format!("{} cannot be written", self.path.display()));
        fs::write(&beside, format!("{id} {} {}\n", seen.epoch, seen.events)).map_err(io())?;
        fs::rename(&beside, &self.path).map_err(io())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_garbage_is_nothing() {
        let path = std::env::temp_dir().join(format!("ichae-witness-{}", std::process::id()));
        let witness = Witness::at(&path);
        let seen = Seen { store_id: vec![1, 0xab], epoch: 3, events: 99 };
        witness.write(&seen).unwrap();
        assert_eq!(witness.read(), Some(seen));
        fs::write(&path, "nonsense").unwrap();
        assert_eq!(witness.read(), None);
        fs::remove_file(&path).unwrap();
    }
}
