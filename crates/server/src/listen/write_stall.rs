//! Ends connections whose client does not take its answer: it would hold a connection, an open file and the bytes of
//! a deleted object for as long as it likes.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use countersign_clock::{Clock, Sleep};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection_places::Activity;

/// Ends a write with an error once the other side has taken nothing for too long.
pub(super) struct WriteStall<T> {
    stream: T,
    clock: Clock,
    timeout: Duration,
    activity: Arc<Activity>,
    /// Made by the first write that has to wait; most connections never have one.
    deadline: Option<Pin<Box<Sleep>>>,
    waits: bool,
}

impl<T> WriteStall<T> {
    pub(super) fn new(stream: T, clock: Clock, timeout: Duration, activity: Arc<Activity>) -> Self {
        Self { stream, clock, timeout, activity, deadline: None, waits: false }
    }

    /// Passes an outcome on; one that waits for longer than it may is an error.
    fn judge<R>(&mut self, outcome: Poll<io::Result<R>>, context: &mut Context<'_>) -> Poll<io::Result<R>> {
        if outcome.is_ready() {
            if self.waits {
                self.activity.writes(false);
            }
            self.waits = false;
            self.activity.moved();
            return outcome;
        }
        let (clock, timeout) = (&self.clock, self.timeout);
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(clock.sleep(timeout)));
        if !self.waits {
            deadline.as_mut().reset(clock.after(timeout));
            self.waits = true;
            self.activity.writes(true);
        }
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the other side takes nothing")))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for WriteStall<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        if outcome.is_ready() {
            self.activity.moved();
        }
        outcome
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for WriteStall<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(outcome, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.judge(outcome, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(context);
        self.judge(outcome, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(context);
        self.judge(outcome, context)
    }
}
