//! Connections to applications, and those that are kept for the next callback to the same destination.
//!
//! Keeping one saves the application a handshake for each upload. It weakens no judgement: who wants to use
//! one has resolved the name and judged the address anew, and gets it only for that address. Kept for a
//! second only, since applications close what is idle, and many do so after two.
//!
//! Clauses CB-45.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use countersign_clock::Clock;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::task::AbortOnDropHandle;

/// The most bytes that the head of an answer may have.
pub(super) const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How long a connection is kept that nobody uses.
const IDLE_MAX: Duration = Duration::from_secs(1);
/// How many are kept, all together.
const KEPT_MAX: usize = 256;

/// Where a connection goes, and whom its requests may name. Another one of these is another connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ConnectionKey {
    /// The address that was judged.
    pub(super) address: SocketAddr,
    /// Whether it is TLS.
    pub(super) tls: bool,
    /// The host of the URL, which the certificate was checked for.
    pub(super) host: String,
    /// The `Host` header.
    pub(super) host_header: String,
}

/// A connection to an application. Dropping it ends it at once.
pub(super) struct CallbackConnection {
    sender: SendRequest<Full<Bytes>>,
    heard: Arc<AtomicU64>,
    written: Arc<AtomicU64>,
    _driver: AbortOnDropHandle<()>,
}

impl CallbackConnection {
    /// Begins to speak HTTP over a fresh stream.
    pub(super) async fn over<T>(stream: T) -> Result<Self, hyper::Error>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (heard, written) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let counted = Counted { stream, heard: Arc::clone(&heard), written: Arc::clone(&written) };
        let stream = TokioIo::new(counted);
        let (sender, connection) = Builder::new().max_buf_size(HEAD_BYTES_MAX).handshake(stream).await?;
        let driver = AbortOnDropHandle::new(tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a callback's connection ended early");
            }
        }));
        Ok(Self { sender, heard, written, _driver: driver })
    }

    /// Sends a request; the answer's head has come when this is ready.
    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, hyper::Error> {
        self.sender.send_request(request).await
    }

    /// How many bytes have come from the application so far.
    pub(super) fn heard_bytes(&self) -> u64 {
        self.heard.load(Ordering::Acquire)
    }

    /// Counts the bytes that have been written to the application.
    pub(super) fn written(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.written)
    }

    /// Whether a request can be sent now: the last answer was read to its end, and neither side has closed.
    fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }
}

/// The connections that nobody uses now.
pub(crate) struct CallbackConnections {
    clock: Clock,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    idle: HashMap<ConnectionKey, Vec<(Instant, CallbackConnection)>>,
    count: usize,
    reaped: bool,
}

impl CallbackConnections {
    /// None yet; they are kept by this clock.
    pub(crate) fn new(clock: &Clock) -> Arc<Self> {
        Arc::new(Self { clock: clock.clone(), kept: Mutex::default() })
    }

    /// One to exactly this destination that still looks open, the last one used first.
    pub(super) fn take(&self, destination: &ConnectionKey) -> Option<CallbackConnection> {
        let mut kept = self.lock();
        loop {
            let (since, connection) = kept.idle.get_mut(destination)?.pop()?;
            kept.count -= 1;
            if self.clock.since(since) < IDLE_MAX && connection.is_ready() {
                return Some(connection);
            }
        }
    }

    /// Keeps one after its answer was read to the end.
    pub(super) fn keep(self: &Arc<Self>, destination: ConnectionKey, connection: CallbackConnection) {
        if connection.sender.is_closed() {
            return;
        }
        let mut kept = self.lock();
        if kept.count >= KEPT_MAX {
            return;
        }
        kept.idle.entry(destination).or_default().push((self.clock.monotonic(), connection));
        kept.count += 1;
        if !kept.reaped {
            kept.reaped = true;
            tokio::spawn(reap(self.clock.clone(), Arc::downgrade(self)));
        }
    }

    /// Drops those that were idle for too long; says whether any is left.
    fn drop_old(&self) -> bool {
        let mut kept = self.lock();
        kept.idle.retain(|_, connections| {
            connections.retain(|(since, connection)| {
                self.clock.since(*since) < IDLE_MAX && !connection.sender.is_closed()
            });
            !connections.is_empty()
        });
        kept.count = kept.idle.values().map(Vec::len).sum();
        kept.reaped = kept.count > 0;
        kept.reaped
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops idle connections until none is left.
async fn reap(clock: Clock, connections: Weak<CallbackConnections>) {
    loop {
        clock.sleep(IDLE_MAX).await;
        if !connections.upgrade().is_some_and(|connections| connections.drop_old()) {
            return;
        }
    }
}

/// A stream that counts what goes through it.
struct Counted<T> {
    stream: T,
    heard: Arc<AtomicU64>,
    written: Arc<AtomicU64>,
}

impl<T: AsyncRead + Unpin> AsyncRead for Counted<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut this.stream).poll_read(context, buffer);
        this.heard.fetch_add((buffer.filled().len() - before) as u64, Ordering::AcqRel);
        outcome
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Counted<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let this = self.get_mut();
        count(&this.written, Pin::new(&mut this.stream).poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let this = self.get_mut();
        count(&this.written, Pin::new(&mut this.stream).poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

fn count(written: &AtomicU64, outcome: Poll<std::io::Result<usize>>) -> Poll<std::io::Result<usize>> {
    if let Poll::Ready(Ok(bytes)) = &outcome {
        written.fetch_add(*bytes as u64, Ordering::AcqRel);
    }
    outcome
}
