//! Where a test keeps a store in a file.

use ichae_store::keys::KeyFolder;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that goes with its test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let no = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ichae-it-{}-{no}", std::process::id()));
        // One deeper: a store leaves a witness beside its folder.
        let path = path.join("store");
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn keys(&self) -> KeyFolder {
        KeyFolder::at(&self.0.join("keys"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is in the system's folder for such things.
        let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
    }
}
