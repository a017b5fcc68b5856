//! Figures 8 and 9 at a small scale.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod power;
mod sweep;

use std::path::PathBuf;

/// A folder for one test, gone when the test has passed.
struct Scratch(PathBuf);

impl Scratch {
    fn of(name: &str) -> Scratch {
        let name = format!("ichae-disk-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Scratch(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What a failure left is looked at.
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
