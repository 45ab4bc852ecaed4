//! The connections that answer queries. A query has one to itself for as long as it runs, off the async
//! threads; its read transaction ends with it.

use super::{CatalogError, schema};
use crate::blobs::Work;
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// The pool.
#[derive(Clone)]
pub(super) struct ReadPool {
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl ReadPool {
    /// Opens so many connections.
    pub(super) fn open(path: &Path, count: usize) -> Result<ReadPool, CatalogError> {
        let idle = (0..count).map(|_| schema::open_reader(path)).collect::<Result<Vec<_>, _>>()?;
        Ok(ReadPool { idle: Arc::new(Mutex::new(idle)), permits: Arc::new(Semaphore::new(count)) })
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
                let connection = pool.lock().pop().ok_or(CatalogError::Closed)?;
                let answer = query(&connection);
                pool.lock().push(connection);
                drop(permit);
                answer
            });
            answered.await.unwrap_or(Err(CatalogError::Closed))
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
