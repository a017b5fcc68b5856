//! The other end of the admin socket, for the command line.

use super::request::{AdminError, Envelope, Line};
use serde_json::Value;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Asks a running server.
pub fn ask(
    socket: &Path,
    envelope: &Envelope,
    mut progress: impl FnMut(&str),
) -> Result<Value, AdminError> {
    let gone = |error: io::Error| {
        AdminError::plain(format!("the server's admin socket {}: {error}", socket.display()))
    };
    let mut stream = connect(socket).map_err(gone)?;
    let mut line = serde_json::to_vec(envelope)
        .map_err(|_| AdminError::plain("the command cannot be written"))?;
    line.push(b'\n');
    stream.write_all(&line).map_err(gone)?;
    for line in BufReader::new(stream).lines() {
        match serde_json::from_str(&line.map_err(gone)?) {
            Ok(Line::Progress(text)) => progress(&text),
            Ok(Line::Done(value)) => return Ok(value),
            Ok(Line::Failed(error)) => return Err(error),
            Err(_) => return Err(AdminError::plain("the server answered what this cannot read")),
        }
    }
    Err(AdminError::plain("the server ended before it answered"))
}

/// Looks for the socket this many times: a server that starts has the lock before it has a socket.
const LOOKS: u32 = 50;
const LOOK_AGAIN: Duration = Duration::from_millis(100);

fn connect(socket: &Path) -> io::Result<UnixStream> {
    let mut looks = 1;
    loop {
        match UnixStream::connect(socket) {
            Err(error) if looks < LOOKS && starting(&error) => std::thread::sleep(LOOK_AGAIN),
            done => return done,
        }
        looks += 1;
    }
}

fn starting(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused)
}
