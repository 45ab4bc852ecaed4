//! Waiting for a moment on the monotonic clock.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;

use crate::simulation::{Simulation, TimerId};

pin_project! {
    /// Ready at its moment, and from then on; see [`Clock::sleep`](crate::Clock::sleep).
    #[must_use = "it waits only while it is awaited"]
    pub struct Sleep {
        #[pin]
        timer: Timer,
    }
}

pin_project! {
    #[project = TimerProjection]
    enum Timer {
        Machine { #[pin] sleep: tokio::time::Sleep },
        Simulated { sleep: SimulatedSleep },
    }
}

struct SimulatedSleep {
    simulation: Arc<dyn Simulation>,
    timer: TimerId,
    deadline: Instant,
}

impl Sleep {
    #[expect(clippy::disallowed_methods, reason = "this is the home of waiting")]
    pub(crate) fn on_the_machine(deadline: Instant) -> Sleep {
        Sleep { timer: Timer::Machine { sleep: tokio::time::sleep_until(deadline.into()) } }
    }

    pub(crate) fn simulated(simulation: Arc<dyn Simulation>, deadline: Instant) -> Sleep {
        let timer = simulation.timer();
        Sleep { timer: Timer::Simulated { sleep: SimulatedSleep { simulation, timer, deadline } } }
    }

    /// Waits for another moment instead, whether or not the one before has come.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        match self.project().timer.project() {
            TimerProjection::Machine { sleep } => sleep.reset(deadline.into()),
            TimerProjection::Simulated { sleep } => {
                sleep.deadline = deadline;
                sleep.simulation.unset(sleep.timer);
            }
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match self.project().timer.project() {
            TimerProjection::Machine { sleep } => sleep.poll(context),
            TimerProjection::Simulated { sleep } => sleep.poll(context),
        }
    }
}

impl SimulatedSleep {
    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        // Set first and looked at then: a moment that comes in between wakes.
        self.simulation.set(self.timer, self.deadline, context.waker());
        if self.simulation.monotonic() < self.deadline {
            return Poll::Pending;
        }
        self.simulation.unset(self.timer);
        Poll::Ready(())
    }
}

impl Drop for SimulatedSleep {
    fn drop(&mut self) {
        self.simulation.unset(self.timer);
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sleep")
    }
}
