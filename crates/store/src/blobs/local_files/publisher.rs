//! Gives sealed files their lasting names. One thread takes all that wait, links them into the folder that is being
//! filled, and syncs that folder once for all of them (group commit).

use super::failures::failed;
use super::folders::{Filling, Folders};
use super::staged_file::StagedFile;
use crate::blobs::BlobError;
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
        let _ends = Ends(self);
        let mut publishing = Publishing::default();
        while let Some(jobs) = self.take() {
            publishing.publish_all(folders, jobs);
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

/// Held by the thread while it runs. However it ends, nobody is left waiting for it: what waits is dropped, and who
/// waits for it hears that the worker was lost.
struct Ends<'a>(&'a Publisher);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        let left = std::mem::take(&mut state.jobs);
        drop(state);
        drop(left);
    }
}

/// The folder that is being filled, and those before it whose removals are not durable yet.
#[derive(Default)]
struct Publishing {
    filling: Option<Filling>,
    left: Vec<Filling>,
}

type Linked = Vec<(BlobId, oneshot::Sender<Result<BlobId, BlobError>>)>;

impl Publishing {
    /// Links and syncs all; a folder that fills up in the midst of them is synced before the next is begun.
    fn publish_all(&mut self, folders: &Folders, jobs: Vec<Job>) {
        let mut linked = Vec::with_capacity(jobs.len());
        for Job { file, reply } in jobs {
            let open = match self.with_room(folders, &mut linked) {
                Ok(open) => open,
                Err(error) => {
                    drop(reply.send(Err(error)));
                    continue;
                }
            };
            match link(folders, open, file) {
                Ok(id) => linked.push((id, reply)),
                Err(error) => drop(reply.send(Err(error))),
            }
        }
        if let Some(open) = &mut self.filling {
            answer(folders, open, &mut linked);
        }
        self.left.retain_mut(|left| !settle_discarded(folders, left));
    }

    /// The folder with room. What was filled before stays until the next is there, and after that until its removals
    /// are durable.
    fn with_room(&mut self, folders: &Folders, linked: &mut Linked) -> Result<&mut Filling, BlobError> {
        if let Some(full) = self.filling.as_mut().filter(|filling| !filling.has_room()) {
            answer(folders, full, linked);
        }
        if let Some(next) = folders.next_filling(self.filling.as_ref())? {
            let before = self.filling.replace(next);
            self.left.extend(before.filter(|before| !before.discarded.is_empty()));
        }
        self.filling.as_mut().ok_or(BlobError::WorkerLost)
    }
}

/// Syncs a folder for the sake of what was removed from it; says whether nothing is left to be made durable.
fn settle_discarded(folders: &Folders, filling: &mut Filling) -> bool {
    if !filling.discarded.is_empty() && folders.sync(filling).is_ok() {
        filling.discarded.drain(..).for_each(|id| folders.settled(id));
    }
    filling.discarded.is_empty()
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

#[cfg(test)]
mod tests;
