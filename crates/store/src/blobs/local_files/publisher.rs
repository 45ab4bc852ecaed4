//! Giving sealed files their lasting names. One thread takes all that wait, links them into the folder that is
//! being filled, and syncs that folder once for all of them.

use super::folders::{Filling, Folders};
use super::writing::StagedFile;
use super::{BlobError, failed};
use crate::blobs::{BlobId, Work};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

struct Job {
    file: StagedFile,
    reply: oneshot::Sender<Result<BlobId, BlobError>>,
}

/// The thread and what waits for it.
pub(super) struct Publisher {
    state: Mutex<State>,
    wake: Condvar,
    worker: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct State {
    jobs: Vec<Job>,
    closed: bool,
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Publisher")
    }
}

impl Publisher {
    /// Starts the thread.
    pub(super) fn start(folders: Arc<Folders>) -> Result<Arc<Publisher>, BlobError> {
        let publisher =
            Arc::new(Publisher { state: Mutex::default(), wake: Condvar::new(), worker: Mutex::default() });
        let running = Arc::clone(&publisher);
        let worker = std::thread::Builder::new()
            .name("blob-publisher".to_owned())
            .spawn(move || running.run(&folders))
            .map_err(failed("starting a thread"))?;
        *publisher.worker.lock().unwrap_or_else(PoisonError::into_inner) = Some(worker);
        Ok(publisher)
    }

    /// Without a thread: whatever is to be published is refused.
    pub(super) fn closed() -> Arc<Publisher> {
        let state = Mutex::new(State { closed: true, ..State::default() });
        Arc::new(Publisher { state, wake: Condvar::new(), worker: Mutex::default() })
    }

    /// Publishes a file.
    pub(super) fn publish(&self, file: StagedFile) -> Work<Result<BlobId, BlobError>> {
        let (reply, answer) = oneshot::channel();
        let mut state = self.lock();
        if !state.closed {
            state.jobs.push(Job { file, reply });
            drop(state);
            self.wake.notify_one();
        }
        Box::pin(async move { answer.await.unwrap_or(Err(BlobError::WorkerLost)) })
    }

    /// Finishes what waits and ends the thread.
    pub(super) fn stop(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
        if let Some(worker) = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _panicked = worker.join();
        }
    }

    fn run(&self, folders: &Folders) {
        let mut filling = None;
        while let Some(jobs) = self.take() {
            filling = publish_all(folders, filling, jobs);
        }
    }

    fn take(&self) -> Option<Vec<Job>> {
        let state = self.lock();
        let mut state = self
            .wake
            .wait_while(state, |state| state.jobs.is_empty() && !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        if state.jobs.is_empty() { None } else { Some(std::mem::take(&mut state.jobs)) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Links and syncs all; a folder that fills up in the midst of them is synced before the next is begun.
fn publish_all(folders: &Folders, mut filling: Option<Filling>, jobs: Vec<Job>) -> Option<Filling> {
    let mut linked = Vec::with_capacity(jobs.len());
    for Job { file, reply } in jobs {
        let mut open = match with_room(folders, filling.take(), &mut linked) {
            Ok(open) => open,
            Err(error) => {
                drop(reply.send(Err(error)));
                continue;
            }
        };
        match link(folders, &mut open, file) {
            Ok(id) => linked.push((id, reply)),
            Err(error) => drop(reply.send(Err(error))),
        }
        filling = Some(open);
    }
    if let Some(open) = &mut filling {
        answer(folders, open, &mut linked);
    }
    filling
}

type Linked = Vec<(BlobId, oneshot::Sender<Result<BlobId, BlobError>>)>;

fn with_room(
    folders: &Folders,
    mut filling: Option<Filling>,
    linked: &mut Linked,
) -> Result<Filling, BlobError> {
    if let Some(full) = filling.as_mut().filter(|filling| !filling.has_room()) {
        answer(folders, full, linked);
    }
    folders.with_room(filling)
}

/// One sync for all that were linked into this folder, then their answers.
fn answer(folders: &Folders, filling: &mut Filling, linked: &mut Linked) {
    if linked.is_empty() {
        return;
    }
    let mut failure = folders.sync(filling).err();
    if failure.is_none() {
        filling.discarded.drain(..).for_each(|id| folders.settled(id));
    }
    for (id, reply) in linked.drain(..) {
        let outcome = match &mut failure {
            None => Ok(id),
            Some(BlobError::Full) => {
                // Never offered to a commit, and no room: it would lie there until the next start.
                if let Err(error) = folders.delete(id) {
                    tracing::warn!(?id, %error, "a blob whose folder is full is left to the next start");
                }
                // A crash may bring it back until the folder is synced, and then a start must look for it.
                filling.discarded.push(id);
                Err(BlobError::Full)
            }
            Some(BlobError::SyncFailed(error)) => {
                Err(BlobError::SyncFailed(std::io::Error::new(error.kind(), error.to_string())))
            }
            Some(_) => Err(BlobError::WorkerLost),
        };
        drop(reply.send(outcome));
    }
}

fn link(folders: &Folders, filling: &mut Filling, file: StagedFile) -> Result<BlobId, BlobError> {
    let id = folders.name(filling)?;
    match file.publish(&folders.path_of(id)) {
        Ok(()) => Ok(id),
        Err(error) => {
            folders.settled(id);
            Err(failed("naming a blob")(error))
        }
    }
}
