//! What of an upload is still to be hashed: in order, off the async threads, beside the writing. CRC-64 alone takes
//! less than waking a thread for it, so it is computed at once.
//!
//! A job runs as long as there is something to hash and then ends. So a fast sender keeps one thread busy
//! without waking it for each batch, and a slow one holds none.

use super::digest::Digests;
use crate::StageError;
use crate::blobs::Chunks;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The line of one upload. Dropping it drops what is not hashed yet.
pub(super) struct HashLine(Arc<Line>);

struct Line(Mutex<State>);

struct State {
    queue: VecDeque<Chunks>,
    hashed: u64,
    /// Away while a job has them.
    digests: Option<Box<Digests>>,
    /// A job ended without giving the digests back.
    lost: bool,
    /// Who is woken, and at how many hashed bytes.
    waiter: Option<(Waker, u64)>,
}

impl HashLine {
    /// Of nothing yet.
    pub(super) fn new(digests: Digests) -> HashLine {
        HashLine(Arc::new(Line(Mutex::new(State {
            queue: VecDeque::new(),
            hashed: 0,
            digests: Some(Box::new(digests)),
            lost: false,
            waiter: None,
        }))))
    }

    /// Adds the next bytes.
    pub(super) fn push(&self, chunks: Chunks) {
        let mut state = self.0.lock();
        if let Some(digests) = state.digests.as_mut().filter(|digests| !digests.has_md5()) {
            digests.update_all(&chunks);
            state.hashed += bytes_of(&chunks);
            return;
        }
        state.queue.push_back(chunks);
        if let Some(digests) = state.digests.take() {
            drop(state);
            let job = Job { line: Arc::clone(&self.0), digests: Some(digests) };
            tokio::task::spawn_blocking(move || job.run());
        }
    }

    /// How many bytes are hashed.
    pub(super) fn hashed(&self) -> u64 {
        self.0.lock().hashed
    }

    /// Ready once so many bytes are hashed.
    pub(super) fn poll_hashed(&self, context: &mut Context<'_>, bytes: u64) -> Poll<Result<(), StageError>> {
        let mut state = self.0.lock();
        if state.hashed >= bytes {
            return Poll::Ready(Ok(()));
        }
        state.wait(context, bytes)
    }

    /// Ready with the digests once all is hashed.
    pub(super) fn poll_finish(&self, context: &mut Context<'_>) -> Poll<Result<Box<Digests>, StageError>> {
        let mut state = self.0.lock();
        match state.digests.take() {
            Some(digests) => Poll::Ready(Ok(digests)),
            None => state.wait(context, u64::MAX).map(|outcome| outcome.and(Err(StageError::WorkerLost))),
        }
    }
}

impl Drop for HashLine {
    fn drop(&mut self) {
        self.0.lock().queue.clear();
    }
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
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
struct Job {
    line: Arc<Line>,
    digests: Option<Box<Digests>>,
}

impl Job {
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
        let mut state = self.line.lock();
        state.hashed += done;
        let next = state.queue.pop_front();
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

impl Drop for Job {
    fn drop(&mut self) {
        if self.digests.is_some() {
            let mut state = self.line.lock();
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
    use bytes::Bytes;
    use std::future::poll_fn;

    fn chunks(bytes: &'static [u8]) -> Chunks {
        Arc::new(bytes.chunks(3).map(Bytes::from_static).collect())
    }

    #[tokio::test]
    async fn hashes_in_order_whenever_the_bytes_come() {
        let line = HashLine::new(Digests::new());
        for (bytes, total) in [(&b"1234"[..], 4), (b"56", 6), (b"789", 9)] {
            line.push(chunks(bytes));
            if total == 6 {
                poll_fn(|context| line.poll_hashed(context, total)).await.unwrap();
                assert!(line.hashed() >= total);
            }
        }
        let digests = poll_fn(|context| line.poll_finish(context)).await.unwrap();
        assert_eq!(digests.finish().1, 0x995d_c9bb_df19_39fa);
    }

    #[tokio::test]
    async fn crc64_alone_is_there_at_once() {
        let line = HashLine::new(Digests::without_md5());
        line.push(chunks(b"1234"));
        line.push(chunks(b"56789"));
        assert_eq!(line.hashed(), 9);
        let digests = poll_fn(|context| line.poll_finish(context)).await.unwrap();
        assert_eq!(digests.finish(), (None, 0x995d_c9bb_df19_39fa));
    }

    #[tokio::test]
    async fn a_job_that_never_ran_is_told_to_who_waits() {
        let line = HashLine::new(Digests::new());
        let digests = line.0.lock().digests.take();
        let job = Job { line: Arc::clone(&line.0), digests };
        line.push(chunks(b"1"));
        drop(job);
        let outcome = poll_fn(|context| line.poll_hashed(context, 1)).await;
        assert!(matches!(outcome, Err(StageError::WorkerLost)));
        assert!(poll_fn(|context| line.poll_finish(context)).await.is_err());
    }
}
