//! The wall clock, the monotonic clock, and waiting on the latter.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Condvar, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::simulation::Simulation;
use crate::sleep::Sleep;
use crate::timeout::Timeout;

/// What stands for "never" where a deadline lies beyond what an [`Instant`] can hold: about thirty years.
const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
/// How often a thread that waits for simulated time looks at it, in real time.
const GLANCE: Duration = Duration::from_millis(1);

/// Tells the time and waits. Clones are cheap and show the same time.
///
/// ```
/// use countersign_clock::Clock;
/// use jiff::Timestamp;
///
/// let noon: Timestamp = "2026-11-28T12:00:00Z".parse()?;
/// assert_eq!(Clock::with_wall(move || noon).wall(), noon);
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    /// The machine's, of which the wall clock alone may be another.
    Machine(Arc<dyn Fn() -> Timestamp + Send + Sync>),
    /// A test's.
    Simulated(Arc<dyn Simulation>),
}

impl Clock {
    /// The machine's clocks.
    pub fn system() -> Clock {
        Clock::with_wall(system_wall)
    }

    /// The machine's monotonic clock and timers, and this wall clock.
    pub fn with_wall(wall: impl Fn() -> Timestamp + Send + Sync + 'static) -> Clock {
        Clock(Source::Machine(Arc::new(wall)))
    }

    /// Clocks that stand still until the simulation moves them.
    pub fn simulated(simulation: Arc<dyn Simulation>) -> Clock {
        Clock(Source::Simulated(simulation))
    }

    /// The date and time. It may be set, so that it says nothing of how long something took.
    pub fn wall(&self) -> Timestamp {
        match &self.0 {
            Source::Machine(wall) => wall(),
            Source::Simulated(simulation) => simulation.wall(),
        }
    }

    /// The wall clock alone, for what takes it as a function.
    pub fn to_wall(&self) -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
        match &self.0 {
            Source::Machine(wall) => Arc::clone(wall),
            Source::Simulated(simulation) => {
                let simulation = Arc::clone(simulation);
                Arc::new(move || simulation.wall())
            }
        }
    }

    /// The moment on the monotonic clock, which never goes back. Compare it with [`Clock::since`] and not with
    /// `Instant::elapsed`, which reads the machine's.
    pub fn monotonic(&self) -> Instant {
        match &self.0 {
            Source::Machine(_) => machine_monotonic(),
            Source::Simulated(simulation) => simulation.monotonic(),
        }
    }

    /// How long ago a moment was; zero for one that is still to come.
    pub fn since(&self, moment: Instant) -> Duration {
        self.monotonic().saturating_duration_since(moment)
    }

    /// The moment after so long; one in thirty years where it would be beyond what can be told.
    pub fn after(&self, duration: Duration) -> Instant {
        let now = self.monotonic();
        now.checked_add(duration).unwrap_or_else(|| now + NEVER)
    }

    /// Ready after so long. Within a Tokio runtime, with the machine's clocks.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.after(duration))
    }

    /// Ready at this moment on the monotonic clock. Within a Tokio runtime, with the machine's clocks.
    pub fn sleep_until(&self, deadline: Instant) -> Sleep {
        match &self.0 {
            Source::Machine(_) => Sleep::on_the_machine(deadline),
            Source::Simulated(simulation) => Sleep::simulated(Arc::clone(simulation), deadline),
        }
    }

    /// The future's outcome, if it has one within so long; the future is looked at first, also when the time is over.
    pub fn timeout<F: Future>(&self, duration: Duration, future: F) -> Timeout<F> {
        self.timeout_at(self.after(duration), future)
    }

    /// The future's outcome, if it has one before this moment on the monotonic clock.
    pub fn timeout_at<F: Future>(&self, deadline: Instant, future: F) -> Timeout<F> {
        match &self.0 {
            Source::Machine(_) => Timeout::on_the_machine(deadline, future),
            Source::Simulated(_) => Timeout::simulated(self.sleep_until(deadline), future),
        }
    }

    /// Holds this thread for so long. Not for async code.
    pub fn block(&self, duration: Duration) {
        let Source::Simulated(simulation) = &self.0 else { return machine_block(duration) };
        let deadline = self.after(duration);
        while simulation.monotonic() < deadline {
            machine_block(GLANCE);
        }
    }

    /// Waits on a condition variable until it is notified, or for so long; says whether the time was over. As any such
    /// wait it may end for no reason. Not for async code.
    pub fn wait_timeout<'a, T>(
        &self,
        condvar: &Condvar,
        guard: MutexGuard<'a, T>,
        duration: Duration,
    ) -> (MutexGuard<'a, T>, bool) {
        let Source::Simulated(simulation) = &self.0 else {
            return machine_wait(condvar, guard, duration);
        };
        let deadline = self.after(duration);
        let mut guard = guard;
        loop {
            // Nothing could notify the thread at the moment when simulated time gets there, so it looks.
            let (waited, quiet) = machine_wait(condvar, guard, GLANCE);
            guard = waited;
            let over = simulation.monotonic() >= deadline;
            if over || !quiet {
                return (guard, over);
            }
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Machine(_) => "Clock",
            Source::Simulated(_) => "Clock (simulated)",
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the home of the wall clock")]
fn system_wall() -> Timestamp {
    Timestamp::now()
}

#[expect(clippy::disallowed_methods, reason = "this is the home of the monotonic clock")]
fn machine_monotonic() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "this is the home of waiting")]
fn machine_block(duration: Duration) {
    std::thread::sleep(duration);
}

#[expect(clippy::disallowed_methods, reason = "this is the home of waiting")]
fn machine_wait<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    duration: Duration,
) -> (MutexGuard<'a, T>, bool) {
    let (guard, outcome) = condvar.wait_timeout(guard, duration).unwrap_or_else(PoisonError::into_inner);
    (guard, outcome.timed_out())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_beyond_what_an_instant_can_hold_is_far_away_and_no_panic() {
        let clock = Clock::system();
        let far = clock.after(Duration::MAX);
        assert!(far > clock.after(Duration::from_secs(365 * 24 * 60 * 60)));
        assert_eq!(clock.since(far), Duration::ZERO, "what is to come was not yet");
    }

    #[tokio::test]
    async fn a_timeout_ends_a_future_at_its_deadline() {
        let clock = Clock::system();
        assert_eq!(clock.timeout(Duration::ZERO, async { 7 }).await, Ok(7), "one that is ready has won");
        let over = clock.timeout(Duration::from_millis(1), std::future::pending::<()>()).await;
        assert!(over.is_err());
    }
}
