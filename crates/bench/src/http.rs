//! The least that a load generator needs of HTTP/1.1: one kept-alive connection, requests made
//! beforehand, answers with a length or in chunks. A real client would take a core of its own, and
//! then the benchmark would measure the client.

use crate::BenchError;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Largest answer that is read.
const ANSWER_MAX: usize = 1 << 20;

pub struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

/// An answer, within the connection's buffer.
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// Whether the body's `result` is one of the two that mean success.
    /// A key was found.
    pub fn found(&self) -> bool {
        let head = &self.body[..self.body.len().min(64)];
        self.status == 200 && find(head, b"\"PCD_PAY_CODE\":\"0000\"").is_some()
    }

    pub fn succeeded(&self) -> bool {
        let head = &self.body[..self.body.len().min(32)];
        self.status == 200
            && [&b"\"result\":\"A0000\""[..], b"\"result\":\"T0000\""]
                .iter()
                .any(|code| find(head, code).is_some())
    }
}

pub(crate) fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// The value of a text field, without looking at escapes: identifiers and amounts have none.
pub fn field<'a>(body: &'a [u8], name: &str) -> Option<&'a str> {
    let mark = format!("\"{name}\":\"");
    let from = find(body, mark.as_bytes())? + mark.len();
    let length = body[from..].iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(&body[from..from + length]).ok()
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Connection, BenchError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, read: Vec::with_capacity(4_096) })
    }

    /// Sends one request and reads its whole answer.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>, BenchError> {
        self.stream.write_all(request).await?;
        self.read.clear();
        loop {
            if let Some((status, from, length)) = whole(&self.read)? {
                return Ok(Answer { status, body: &self.read[from..from + length] });
            }
            if self.read.len() > ANSWER_MAX || self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(BenchError::Closed);
            }
        }
    }
}

/// Status, where the body begins, and its length, once all of it is there.
fn whole(read: &[u8]) -> Result<Option<(u16, usize, usize)>, BenchError> {
    let Some(end) = find(read, b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&read[..end]).map_err(|_| BenchError::Unreadable)?;
    let status = head.get(9..12).and_then(|digits| digits.parse().ok());
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let (Some(status), Some(length)) = (status, length) else { return Err(BenchError::Unreadable) };
    let from = end + 4;
    Ok((read.len() >= from + length).then_some((status, from, length)))
}

/// A request's bytes. `head` holds further header lines, each with its end.
pub fn post(out: &mut Vec<u8>, path: &str, head: &str, body: &[u8]) {
    out.clear();
    let length = body.len();
    let start = format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n{head}\
         content-length: {length}\r\n\r\n"
    );
    out.extend_from_slice(start.as_bytes());
    out.extend_from_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_once_its_length_is_there() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nx: y\r\n\r\nabcd";
        assert_eq!(whole(text).unwrap(), Some((200, text.len() - 4, 4)));
        assert_eq!(whole(&text[..text.len() - 1]).unwrap(), None);
        assert_eq!(whole(&text[..20]).unwrap(), None);
        assert!(whole(b"HTTP/1.1 200 OK\r\nx: y\r\n\r\n").is_err());
    }

    #[test]
    fn fields_and_success_are_read_from_the_text() {
        let body = br#"{"result":"A0000","group_key":"abc","tran_amt":"1000"}"#;
        assert_eq!(field(body, "group_key"), Some("abc"));
        assert_eq!(field(body, "missing"), None);
        assert!(Answer { status: 200, body }.succeeded());
        assert!(!Answer { status: 503, body }.succeeded());
        assert!(!Answer { status: 200, body: br#"{"result":"R0140"}"# }.succeeded());
    }
}
