//! The accept loop. It is our own because a call may end its connection instead of answering it.

use crate::answer::{Answer, Cut};
use crate::line::Line;
use crate::route::{self, Centre};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// Open connections; further ones wait in the system's queue.
const CONNECTIONS: usize = 4_096;
/// For a request's head, and for a connection without a request.
const HEAD_TIME: Duration = Duration::from_secs(60);
/// After the stop, calls get this long to end; one that is answered late on purpose is cut.
const DRAIN: Duration = Duration::from_secs(2);

/// Serves until `stopped` says so or its sender is gone, then ends every connection.
pub async fn serve(listener: TcpListener, centre: Arc<Centre>, mut stopped: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            _ = stopped.changed() => break,
        };
        let Some((stream, from, place)) = accepted else { continue };
        let (centre, stopped) = (Arc::clone(&centre), stopped.clone());
        open.spawn(async move {
            connection(stream, from, centre, stopped).await;
            drop(place);
        });
    }
    drop(listener);
    let all = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, all).await.is_err() {
        open.shutdown().await;
    }
}

type Accepted = (TcpStream, SocketAddr, OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> Option<Accepted> {
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, from)) => {
            // Without it small answers wait for the other side's acknowledgement.
            let _ = stream.set_nodelay(true);
            Some((stream, from, place))
        }
        Err(error) => {
            // Out of file descriptors, most likely: others will close.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

async fn connection(
    stream: TcpStream,
    from: SocketAddr,
    centre: Arc<Centre>,
    mut stopped: watch::Receiver<bool>,
) {
    let (line, reset) = Line::new(stream);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (centre, reset) = (Arc::clone(&centre), Arc::clone(&reset));
        async move {
            let answer: Answer = route::call(&centre, request, from.ip()).await;
            if let Err(Cut::Reset) = answer {
                reset.store(true, Ordering::Release);
            }
            // An error ends the connection; hyper sends nothing for it.
            answer
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_headers(64)
        .serve_connection(TokioIo::new(line), service);
    let mut connection = pin!(connection);
    let mut draining = false;
    loop {
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stopped.changed(), if !draining => {
                draining = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
