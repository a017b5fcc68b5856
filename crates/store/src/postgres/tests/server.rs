//! One throw-away server for the tests of this process, and a database of its own for each of them.

use crate::postgres::scratch::ScratchDatabase;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Runs for as long as this process: the script ends the server when its input does.
struct Server {
    address: String,
    _child: Child,
    _input: ChildStdin,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres");
        let dir = std::env::temp_dir().join(format!("ichae-pg-{}", std::process::id()));
        let mut child = Command::new(script)
            .arg(&dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/postgres can be started");
        let input = child.stdin.take().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        assert!(address.starts_with("postgres://"), "scripts/postgres started no server");
        Server { address, _child: child, _input: input }
    })
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
