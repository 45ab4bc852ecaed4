//! The pool of connections that answer queries. A query has one to itself for as long as it runs; its read
//! transaction ends with it.
//!
//! A query that walks runs off the async threads. One that finds a single row is over sooner than another
//! thread is woken, as long as its pages are in memory: so it runs where it is asked, until one was slow.

use super::{CatalogError, schema};
use crate::Clock;
use crate::blobs::Work;
use rusqlite::Connection;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// A point query that took longer has waited for the disk (or for a processor, which it cannot tell).
const SLOW: Duration = Duration::from_millis(2);
/// How many point queries run off the async threads after a slow one.
const SPARED_AFTER_SLOW: u32 = 16;

/// The pool.
#[derive(Clone)]
pub(super) struct ReadPool {
    clock: Clock,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
    spared: Arc<AtomicU32>,
}

impl ReadPool {
    /// Opens so many connections.
    pub(super) fn open(path: &Path, clock: &Clock, count: usize) -> Result<ReadPool, CatalogError> {
        let idle = (0..count).map(|_| schema::open_reader(path)).collect::<Result<Vec<_>, _>>()?;
        Ok(ReadPool {
            clock: clock.clone(),
            idle: Arc::new(Mutex::new(idle)),
            permits: Arc::new(Semaphore::new(count)),
            spared: Arc::default(),
        })
    }

    /// Runs a query on a free connection; waits for one without holding a thread.
    pub(super) fn run<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, CatalogError> + Send + 'static,
    ) -> Work<Result<T, CatalogError>> {
        let pool = self.clone();
        Box::pin(async move {
            let permits = Arc::clone(&pool.permits);
            let permit = permits.acquire_owned().await.map_err(|_| CatalogError::Closed)?;
            let answered = tokio::task::spawn_blocking(move || {
                let answer = pool.ask(query);
                drop(permit);
                answer
            });
            answered.await.unwrap_or(Err(CatalogError::Closed))
        })
    }

    /// Runs a query that finds a single row: on this thread and at once, unless every connection is busy or the
    /// disk had to be waited for lately.
    pub(super) fn point<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, CatalogError> + Send + 'static,
    ) -> Work<Result<T, CatalogError>> {
        if self.is_spared() {
            return self.run(query);
        }
        let Ok(permit) = self.permits.try_acquire() else { return self.run(query) };
        let started = self.clock.monotonic();
        let answer = self.ask(query);
        drop(permit);
        if self.clock.since(started) > SLOW {
            self.spared.store(SPARED_AFTER_SLOW, Ordering::Relaxed);
        }
        Box::pin(std::future::ready(answer))
    }

    /// Whether this thread is to be spared, since one of the last point queries was slow.
    fn is_spared(&self) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        self.spared.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }

    fn ask<T>(&self, query: impl FnOnce(&Connection) -> Result<T, CatalogError>) -> Result<T, CatalogError> {
        let borrowed = Borrowed { connection: self.lock().pop(), pool: self };
        query(borrowed.connection.as_ref().ok_or(CatalogError::Closed)?)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection of the pool. However its query ends, by a panic too, the pool has it again: a permit without a
/// connection would refuse one query in so many from then on.
struct Borrowed<'pool> {
    connection: Option<Connection>,
    pool: &'pool ReadPool,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        self.pool.lock().extend(self.connection.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_testkit::SimulatedClock;
    use std::thread::{ThreadId, current};

    fn pool(count: usize) -> (tempfile::TempDir, ReadPool) {
        timed_pool(count, &SimulatedClock::new())
    }

    fn timed_pool(count: usize, clock: &SimulatedClock) -> (tempfile::TempDir, ReadPool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.sqlite");
        drop(schema::open_writer(&path, false).unwrap());
        (folder, ReadPool::open(&path, &clock.clock(), count).unwrap())
    }

    async fn thread_of(query: Work<Result<ThreadId, CatalogError>>) -> ThreadId {
        query.await.unwrap()
    }

    #[tokio::test]
    async fn a_point_query_runs_where_it_is_asked_until_one_was_slow() {
        let clock = SimulatedClock::new();
        let (_folder, pool) = timed_pool(1, &clock);
        let here = current().id();
        assert_eq!(thread_of(pool.point(|_| Ok(current().id()))).await, here);
        for time in [SLOW, SLOW + Duration::from_nanos(1)] {
            let passing = clock.clone();
            let timed = pool.point(move |_| {
                passing.advance(time);
                Ok(current().id())
            });
            assert_eq!(thread_of(timed).await, here, "the one before was not slow");
        }
        for _ in 0..SPARED_AFTER_SLOW {
            assert_ne!(thread_of(pool.point(|_| Ok(current().id()))).await, here);
        }
        assert_eq!(thread_of(pool.point(|_| Ok(current().id()))).await, here);
    }

    #[tokio::test]
    async fn a_query_that_panics_takes_no_connection_along() {
        let (_folder, pool) = pool(1);
        let panics = |_: &Connection| -> Result<(), CatalogError> { panic!("a query that panics") };
        assert!(pool.run(panics).await.is_err());
        let asked = pool.clone();
        assert!(tokio::spawn(async move { asked.point(panics).await }).await.unwrap_err().is_panic());
        pool.run(|connection| schema::counter(connection, "none")).await.unwrap();
        pool.point(|connection| schema::counter(connection, "none")).await.unwrap();
    }

    #[tokio::test]
    async fn a_point_query_waits_for_a_connection_without_holding_the_thread() {
        let (_folder, pool) = pool(1);
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let walking = tokio::spawn(pool.run(move |_| gone.recv().map_err(|_| CatalogError::Closed)));
        while pool.permits.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let point = pool.point(|_| Ok(current().id()));
        go.send(()).unwrap();
        assert_ne!(thread_of(point).await, current().id());
        walking.await.unwrap().unwrap();
    }
}
