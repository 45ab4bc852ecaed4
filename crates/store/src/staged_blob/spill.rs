//! Streams an upload that is too large for the catalog into a blob: hashing and writing at their own paces, with
//! backpressure on whoever brings the bytes.
//!
//! Three parts that only make sense together. [`Spill`] holds the bytes until both hashing and writing have them;
//! when too many wait, the sender waits until about half of them are gone, and not for each batch, since every
//! wake-up costs. [`HashQueue`] hashes off the async threads. [`BufferQuota`] says how many bytes may wait.
//!
//! What is inline or small never comes here; the blob's file is the business of [`crate::blobs`].

use super::digest::Digests;
use crate::StageError;
use crate::blobs::{BlobError, BlobWriter, Chunks, SealedBytes, Work};
use bytes::Bytes;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much is written at once.
const WRITE_BYTES: u64 = 128 * 1024;
/// What an upload may buffer of its own, besides the batch that is being gathered.
const OWN_BYTES_MAX: u64 = 192 * 1024;
/// What a fast upload may buffer: four milliseconds of hashing, which outlast the time slice that a busy processor
/// gives to another thread.
const FAST_BYTES_MAX: u64 = 2 * 1024 * 1024;
/// How many uploads of a store may buffer that much at the same time.
const FAST_UPLOADS_MAX: usize = 4;

/// The digests of an upload.
pub(super) type Digested = (Option<[u8; 16]>, u64);

/// A blob that is being filled.
pub(super) struct Spill {
    writer: Box<dyn BlobWriter>,
    writing: Option<Work<Result<(), BlobError>>>,
    hashing: HashQueue,
    quota: BufferQuota,
    /// What the writer does not have yet.
    waiting: Vec<Bytes>,
    received: u64,
    /// How much the writer has been given.
    given: u64,
    /// How much the writer has done with.
    written: u64,
}

impl Spill {
    /// An empty one.
    pub(super) fn new(writer: Box<dyn BlobWriter>, digests: Digests, quota: BufferQuota) -> Spill {
        Spill {
            writer,
            writing: None,
            hashing: HashQueue::new(digests),
            quota,
            waiting: Vec::new(),
            received: 0,
            given: 0,
            written: 0,
        }
    }

    /// Takes in the next bytes; ready when there is room for more.
    pub(super) async fn take_in(&mut self, chunks: Vec<Bytes>) -> Result<(), StageError> {
        self.hash(chunks);
        poll_fn(|context| self.poll_room(context)).await
    }

    /// Takes in the last bytes and makes all of them durable.
    pub(super) async fn seal(
        mut self,
        last: Vec<Bytes>,
    ) -> Result<(Box<dyn SealedBytes>, Digested), StageError> {
        self.hash(last);
        // Nothing more is received, so nothing more is buffered.
        drop(self.quota);
        if let Some(writing) = self.writing.take() {
            writing.await?;
        }
        let sealed = self.writer.seal(Arc::new(self.waiting)).await?;
        let digests: Box<Digests> = poll_fn(|context| self.hashing.poll_finish(context)).await?;
        Ok((sealed, digests.finish()))
    }

    fn hash(&mut self, chunks: Vec<Bytes>) {
        self.received += chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
        self.waiting.extend(chunks.iter().cloned());
        self.hashing.push(Arc::new(chunks));
    }

    fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<Result<(), StageError>> {
        self.poll_written(context)?;
        if self.writing.is_none() && self.received - self.given >= WRITE_BYTES {
            self.write(context)?;
        }
        if self.quota.allows(self.received - self.written.min(self.hashing.hashed())) {
            return Poll::Ready(Ok(()));
        }
        let enough = self.received - self.quota.bytes_low();
        ready!(self.hashing.poll_hashed(context, enough))?;
        while self.written < enough {
            if self.writing.is_none() {
                self.write(context)?;
            }
            if self.writing.is_some() {
                return Poll::Pending;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Gives the writer all that it does not have.
    fn write(&mut self, context: &mut Context<'_>) -> Result<(), StageError> {
        let chunks: Chunks = Arc::new(std::mem::take(&mut self.waiting));
        self.given = self.received;
        self.writing = Some(self.writer.append(chunks));
        self.poll_written(context)
    }

    /// Looks whether the writer is done, and is woken when it is not.
    fn poll_written(&mut self, context: &mut Context<'_>) -> Result<(), StageError> {
        let Some(writing) = &mut self.writing else { return Ok(()) };
        if let Poll::Ready(outcome) = writing.as_mut().poll(context) {
            self.writing = None;
            self.written = self.given;
            outcome?;
        }
        Ok(())
    }
}

/// What all uploads of a store share: how many of them may buffer more than their own.
#[derive(Debug, Clone)]
pub(crate) struct BufferQuotas(Arc<Semaphore>);

impl BufferQuotas {
    /// No upload buffers anything yet.
    pub(crate) fn new() -> BufferQuotas {
        BufferQuotas(Arc::new(Semaphore::new(FAST_UPLOADS_MAX)))
    }

    /// The quota of a new upload: what is its own.
    pub(crate) fn own(&self) -> BufferQuota {
        BufferQuota { shared: self.clone(), fast: None }
    }
}

/// How far the receiving of one upload may run ahead of its hashing and writing.
///
/// What an upload may buffer of its own is enough for a slow sender. One that is faster than MD5 would wait for
/// every few hundred microseconds of hashing, and each time the processor that hashes would wait for it in turn. So
/// the first few that are that fast may buffer more, for as long as they are. Dropping it gives that back.
#[derive(Debug)]
pub(crate) struct BufferQuota {
    shared: BufferQuotas,
    /// Held while the upload is one of the fast ones.
    fast: Option<OwnedSemaphorePermit>,
}

impl BufferQuota {
    /// Whether so many bytes may be held. Becomes one of the fast uploads when its own bytes do not suffice and
    /// there is a place among them, and gives that up when they suffice again.
    fn allows(&mut self, held_bytes: u64) -> bool {
        if held_bytes > OWN_BYTES_MAX && self.fast.is_none() {
            self.fast = Arc::clone(&self.shared.0).try_acquire_owned().ok();
        } else if held_bytes <= OWN_BYTES_MAX {
            self.fast = None;
        }
        held_bytes <= self.bytes_max()
    }

    /// What is still held when an upload that waited goes on: enough to keep the hashing busy meanwhile.
    fn bytes_low(&self) -> u64 {
        self.bytes_max() / 2
    }

    fn bytes_max(&self) -> u64 {
        if self.fast.is_some() { FAST_BYTES_MAX } else { OWN_BYTES_MAX }
    }
}

/// The bytes of one upload that are still to be hashed, in order. Dropping it drops what is not hashed yet.
///
/// A job runs off the async threads as long as there is something to hash and then ends: a fast sender keeps one
/// thread busy without waking it for each batch, and a slow one holds none. CRC-64 alone takes less than waking a
/// thread for it, so it is computed at once.
struct HashQueue(Arc<Queue>);

struct Queue(Mutex<QueueState>);

struct QueueState {
    chunks: VecDeque<Chunks>,
    hashed: u64,
    /// Away while a job has them.
    digests: Option<Box<Digests>>,
    /// A job ended without giving the digests back.
    lost: bool,
    /// Who is woken, and at how many hashed bytes.
    waiter: Option<(Waker, u64)>,
}

impl HashQueue {
    /// Of nothing yet.
    fn new(digests: Digests) -> HashQueue {
        HashQueue(Arc::new(Queue(Mutex::new(QueueState {
            chunks: VecDeque::new(),
            hashed: 0,
            digests: Some(Box::new(digests)),
            lost: false,
            waiter: None,
        }))))
    }

    /// Adds the next bytes.
    fn push(&self, chunks: Chunks) {
        let mut state = self.0.lock();
        if let Some(digests) = state.digests.as_mut().filter(|digests| !digests.has_md5()) {
            digests.update_all(&chunks);
            state.hashed += bytes_of(&chunks);
            return;
        }
        state.chunks.push_back(chunks);
        if let Some(digests) = state.digests.take() {
            drop(state);
            let job = HashJob { queue: Arc::clone(&self.0), digests: Some(digests) };
            tokio::task::spawn_blocking(move || job.run());
        }
    }

    /// How many bytes are hashed.
    fn hashed(&self) -> u64 {
        self.0.lock().hashed
    }

    /// Ready once so many bytes are hashed.
    fn poll_hashed(&self, context: &mut Context<'_>, bytes: u64) -> Poll<Result<(), StageError>> {
        let mut state = self.0.lock();
        if state.hashed >= bytes {
            return Poll::Ready(Ok(()));
        }
        state.wait(context, bytes)
    }

    /// Ready with the digests once all is hashed.
    fn poll_finish(&self, context: &mut Context<'_>) -> Poll<Result<Box<Digests>, StageError>> {
        let mut state = self.0.lock();
        match state.digests.take() {
            Some(digests) => Poll::Ready(Ok(digests)),
            None => state.wait(context, u64::MAX).map(|outcome| outcome.and(Err(StageError::WorkerLost))),
        }
    }
}

impl Drop for HashQueue {
    fn drop(&mut self) {
        self.0.lock().chunks.clear();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl QueueState {
    fn wait(&mut self, context: &Context<'_>, bytes: u64) -> Poll<Result<(), StageError>> {
        if self.lost {
            return Poll::Ready(Err(StageError::WorkerLost));
        }
        self.waiter = Some((context.waker().clone(), bytes));
        Poll::Pending
    }
}

fn bytes_of(chunks: &Chunks) -> u64 {
    chunks.iter().map(|chunk| chunk.len() as u64).sum()
}

/// Hashes until nothing is left.
struct HashJob {
    queue: Arc<Queue>,
    digests: Option<Box<Digests>>,
}

impl HashJob {
    fn run(mut self) {
        let mut done = 0;
        while let Some(chunks) = self.next(done) {
            if let Some(digests) = &mut self.digests {
                digests.update_all(&chunks);
            }
            done = bytes_of(&chunks);
        }
    }

    /// Notes what is done and takes the next; without a next one, gives the digests back.
    fn next(&mut self, done: u64) -> Option<Chunks> {
        let mut state = self.queue.lock();
        state.hashed += done;
        let next = state.chunks.pop_front();
        if next.is_none() {
            state.digests = self.digests.take();
        }
        let hashed = state.hashed;
        let waiter = state.waiter.take_if(|(_, bytes)| next.is_none() || hashed >= *bytes);
        drop(state);
        if let Some((waker, _)) = waiter {
            waker.wake();
        }
        next
    }
}

impl Drop for HashJob {
    fn drop(&mut self) {
        if self.digests.is_some() {
            let mut state = self.queue.lock();
            state.lost = true;
            let waiter = state.waiter.take();
            drop(state);
            if let Some((waker, _)) = waiter {
                waker.wake();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(bytes: &'static [u8]) -> Chunks {
        Arc::new(bytes.chunks(3).map(Bytes::from_static).collect())
    }

    #[test]
    fn a_fast_upload_buffers_more_until_it_is_slow_again() {
        let quotas = BufferQuotas::new();
        let mut fast: Vec<BufferQuota> = (0..FAST_UPLOADS_MAX).map(|_| quotas.own()).collect();
        assert!(fast.iter_mut().all(|quota| quota.allows(FAST_BYTES_MAX)));
        let mut one_more = quotas.own();
        assert_eq!((one_more.allows(OWN_BYTES_MAX + 1), one_more.allows(OWN_BYTES_MAX)), (false, true));
        assert!(fast[0].allows(OWN_BYTES_MAX));
        assert!(one_more.allows(FAST_BYTES_MAX) && !one_more.allows(FAST_BYTES_MAX + 1));
        assert!(!fast[0].allows(OWN_BYTES_MAX + 1));
        drop(one_more);
        assert!(fast[0].allows(OWN_BYTES_MAX + 1));
    }

    #[tokio::test]
    async fn hashes_in_order_whenever_the_bytes_come() {
        let queue = HashQueue::new(Digests::new());
        for (bytes, total) in [(&b"1234"[..], 4), (b"56", 6), (b"789", 9)] {
            queue.push(chunks(bytes));
            if total == 6 {
                poll_fn(|context| queue.poll_hashed(context, total)).await.unwrap();
                assert!(queue.hashed() >= total);
            }
        }
        let digests = poll_fn(|context| queue.poll_finish(context)).await.unwrap();
        assert_eq!(digests.finish().1, 0x995d_c9bb_df19_39fa);
    }

    #[tokio::test]
    async fn crc64_alone_is_there_at_once() {
        let queue = HashQueue::new(Digests::without_md5());
        queue.push(chunks(b"1234"));
        queue.push(chunks(b"56789"));
        assert_eq!(queue.hashed(), 9);
        let digests = poll_fn(|context| queue.poll_finish(context)).await.unwrap();
        assert_eq!(digests.finish(), (None, 0x995d_c9bb_df19_39fa));
    }

    #[tokio::test]
    async fn a_hashing_job_that_never_ran_fails_the_upload_that_waits_for_it() {
        let queue = HashQueue::new(Digests::new());
        let digests = queue.0.lock().digests.take();
        let job = HashJob { queue: Arc::clone(&queue.0), digests };
        queue.push(chunks(b"1"));
        drop(job);
        let outcome = poll_fn(|context| queue.poll_hashed(context, 1)).await;
        assert!(matches!(outcome, Err(StageError::WorkerLost)));
        assert!(poll_fn(|context| queue.poll_finish(context)).await.is_err());
    }
}
