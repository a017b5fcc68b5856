//! A data folder: who may write to it (decision I3).

use crate::port::StoreError;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A data folder's places.
#[derive(Clone, Debug)]
pub struct DataFolder {
    path: PathBuf,
}

/// Held by the one server or by one command; freed by the system when its process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl DataFolder {
    pub fn at(path: &Path) -> DataFolder {
        DataFolder { path: path.to_owned() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn store(&self) -> PathBuf {
        self.path.join("hub.db")
    }

    /// The simulated bank's journal, committed apart from the store.
    pub fn bank(&self) -> PathBuf {
        self.path.join("bank.db")
    }

    /// The simulated acquirer's journal, as the bank's.
    pub fn acquirer(&self) -> PathBuf {
        self.path.join("acquirer.db")
    }

    pub fn keys(&self) -> PathBuf {
        self.path.join("keys")
    }

    pub fn admin_socket(&self) -> PathBuf {
        self.path.join("admin.sock")
    }

    /// Makes the folder for its owner only; one that is there is left as it is.
    pub fn create(&self) -> Result<(), StoreError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder
            .create(&self.path)
            .map_err(StoreError::io(format!("{} cannot be made", self.path.display())))
    }

    /// Takes the lock, or `None` where another process holds it.
    pub fn lock(&self) -> Result<Option<Lock>, StoreError> {
        let at = self.path.join("lock");
        let io = || StoreError::io(format!("{} cannot be opened", at.display()));
        let file =
            File::options().create(true).truncate(false).write(true).open(&at).map_err(io())?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(io()(error)),
        }
    }
}
