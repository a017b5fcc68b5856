//! The other end of the admin socket, for the command line.

use super::request::{AdminError, Line, Request};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Asks a running server.
pub fn ask(
    socket: &Path,
    request: &Request,
    mut progress: impl FnMut(&str),
) -> Result<Value, AdminError> {
    let gone = |error: std::io::Error| {
        AdminError::plain(format!("the server's admin socket {}: {error}", socket.display()))
    };
    let mut stream = UnixStream::connect(socket).map_err(gone)?;
    let mut line = serde_json::to_vec(request)
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
