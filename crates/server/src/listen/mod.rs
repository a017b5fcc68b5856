//! The accept loop. It is our own because axum's `serve` has no header time-out, no idle time-out
//! and no cap on connections (docs/adr/0005).

mod guarded;
mod tls;

pub use tls::acceptor;

use crate::api::Peer;
use axum::Router;
use axum::body::Body;
use guarded::{Guard, Guarded};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// How connections are kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connections: usize,
    /// From a head's first byte to its last.
    pub header_timeout: Duration,
    /// Without a request under way.
    pub idle_timeout: Duration,
}

/// After the stop, connections get this long to finish what they have begun.
pub const DRAIN: Duration = Duration::from_secs(10);

/// Serves until `stopped` says so, then takes no new connection and drains the open ones.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    metrics: Arc<crate::hub::Hub>,
    mut stopped: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            _ = stopped.changed() => break,
        };
        let Some((stream, from, place)) = accepted else { continue };
        let (router, tls, stopped) = (router.clone(), tls.clone(), stopped.clone());
        let hub = Arc::clone(&metrics);
        open.spawn(async move {
            hub.metrics.connections.inc();
            connection(stream, from, router, tls, limits, stopped).await;
            hub.metrics.connections.dec();
            drop(place);
        });
    }
    drop(listener);
    let all = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, all).await.is_err() {
        tracing::warn!("connections were cut after {} s of draining", DRAIN.as_secs());
    }
}

type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

/// Waits for room first: what cannot be served yet waits in the system's queue.
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
    router: Router,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    stopped: watch::Receiver<bool>,
) {
    // A connection that says nothing costs no buffers.
    if !first_byte(&stream, limits, stopped.clone()).await {
        return;
    }
    match tls {
        None => http(stream, from, router, limits, stopped).await,
        Some(acceptor) => {
            let handshake = tokio::time::timeout(limits.header_timeout, acceptor.accept(stream));
            if let Ok(Ok(stream)) = handshake.await {
                http(stream, from, router, limits, stopped).await;
            }
        }
    }
}

async fn first_byte(
    stream: &TcpStream,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
) -> bool {
    tokio::select! {
        ready = tokio::time::timeout(limits.header_timeout, stream.readable()) => {
            matches!(ready, Ok(Ok(())))
        }
        _ = stopped.changed() => false,
    }
}

async fn http<S>(
    stream: S,
    from: SocketAddr,
    router: Router,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let guard = Arc::new(Guard::new());
    let io = TokioIo::new(Guarded::new(stream, Arc::clone(&guard)));
    let watched = Arc::clone(&guard);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let busy = watched.begin();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(from.ip()));
        let answer = router.clone().oneshot(request);
        async move {
            let answer = answer.await;
            drop(busy);
            answer.map_err(|never: Infallible| never)
        }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    // The guard keeps the times: hyper's own cannot tell a slow head from an idle connection.
    builder.timer(TokioTimer::new()).header_read_timeout(None).max_headers(64);
    let connection = builder.serve_connection(io, service);
    let mut connection = pin!(connection);
    let mut look = tokio::time::interval(Duration::from_secs(1));
    let mut draining = false;
    loop {
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = look.tick() => {
                if guard.overdue(limits) {
                    return;
                }
            }
            _ = stopped.changed(), if !draining => {
                draining = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Serves a router with nothing around it: for the developers' own webhook receiver.
pub async fn plain(listener: TcpListener, router: Router) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let service = hyper_util::service::TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a sender went away");
            }
        });
    }
}

/// Raises the soft limit of open files to the hard one, as far as that goes.
pub fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}
