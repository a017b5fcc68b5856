//! The admin socket: local, mode 0600, and the caller's user is recorded (decision I3).

use super::request::{AdminError, Envelope, Line};
use crate::hub::Hub;
use ichae_store::port::StoreError;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, watch};

/// Longest request line.
const LINE_MAX: usize = 64 * 1024;

/// A bound socket; its file goes with it.
pub struct AdminSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl AdminSocket {
    /// Binds. The data folder's lock is held, so a file that is there is a dead server's.
    pub fn bind(path: &Path) -> Result<AdminSocket, StoreError> {
        let failed = |source| StoreError::Io {
            what: format!("the admin socket {} cannot be opened", path.display()),
            source,
        };
        let _ = std::fs::remove_file(path);
        let listener = UnixListener::bind(path).map_err(failed)?;
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(AdminSocket { listener, path: path.to_owned() })
    }

    pub async fn serve(self, hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = stopped.changed() => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(answer(stream, Arc::clone(&hub)));
                }
                Err(error) => tracing::warn!(%error, "the admin socket could not accept"),
            }
        }
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn answer(stream: UnixStream, hub: Arc<Hub>) {
    let who = match stream.peer_cred() {
        Ok(peer) => format!("uid {}", peer.uid()),
        Err(_) => "uid unknown".to_owned(),
    };
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(tokio::io::AsyncReadExt::take(read, LINE_MAX as u64));
    if reader.read_line(&mut line).await.is_err() || line.is_empty() {
        return;
    }
    let (lines, mut out) = mpsc::unbounded_channel();
    let work = tokio::spawn(async move {
        let tell = lines.clone();
        let progress = move |text| {
            // A caller that went away needs no progress; the work goes on.
            let _ = tell.send(Line::Progress(text));
        };
        let done = match serde_json::from_str::<Envelope>(&line) {
            Ok(envelope) => super::serve(&hub, &who, envelope, progress).await,
            Err(_) => {
                Err(AdminError::plain("the server does not know this command: same version?"))
            }
        };
        let last = match done {
            Ok(value) => Line::Done(value),
            Err(error) => Line::Failed(error),
        };
        let _ = lines.send(last);
    });
    while let Some(line) = out.recv().await {
        let Ok(mut text) = serde_json::to_vec(&line) else { break };
        text.push(b'\n');
        if write.write_all(&text).await.is_err() {
            break;
        }
    }
    if let Err(error) = work.await {
        tracing::error!(%error, "an admin command broke");
    }
}
