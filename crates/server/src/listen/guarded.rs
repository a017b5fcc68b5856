//! A stream that remembers when a head began to arrive, so that a dribbler is told from a
//! connection that merely waits.

use super::Limits;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// No head is arriving.
const NONE: i64 = -1;

/// What is known of one connection's times, in milliseconds since it was accepted.
pub struct Guard {
    accepted: Instant,
    /// When the head that is arriving began.
    head_since: AtomicI64,
    /// When the last request ended.
    idle_since: AtomicI64,
    busy: AtomicU32,
}

/// A request under way.
pub struct Busy(Arc<Guard>);

impl Guard {
    pub fn new() -> Guard {
        Guard {
            accepted: Instant::now(),
            head_since: AtomicI64::new(0),
            idle_since: AtomicI64::new(0),
            busy: AtomicU32::new(0),
        }
    }

    fn now(&self) -> i64 {
        i64::try_from(self.accepted.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// A head has arrived whole.
    pub fn begin(self: &Arc<Guard>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(NONE, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    fn bytes_came(&self) {
        if self.busy.load(Ordering::Relaxed) == 0 {
            let began = self.head_since.compare_exchange(
                NONE,
                self.now(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            // An arriving head keeps the time of its first byte.
            let _ = began;
        }
    }

    /// Whether the head takes too long, or nothing was asked for too long.
    pub fn overdue(&self, limits: Limits) -> bool {
        if self.busy.load(Ordering::Relaxed) > 0 {
            return false;
        }
        let now = self.now();
        let head = self.head_since.load(Ordering::Relaxed);
        let (since, limit) = match head {
            NONE => (self.idle_since.load(Ordering::Relaxed), limits.idle_timeout),
            head => (head, limits.header_timeout),
        };
        // Looked at once a second: one second less, so that nothing outlives its limit.
        let limit = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX) - 1_000;
        now - since >= limit.max(0)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.idle_since.store(self.0.now(), Ordering::Relaxed);
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

pub struct Guarded<S> {
    inner: S,
    guard: Arc<Guard>,
}

impl<S> Guarded<S> {
    pub fn new(inner: S, guard: Arc<Guard>) -> Guarded<S> {
        Guarded { inner, guard }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.guard.bytes_came();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const LIMITS: Limits = Limits {
        connections: 1,
        header_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(60),
    };

    #[tokio::test(start_paused = true)]
    async fn a_slow_head_ends_sooner_than_an_idle_connection() {
        let guard = Arc::new(Guard::new());
        tokio::time::advance(Duration::from_secs(8)).await;
        assert!(!guard.overdue(LIMITS));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(guard.overdue(LIMITS), "the first head");
        let busy = guard.begin();
        tokio::time::advance(Duration::from_secs(600)).await;
        assert!(!guard.overdue(LIMITS), "a request under way is never cut");
        drop(busy);
        tokio::time::advance(Duration::from_secs(58)).await;
        assert!(!guard.overdue(LIMITS));
        guard.bytes_came();
        tokio::time::advance(Duration::from_secs(5)).await;
        guard.bytes_came();
        assert!(!guard.overdue(LIMITS));
        tokio::time::advance(Duration::from_secs(4)).await;
        assert!(guard.overdue(LIMITS), "a dribbled head keeps the time of its first byte");
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_ends_after_its_time() {
        let guard = Arc::new(Guard::new());
        drop(guard.begin());
        tokio::time::advance(Duration::from_secs(58)).await;
        assert!(!guard.overdue(LIMITS));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(guard.overdue(LIMITS));
    }
}
