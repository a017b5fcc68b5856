//! A webhook receiver that acknowledges everything: what settling costs includes telling of it.

use crate::BenchError;
use crate::http::find;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
/// Largest webhook that is read.
const POST_MAX: usize = 64 << 10;

pub struct Receiver {
    address: SocketAddr,
    told: Arc<AtomicU64>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Receiver {
    pub async fn start() -> Result<Receiver, BenchError> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let told = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&told);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let count = Arc::clone(&count);
                // A connection that breaks is the sender's to open again.
                tokio::spawn(async move { drop(take(stream, &count).await) });
            }
        });
        Ok(Receiver { address, told, accepting })
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub fn told(&self) -> u64 {
        self.told.load(Ordering::Relaxed)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn take(mut stream: TcpStream, count: &AtomicU64) -> std::io::Result<()> {
    let mut read = Vec::with_capacity(4_096);
    while read.len() < POST_MAX && stream.read_buf(&mut read).await? > 0 {
        let Some(end) = find(&read, b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
        let length = head
            .split("content-length:")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next()?.trim().parse::<usize>().ok());
        if read.len() >= end + 4 + length.unwrap_or(0) {
            read.clear();
            count.fetch_add(1, Ordering::Relaxed);
            stream.write_all(ANSWER).await?;
        }
    }
    Ok(())
}
