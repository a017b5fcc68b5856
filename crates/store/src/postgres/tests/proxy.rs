//! A wire between the hub and its database that is cut on order, just before or after a COMMIT.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// When the wire is cut next.
pub const NEVER: u8 = 0;
/// The database never sees the COMMIT.
pub const BEFORE: u8 = 1;
/// The database commits, and its answer is lost.
pub const AFTER: u8 = 2;

/// Forwards to a socket of a server.
pub struct Proxy {
    pub port: u16,
    pub mode: Arc<AtomicU8>,
    /// Wires that were cut.
    pub cuts: Arc<AtomicU64>,
}

impl Proxy {
    pub fn to(socket: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (mode, cuts) = (Arc::new(AtomicU8::new(NEVER)), Arc::new(AtomicU64::new(0)));
        let socket = socket.to_owned();
        let of = (Arc::clone(&mode), Arc::clone(&cuts));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = UnixStream::connect(&socket).unwrap();
                wire(client, server, &of.0, &of.1);
            }
        });
        Proxy { port, mode, cuts }
    }
}

fn wire(client: TcpStream, server: UnixStream, mode: &Arc<AtomicU8>, cuts: &Arc<AtomicU64>) {
    // Set once the COMMIT went through whose answer is to be lost.
    let deaf = Arc::new(Mutex::new(false));
    let (mut down_from, mut down_to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let (is_deaf, cut) = (Arc::clone(&deaf), Arc::clone(cuts));
    std::thread::spawn(move || {
        let mut buffer = [0; 65_536];
        while let Ok(read @ 1..) = down_from.read(&mut buffer) {
            if *is_deaf.lock().unwrap() {
                // The answers came, so it was committed; nobody hears them.
                cut.fetch_add(1, Ordering::SeqCst);
                break;
            }
            if down_to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = down_to.shutdown(Shutdown::Both);
    });
    let (mode, cuts) = (Arc::clone(mode), Arc::clone(cuts));
    std::thread::spawn(move || {
        let (mut from, mut to) = (client, server);
        let mut buffer = [0; 65_536];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            // A batch's COMMIT is the end of what is written at once.
            let commits = buffer[..read].ends_with(b"COMMIT\0");
            if commits
                && mode.compare_exchange(BEFORE, NEVER, Ordering::SeqCst, Ordering::SeqCst).is_ok()
            {
                cuts.fetch_add(1, Ordering::SeqCst);
                break;
            }
            if commits
                && mode.compare_exchange(AFTER, NEVER, Ordering::SeqCst, Ordering::SeqCst).is_ok()
            {
                *deaf.lock().unwrap() = true;
            }
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        // What is on its way is taken in; then the server sees that nobody is there.
        let _ = to.shutdown(Shutdown::Write);
    });
}
