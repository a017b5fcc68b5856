//! The file that each simulator keeps its journal in: a SQLite database of its own beside the hub's data,
//! committed apart from it, so that a hub that was killed can ask what really happened.

#![cfg_attr(test, allow(clippy::unwrap_used))]

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::Path;
use std::time::Duration;

/// How long to wait for another process that has the file.
const BUSY: Duration = Duration::from_secs(5);

/// One simulator's kind of journal.
pub struct Kind {
    /// As the first step writes it: tells a journal of this kind from any other database.
    pub application_id: i64,
    /// The steps from each version to the next; an empty file has version 0.
    pub steps: &'static [&'static str],
}

/// Why a file cannot be used. It is untouched then.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("{0}")]
    Sql(#[from] rusqlite::Error),
    #[error("version {found}, this program knows {known}: it was written by a newer program")]
    Newer { found: i64, known: i64 },
    #[error("the file is a database, but no such journal")]
    Foreign,
}

impl Kind {
    /// Opens a journal to write it, creates it where there is none, brings an older one up to date.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn open(&self, path: &Path) -> Result<Connection, JournalError> {
        let mut db = Connection::open(path)?;
        db.busy_timeout(BUSY)?;
        self.version(&db)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        self.upgrade(&mut db)?;
        Ok(db)
    }

    /// Opens a journal to read it, also while a simulator writes to it.
    ///
    /// # Errors
    /// [`JournalError`]; an empty file is foreign here.
    pub fn open_to_read(&self, path: &Path) -> Result<Connection, JournalError> {
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        db.busy_timeout(BUSY)?;
        match self.version(&db)? {
            0 => Err(JournalError::Foreign),
            _ => Ok(db),
        }
    }

    fn known(&self) -> i64 {
        i64::try_from(self.steps.len()).unwrap_or(i64::MAX)
    }

    /// The version of a journal, 0 for an empty file.
    fn version(&self, db: &Connection) -> Result<i64, JournalError> {
        let pragma = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let found = pragma("user_version")?;
        let count = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 = db.query_row(count, [], |row| row.get(0))?;
        let empty = found == 0 && tables == 0;
        if !empty && pragma("application_id")? != self.application_id {
            return Err(JournalError::Foreign);
        }
        let known = self.known();
        if found > known { Err(JournalError::Newer { found, known }) } else { Ok(found) }
    }

    fn upgrade(&self, db: &mut Connection) -> Result<(), JournalError> {
        let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Read again under the lock: another process may have been faster.
        let done = usize::try_from(self.version(&step)?).unwrap_or_default();
        for sql in self.steps.iter().skip(done) {
            step.execute_batch(sql)?;
        }
        step.pragma_update(None, "user_version", self.known())?;
        Ok(step.commit()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    const ONE: &str = "CREATE TABLE calls (no INTEGER); PRAGMA application_id = 7;";
    const TWO: &str = "ALTER TABLE calls ADD COLUMN at INTEGER;";
    const OLD: Kind = Kind { application_id: 7, steps: &[ONE] };
    const NEW: Kind = Kind { application_id: 7, steps: &[ONE, TWO] };
    const OTHER: Kind = Kind { application_id: 8, steps: &[ONE] };

    /// A folder that goes when its test ends.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let name = format!("ichae-journal-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&folder).unwrap();
            Scratch(folder)
        }

        fn file(&self) -> PathBuf {
            self.0.join("a.db")
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn an_older_journal_is_brought_up_to_date_and_a_newer_one_is_refused_untouched() {
        let scratch = Scratch::new("versions");
        let path = scratch.file();
        std::fs::write(&path, b"").unwrap();
        assert!(matches!(NEW.open_to_read(&path), Err(JournalError::Foreign)), "empty");
        OLD.open(&path).unwrap().execute("INSERT INTO calls VALUES (1)", []).unwrap();
        let row = |db: &Connection| {
            let sql = "SELECT no, at FROM calls";
            db.query_row(sql, [], |r| Ok((r.get(0)?, r.get(1)?))).unwrap()
        };
        assert_eq!(row(&NEW.open(&path).unwrap()), (1, None::<i64>));
        assert_eq!(row(&NEW.open_to_read(&path).unwrap()), (1, None));
        let before = std::fs::read(&path).unwrap();
        for error in [OLD.open(&path).unwrap_err(), OLD.open_to_read(&path).unwrap_err()] {
            assert!(matches!(error, JournalError::Newer { found: 2, known: 1 }), "{error}");
            assert!(error.to_string().contains("newer program"), "{error}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_file_of_something_else_is_refused_and_left_alone() {
        let scratch = Scratch::new("foreign");
        let path = scratch.file();
        let theirs = Connection::open(&path).unwrap();
        theirs.execute_batch("CREATE TABLE theirs (x)").unwrap();
        drop(theirs);
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(OLD.open(&path), Err(JournalError::Foreign)));
        assert!(matches!(OLD.open_to_read(&path), Err(JournalError::Foreign)));
        assert_eq!(std::fs::read(&path).unwrap(), before);

        std::fs::remove_file(&path).unwrap();
        drop(OLD.open(&path).unwrap());
        assert!(matches!(OTHER.open(&path), Err(JournalError::Foreign)), "another simulator's");

        std::fs::write(&path, [b'x'; 4_096]).unwrap();
        assert!(matches!(OLD.open(&path), Err(JournalError::Sql(_))));
        assert!(matches!(OLD.open_to_read(&scratch.0.join("none")), Err(JournalError::Sql(_))));
    }
}
