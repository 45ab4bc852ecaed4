//! A clock that stands still until a test moves it, with everything that waits for it, so that an hour passes at once.
//!
//! A test says what it expects to be waited for ([`SimulatedClock::until_waited_for`]), which also tells it that the
//! code under test has got there, and then moves the time to that moment: no earlier moment would have done, and
//! nothing is slept for. Sockets, files and threads stay real.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use countersign_clock::{Clock, Simulation, TimerId};
use jiff::Timestamp;
use tokio::sync::Notify;

/// How long a test waits, in real time, for something to be waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Clocks that are moved by hand. Clones share the time.
#[derive(Clone)]
pub struct SimulatedClock(Arc<Hands>);

struct Hands {
    /// The monotonic clock's zero. It cannot be made up, so it is when the simulation was made.
    monotonic: Instant,
    wall: Timestamp,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    passed: Duration,
    next: TimerId,
    waiting: HashMap<TimerId, (Instant, Waker)>,
}

impl SimulatedClock {
    /// Stands at a fixed time in 2026.
    pub fn new() -> SimulatedClock {
        SimulatedClock(Arc::new(Hands {
            monotonic: Clock::system().monotonic(),
            wall: Timestamp::constant(1_790_000_000, 0),
            state: Mutex::default(),
            changed: Notify::new(),
        }))
    }

    /// As the crates take it.
    pub fn clock(&self) -> Clock {
        Clock::simulated(Arc::clone(&self.0) as Arc<dyn Simulation>)
    }

    /// How much time has passed since it was made.
    pub fn passed(&self) -> Duration {
        self.0.lock().passed
    }

    /// Moves both clocks on by so much at once, and wakes all that waited for any moment until then.
    pub fn advance(&self, by: Duration) {
        self.advance_to(self.passed() + by);
    }

    /// Moves both clocks to when so much has passed since it was made.
    pub fn advance_to(&self, passed: Duration) {
        let mut state = self.0.lock();
        assert!(passed >= state.passed, "time does not go back");
        state.passed = passed;
        let now = self.0.monotonic + passed;
        let due: Vec<TimerId> =
            state.waiting.iter().filter(|(_, (at, _))| *at <= now).map(|(timer, _)| *timer).collect();
        let due: Vec<Waker> =
            due.iter().filter_map(|timer| state.waiting.remove(timer)).map(|(_, waker)| waker).collect();
        drop(state);
        due.into_iter().for_each(Waker::wake);
    }

    /// What is waited for now, as how much will have passed then; earliest first.
    pub fn waited_for(&self) -> Vec<Duration> {
        let state = self.0.lock();
        let mut moments: Vec<Duration> =
            state.waiting.values().map(|(at, _)| at.saturating_duration_since(self.0.monotonic)).collect();
        moments.sort_unstable();
        moments
    }

    /// Ready once something waits for the moment when exactly so much has passed.
    pub async fn until_waited_for(&self, passed: Duration) {
        let looking = async {
            loop {
                let changed = self.0.changed.notified();
                if self.waited_for().contains(&passed) {
                    return;
                }
                changed.await;
            }
        };
        let found = Clock::system().timeout(PATIENCE, looking).await;
        assert!(
            found.is_ok(),
            "nothing waits until {passed:?} have passed; waited for: {:?}",
            self.waited_for()
        );
    }

    /// Waits for the code under test to wait for a moment so far from now, and moves the clocks there.
    pub async fn pass(&self, duration: Duration) {
        let passed = self.passed() + duration;
        self.until_waited_for(passed).await;
        self.advance_to(passed);
    }
}

impl Default for SimulatedClock {
    fn default() -> SimulatedClock {
        SimulatedClock::new()
    }
}

impl Hands {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Simulation for Hands {
    fn wall(&self) -> Timestamp {
        self.wall + self.lock().passed
    }

    fn monotonic(&self) -> Instant {
        self.monotonic + self.lock().passed
    }

    fn timer(&self) -> TimerId {
        let mut state = self.lock();
        state.next += 1;
        state.next
    }

    fn set(&self, timer: TimerId, deadline: Instant, waker: &Waker) {
        let mut state = self.lock();
        let now = self.monotonic + state.passed;
        if deadline > now {
            state.waiting.insert(timer, (deadline, waker.clone()));
        }
        drop(state);
        self.changed.notify_waiters();
    }

    fn unset(&self, timer: TimerId) {
        self.lock().waiting.remove(&timer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn an_hour_is_over_at_once_and_not_before_it_is_passed() {
        let simulated = SimulatedClock::new();
        let clock = simulated.clock();
        let (began, date) = (clock.monotonic(), clock.wall());
        let sleeping = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(HOUR).await }
        });
        simulated.until_waited_for(HOUR).await;
        simulated.advance(HOUR - Duration::from_nanos(1));
        tokio::task::yield_now().await;
        assert!(!sleeping.is_finished());
        simulated.advance(Duration::from_nanos(1));
        sleeping.await.unwrap();
        assert_eq!(clock.since(began), HOUR);
        assert_eq!(clock.wall().duration_since(date).unsigned_abs(), HOUR);
    }

    #[tokio::test]
    async fn a_future_has_its_time_and_no_more() {
        let simulated = SimulatedClock::new();
        let clock = simulated.clock();
        assert_eq!(clock.timeout(Duration::ZERO, async { 7 }).await, Ok(7));
        let (bounded, ()) =
            tokio::join!(clock.timeout(HOUR, std::future::pending::<()>()), simulated.pass(HOUR));
        assert!(bounded.is_err());
    }

    #[tokio::test]
    async fn a_timer_that_was_set_again_or_dropped_waits_no_more_for_its_first_moment() {
        let simulated = SimulatedClock::new();
        let clock = simulated.clock();
        let mut sleep = Box::pin(clock.sleep(HOUR));
        assert!(futures_now(sleep.as_mut()).is_none());
        sleep.as_mut().reset(clock.after(2 * HOUR));
        assert!(futures_now(sleep.as_mut()).is_none());
        assert_eq!(simulated.waited_for(), [2 * HOUR]);
        drop(sleep);
        assert!(simulated.waited_for().is_empty());
    }

    #[test]
    fn threads_that_wait_are_released_too() {
        let simulated = SimulatedClock::new();
        let clock = simulated.clock();
        let waiting = std::thread::spawn(move || {
            let (lock, condvar) = (Mutex::new(()), std::sync::Condvar::new());
            clock.block(HOUR);
            let guard = lock.lock().unwrap();
            clock.wait_timeout(&condvar, guard, HOUR).1
        });
        while !waiting.is_finished() {
            simulated.advance(HOUR);
            std::thread::yield_now();
        }
        assert!(waiting.join().unwrap(), "the time was over");
    }

    fn futures_now<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        match future.poll(&mut std::task::Context::from_waker(Waker::noop())) {
            std::task::Poll::Ready(outcome) => Some(outcome),
            std::task::Poll::Pending => None,
        }
    }
}
