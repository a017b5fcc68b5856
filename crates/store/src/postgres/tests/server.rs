//! One throw-away server for the tests of this process, and a database of its own for each of them.

use crate::postgres::scratch::ScratchDatabase;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The script ends the server when its input does: with the handle, or with this process.
pub(crate) struct Server {
    pub address: String,
    child: Child,
    input: Option<ChildStdin>,
}

impl Server {
    /// In a folder of that name, with those settings.
    pub fn start(name: &str, settings: &[&str]) -> Server {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres");
        let dir = std::env::temp_dir().join(format!("ichae-{name}-{}", std::process::id()));
        let mut child = Command::new(script)
            .arg(&dir)
            .args(settings)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/postgres can be started");
        let input = child.stdin.take();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        assert!(address.starts_with("postgres://"), "scripts/postgres started no server");
        Server { address, child, input }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start("pg", &[]))
}

/// Where the server's socket is.
pub(crate) fn folder() -> String {
    let address = &server().address;
    let host = address.split('@').nth(1).and_then(|rest| rest.split('/').next()).unwrap();
    host.replace("%2F", "/")
}

/// A database that is dropped with the handle.
pub(crate) fn database() -> ScratchDatabase {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!("t{}", NEXT.fetch_add(1, Ordering::SeqCst));
    ScratchDatabase::make(&server().address, &name).unwrap()
}
