//! The signals that end a server in order.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT, heard from when this is made: before a server says that it is there, because whoever
/// reads that may end it at once.
pub struct Asked {
    terminate: Signal,
    interrupt: Signal,
}

impl Asked {
    pub fn listen() -> anyhow::Result<Asked> {
        let hear =
            |kind, name| signal(kind).with_context(|| format!("{name} cannot be waited for"));
        Ok(Asked {
            terminate: hear(SignalKind::terminate(), "SIGTERM")?,
            interrupt: hear(SignalKind::interrupt(), "SIGINT")?,
        })
    }

    /// Returns when one of them came.
    pub async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
