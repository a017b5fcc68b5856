//! The server under test: the same binary in a process of its own, so that it can be killed.

use crate::BenchError;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to say its address.
const START_MAX: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From the start of the process to the first 200 of `/readyz`.
    pub ready_after: Duration,
}

impl Server {
    /// Starts `ichae` with these words, which must print a line that ends in its address.
    pub fn start(
        program: &Path,
        words: &[&str],
        env: &[(&str, &str)],
        readyz: bool,
    ) -> Result<Server, BenchError> {
        let began = Instant::now();
        let mut child = Command::new(program)
            .args(words)
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let out = child.stdout.take().ok_or(BenchError::Closed)?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let address = line.trim().rsplit("//").next().and_then(|text| text.parse().ok());
        let Some(address) = address else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(BenchError::NotStarted(line.trim().to_owned()));
        };
        let mut server = Server { child, address, ready_after: Duration::ZERO };
        while readyz && !server.is_ready() {
            if began.elapsed() > START_MAX {
                return Err(BenchError::NotStarted("it did not become ready".to_owned()));
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        server.ready_after = began.elapsed();
        Ok(server)
    }

    fn is_ready(&self) -> bool {
        use std::io::{Read, Write};
        let ask = || -> std::io::Result<bool> {
            let mut stream = std::net::TcpStream::connect(self.address)?;
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            stream
                .write_all(b"GET /readyz HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n")?;
            let mut head = [0; 12];
            stream.read_exact(&mut head)?;
            Ok(head.ends_with(b"200"))
        };
        ask().unwrap_or(false)
    }

    /// Resident memory in bytes; zero where the system does not say.
    pub fn memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or(0) * 1_024
    }

    /// Processor time so far, in seconds.
    pub fn cpu(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let text = text.unwrap_or_default();
        let after = text.rsplit(')').next().unwrap_or_default();
        let ticks = |at: usize| -> f64 {
            after.split_whitespace().nth(at).and_then(|t| t.parse().ok()).unwrap_or(0.0)
        };
        (ticks(11) + ticks(12)) / 100.0
    }

    /// SIGKILL: nothing is flushed, nothing is said.
    pub fn kill(&mut self) -> Result<(), BenchError> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone, if it was killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder that goes with the benchmark.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(below: &Path, name: &str) -> Result<Scratch, BenchError> {
        let path = below.join(format!("ichae-bench-{}-{name}", std::process::id()));
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::create_dir_all(&path)?;
        Ok(Scratch(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
