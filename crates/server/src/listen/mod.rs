//! The accept loop. It is our own because axum's `serve` has no header time-out, no idle time-out
//! and no cap on connections (docs/adr/0005).

mod guarded;
mod tls;

pub use tls::acceptor;

use crate::api::Peer;
use axum::Router;
use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use guarded::{Guard, Guarded};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
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
/// And so long one that is idle is kept: what its caller is sending just then is answered, and told that the
/// connection ends, where closing at once would leave the caller without a word.
const LINGER: Duration = Duration::from_secs(1);
/// So long connections are still taken: the system has made some that nobody has taken yet.
const QUEUED: Duration = Duration::from_millis(100);

/// Serves until `stopped` says so, then takes what the system has made already and drains the open ones.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    metrics: Arc<crate::hub::Hub>,
    mut stopped: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let stops = stopped.clone();
    let mut open = JoinSet::new();
    let take = |(stream, from, place): Accepted, open: &mut JoinSet<()>| {
        let (router, tls, stopped) = (router.clone(), tls.clone(), stops.clone());
        let hub = Arc::clone(&metrics);
        open.spawn(async move {
            hub.metrics.connections.inc();
            connection(stream, from, router, tls, limits, stopped).await;
            hub.metrics.connections.dec();
            drop(place);
        });
    };
    loop {
        while open.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            _ = stopped.changed() => break,
        };
        if let Some(accepted) = accepted {
            take(accepted, &mut open);
        }
    }
    let end = Instant::now() + QUEUED;
    while Instant::now() < end {
        let accepted = tokio::time::timeout_at(end, accept(&listener, &room)).await;
        if let Ok(Some(accepted)) = accepted {
            take(accepted, &mut open);
        }
    }
    for accepted in queued(listener, &room) {
        take(accepted, &mut open);
    }
    let all = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, all).await.is_err() {
        tracing::warn!("connections were cut after {} s of draining", DRAIN.as_secs());
    }
}

/// What nobody has taken yet when the listener closes, as far as there is room; it would be cut without a
/// word.
fn queued(listener: TcpListener, room: &Arc<Semaphore>) -> Vec<Accepted> {
    let mut queued = Vec::new();
    let Ok(listener) = listener.into_std() else { return queued };
    while let Ok(place) = Arc::clone(room).try_acquire_owned() {
        match listener.accept() {
            Ok((stream, from)) => {
                let stream =
                    stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
                queued.extend(stream.ok().map(|stream| (ready(stream), from, place)));
            }
            // One that its caller gave up; behind it are others.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(_) => break,
        }
    }
    queued
}

/// Without it small answers wait for the other side's acknowledgement.
fn ready(stream: TcpStream) -> TcpStream {
    let _ = stream.set_nodelay(true);
    stream
}

type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

/// Waits for room first: what cannot be served yet waits in the system's queue.
async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> Option<Accepted> {
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, from)) => Some((ready(stream), from, place)),
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
    mut stopped: watch::Receiver<bool>,
) {
    // A connection that says nothing, or says it one byte at a time, costs no buffers.
    let deadline = Instant::now() + limits.header_timeout;
    let begins = tokio::select! {
        begins = begins(&stream, tls.is_some(), deadline) => begins,
        () = lingered(&mut stopped) => false,
    };
    if !begins {
        return;
    }
    match tls {
        // Boxed, so that a connection that only waits does not carry the room for serving it.
        None => Box::pin(http(stream, from, router, limits, stopped)).await,
        Some(acceptor) => {
            let handshake = tokio::time::timeout(limits.header_timeout, acceptor.accept(stream));
            if let Ok(Ok(stream)) = handshake.await {
                Box::pin(http(stream, from, router, limits, stopped)).await;
            }
        }
    }
}

/// Until some time after the stop.
async fn lingered(stopped: &mut watch::Receiver<bool>) {
    // Whoever would say it is gone: that is a stop too.
    let _ = stopped.wait_for(|stopped| *stopped).await;
    tokio::time::sleep(LINGER).await;
}

/// Head bytes that are looked at before the connection gets its buffers; a longer head gets them.
const PEEK: usize = 2_048;
/// Waits between looks at a head that is not whole; the last one repeats.
const LOOKS_MS: [u64; 5] = [1, 5, 25, 100, 1_000];

/// Waits for a whole head, without taking it, up to the deadline; under TLS for the first byte.
async fn begins(stream: &TcpStream, tls: bool, deadline: Instant) -> bool {
    let mut look = 0;
    loop {
        let ready = tokio::time::timeout_at(deadline, stream.readable()).await;
        if !matches!(ready, Ok(Ok(()))) {
            return false;
        }
        if tls {
            return true;
        }
        // On the heap, so that a waiting connection does not carry it.
        let mut head = vec![0; PEEK];
        // "Readable" may be a false alarm, so the look has the deadline too.
        match tokio::time::timeout_at(deadline, stream.peek(&mut head)).await {
            Ok(Ok(0) | Err(_)) | Err(_) => return false,
            Ok(Ok(PEEK)) => return true,
            Ok(Ok(length)) if whole(&head[..length]) => return true,
            Ok(Ok(_)) => drop(head),
        }
        if Instant::now() >= deadline {
            return false;
        }
        let wait = Duration::from_millis(LOOKS_MS[look]);
        look = (look + 1).min(LOOKS_MS.len() - 1);
        tokio::time::sleep_until(deadline.min(Instant::now() + wait)).await;
    }
}

fn whole(head: &[u8]) -> bool {
    head.windows(4).any(|end| end == b"\r\n\r\n") || head.windows(2).any(|end| end == b"\n\n")
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
    let (watched, stops) = (Arc::clone(&guard), stopped.clone());
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let busy = watched.begin();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(from.ip()));
        let (answer, stops) = (router.clone().oneshot(request), stops.clone());
        async move {
            let answer = answer.await.map(|mut answer| {
                if *stops.borrow() {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                answer
            });
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
    let mut lingered = pin!(lingered(&mut stopped));
    let mut closing = false;
    loop {
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = look.tick() => {
                if guard.overdue(limits) {
                    return;
                }
            }
            () = lingered.as_mut(), if !closing => {
                closing = true;
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
