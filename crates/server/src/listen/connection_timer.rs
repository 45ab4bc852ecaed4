//! Lets hyper wait by the clock that the listener was given: for the head of a request.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use countersign_clock::{Clock, Sleep};
use hyper::rt::Timer;
use pin_project_lite::pin_project;

/// The clock, as hyper takes one.
pub(super) struct ConnectionTimer(pub(super) Clock);

pin_project! {
    struct ConnectionSleep {
        #[pin]
        sleep: Sleep,
    }
}

impl Timer for ConnectionTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(ConnectionSleep { sleep: self.0.sleep(duration) })
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(ConnectionSleep { sleep: self.0.sleep_until(deadline) })
    }

    fn now(&self) -> Instant {
        self.0.monotonic()
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn hyper::rt::Sleep>>, deadline: Instant) {
        match sleep.as_mut().downcast_mut_pin::<ConnectionSleep>() {
            Some(own) => own.project().sleep.reset(deadline),
            None => *sleep = self.sleep_until(deadline),
        }
    }
}

impl Future for ConnectionSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.project().sleep.poll(context)
    }
}

impl hyper::rt::Sleep for ConnectionSleep {}
