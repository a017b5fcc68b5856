//! One throw-away server for the tests of this process, and a database of its own for each of them.

use crate::postgres::Link;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

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

/// Carries out one statement in the database that the server began with.
fn run(sql: String) {
    let link = Arc::new(Link::new(&server().address, None, None).unwrap());
    let of = Arc::clone(&link);
    let done = link.wait(Duration::from_secs(30), async move {
        Ok(of.session().await?.client.batch_execute(&sql).await?)
    });
    done.unwrap();
}

/// A database that is dropped with the handle.
pub(crate) struct Database {
    name: String,
}

impl Database {
    pub fn new() -> Database {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("t{}", NEXT.fetch_add(1, Ordering::SeqCst));
        run(format!("CREATE DATABASE {name}"));
        Database { name }
    }

    pub fn address(&self) -> String {
        format!("{}{}", server().address.trim_end_matches("ichae"), self.name)
    }

    pub fn link(&self) -> Arc<Link> {
        Arc::new(Link::new(&self.address(), None, None).unwrap())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        run(format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}
