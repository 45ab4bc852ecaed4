//! Ends a future at a deadline.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use pin_project_lite::pin_project;

use crate::sleep::Sleep;

/// The future had no outcome in its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time is over")]
pub struct Elapsed;

pin_project! {
    /// See [`Clock::timeout`](crate::Clock::timeout).
    #[must_use = "it does nothing unless it is awaited"]
    pub struct Timeout<F> {
        #[pin]
        bounded: Bounded<F>,
    }
}

pin_project! {
    #[project = BoundedProjection]
    enum Bounded<F> {
        // Tokio's own, since it lets the timer fire also when the future has used up what a task may do at a time.
        Machine { #[pin] timeout: tokio::time::Timeout<F> },
        Simulated { #[pin] future: F, #[pin] sleep: Sleep },
    }
}

impl<F: Future> Timeout<F> {
    #[expect(clippy::disallowed_methods, reason = "this is the home of waiting")]
    pub(crate) fn on_the_machine(deadline: Instant, future: F) -> Timeout<F> {
        Timeout { bounded: Bounded::Machine { timeout: tokio::time::timeout_at(deadline.into(), future) } }
    }

    pub(crate) fn simulated(sleep: Sleep, future: F) -> Timeout<F> {
        Timeout { bounded: Bounded::Simulated { future, sleep } }
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().bounded.project() {
            BoundedProjection::Machine { timeout } => timeout.poll(context).map_err(|_| Elapsed),
            BoundedProjection::Simulated { future, sleep } => {
                if let Poll::Ready(outcome) = future.poll(context) {
                    return Poll::Ready(Ok(outcome));
                }
                ready!(sleep.poll(context));
                Poll::Ready(Err(Elapsed))
            }
        }
    }
}

impl<F> fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timeout")
    }
}
