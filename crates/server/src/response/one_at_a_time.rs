//! Backpressure on downloads: the next chunk of a stream is not read before the last was sent. A client that takes
//! nothing so makes the store hold one chunk and not as many as the connection would queue.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::task::AtomicWaker;

/// The stream.
pub(crate) struct OneAtATime<S> {
    source: S,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    on_its_way: AtomicBool,
    waiting: AtomicWaker,
}

/// A chunk that opens the gate when its last copy is gone.
struct Gated {
    bytes: Bytes,
    gate: Arc<Gate>,
}

impl<S> OneAtATime<S> {
    /// Of this source.
    pub(crate) fn of(source: S) -> Self {
        Self { source, gate: Arc::default() }
    }
}

impl<S: Stream<Item = io::Result<Bytes>> + Unpin> Stream for OneAtATime<S> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.gate.waiting.register(context.waker());
        if self.gate.on_its_way.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        let chunk = ready!(Pin::new(&mut self.source).poll_next(context));
        Poll::Ready(chunk.map(|chunk| {
            chunk.map(|bytes| {
                self.gate.on_its_way.store(true, Ordering::Release);
                Bytes::from_owner(Gated { bytes, gate: Arc::clone(&self.gate) })
            })
        }))
    }
}

impl AsRef<[u8]> for Gated {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Gated {
    fn drop(&mut self) {
        self.bytes = Bytes::new();
        self.gate.on_its_way.store(false, Ordering::Release);
        self.gate.waiting.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt as _, StreamExt as _, stream};

    #[tokio::test]
    async fn the_next_chunk_comes_when_the_last_copy_of_the_one_before_is_gone() {
        let chunks = ["one", "two"].map(|text| Ok(Bytes::from_static(text.as_bytes())));
        let mut stream = OneAtATime::of(stream::iter(chunks));
        let first = stream.next().await.unwrap().unwrap();
        let copy = first.clone();
        assert_eq!(first, "one");
        drop(first);
        assert!(stream.next().now_or_never().is_none());
        let (second, ()) = tokio::join!(stream.next(), async { drop(copy) });
        assert_eq!(second.unwrap().unwrap(), "two");
        assert!(stream.next().await.is_none());
    }
}
