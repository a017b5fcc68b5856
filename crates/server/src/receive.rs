//! A small webhook receiver for developers: prints what comes and whether its signature is good.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use standardwebhooks::{HEADER_WEBHOOK_ID, Webhook};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// One webhook, as it came.
pub struct Received {
    pub id: String,
    /// `None` where no secret was given to check it with.
    pub verified: Option<bool>,
    pub body: Vec<u8>,
}

struct Inbox {
    signer: Option<Webhook>,
    out: mpsc::Sender<Received>,
}

/// A receiver that listens; webhooks come out of `received`.
pub struct Receiver {
    pub address: SocketAddr,
    pub received: mpsc::Receiver<Received>,
}

/// Listens and acknowledges everything that is signed well, or everything where no secret was given.
pub async fn start(listen: SocketAddr, secret: Option<&str>) -> io::Result<Receiver> {
    let bad = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
    let signer = secret.map(Webhook::new).transpose().map_err(bad)?;
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let (out, received) = mpsc::channel(64);
    let inbox = Arc::new(Inbox { signer, out });
    let router = Router::new().fallback(post(take)).with_state(inbox);
    tokio::spawn(async move {
        let connections = crate::listen::plain(listener, router);
        connections.await;
    });
    Ok(Receiver { address, received })
}

async fn take(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let verified = inbox.signer.as_ref().map(|signer| signer.verify(&body, &headers).is_ok());
    let id = headers.get(HEADER_WEBHOOK_ID).and_then(|id| id.to_str().ok()).unwrap_or("-");
    let received = Received { id: id.to_owned(), verified, body: body.to_vec() };
    let kept = inbox.out.send(received).await.is_ok();
    match verified {
        Some(false) => StatusCode::UNAUTHORIZED,
        _ if kept => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}
