//! Signs callbacks on threads of their own: a signature takes a third of a millisecond of one processor, so it is
//! never made on a thread that serves connections, and never on more threads at once than there are processors.
//!
//! A thread that has made a signature makes the next one that waits, and only then ends: handing each over
//! anew would leave a processor idle for as long as waking a thread takes.
//!
//! Clauses CB-47 to CB-50.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_protocol::callback::CallbackFailure;
use countersign_protocol::callback::signature::{self, CallbackSignError};
use countersign_sys::RsaMd5Key;
use tokio::sync::oneshot;

use crate::callback::message::CallbackMessage;

type Signed = Result<String, CallbackFailure>;

/// Makes a signature and hands it to who waits for it.
type Job = Box<dyn FnOnce() + Send>;

/// The signatures that are still to be made, in the order in which they were asked for.
#[derive(Clone)]
struct SigningLine {
    line: Arc<Mutex<Line>>,
    signers_max: usize,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Job>,
    signers: usize,
}

impl SigningLine {
    /// An empty one, with as many signers at most as there are processors.
    fn new() -> Self {
        let signers_max = std::thread::available_parallelism().map_or(1, usize::from);
        Self { line: Arc::default(), signers_max }
    }

    fn push(&self, job: Job) {
        let mut line = self.lock();
        line.waiting.push_back(job);
        if line.signers < self.signers_max {
            line.signers += 1;
            drop(line);
            let worker = SigningWorker { line: self.clone(), counted: true };
            tokio::task::spawn_blocking(move || worker.run());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Signs until nothing waits.
struct SigningWorker {
    line: SigningLine,
    counted: bool,
}

impl SigningWorker {
    fn run(mut self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    /// The next job. A signer that finds none is no longer counted from that moment, so that whoever comes next
    /// starts another.
    fn next(&mut self) -> Option<Job> {
        let mut line = self.line.lock();
        let next = line.waiting.pop_front();
        if next.is_none() {
            line.signers -= 1;
            self.counted = false;
        }
        next
    }
}

impl Drop for SigningWorker {
    /// It did not end by itself: signing panicked, or the runtime takes no more work. Without another signer nobody
    /// would come for what waits, so it is dropped, and who waits for it hears that there is no signature.
    fn drop(&mut self) {
        if !self.counted {
            return;
        }
        let mut line = self.line.lock();
        line.signers -= 1;
        let never = if line.signers == 0 { std::mem::take(&mut line.waiting) } else { VecDeque::new() };
        drop(line);
        drop(never);
    }
}

/// The signature of a message for one of its URLs: in line from the moment it is asked for, so that it is made
/// while the object is committed.
pub(crate) struct CallbackSignature(oneshot::Receiver<Signed>);

impl CallbackSignature {
    /// The signature, once it is made.
    pub(super) async fn ready(self) -> Signed {
        self.0.await.unwrap_or(Err(CallbackFailure::NotSigned))
    }
}

/// Signs callbacks with the store's key.
pub(super) struct CallbackSigner {
    line: SigningLine,
    key: Arc<RsaMd5Key>,
}

impl CallbackSigner {
    /// With this key.
    pub(super) fn new(key: RsaMd5Key) -> Self {
        Self { line: SigningLine::new(), key: Arc::new(key) }
    }

    /// Puts a message in line, to be signed for its URL at this place.
    pub(super) fn begin(&self, message: &Arc<CallbackMessage>, url: usize) -> CallbackSignature {
        let (reply, signed) = oneshot::channel();
        let (message, key) = (Arc::clone(message), Arc::clone(&self.key));
        self.line.push(Box::new(move || {
            // An upload that was refused meanwhile needs none.
            if !reply.is_closed() {
                let _nobody_waits = reply.send(sign(&key, &message, url));
            }
        }));
        CallbackSignature(signed)
    }
}

fn sign(key: &RsaMd5Key, message: &CallbackMessage, url: usize) -> Signed {
    let url = message.urls.get(url).ok_or(CallbackFailure::Unreachable)?;
    let rsa_md5 =
        |text: &[u8]| key.sign(text).map_err(|error| CallbackSignError { reason: error.to_string() });
    let body = message.body.as_bytes();
    signature::sign(&rsa_md5, &url.path, url.raw_query.as_deref(), body).map_err(|error| {
        tracing::error!(%error, "a callback could not be signed");
        CallbackFailure::NotSigned
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A job that says that it was done.
    fn job(done: oneshot::Sender<()>) -> Job {
        Box::new(move || done.send(()).unwrap_or_default())
    }

    #[tokio::test]
    async fn signs_every_job_and_a_panic_fails_only_the_jobs_that_wait() {
        let line = SigningLine { line: Arc::default(), signers_max: 2 };
        for round in 0..200 {
            let (done, dones): (Vec<_>, Vec<_>) = (0..round % 7).map(|_| oneshot::channel()).unzip();
            done.into_iter().for_each(|done| line.push(job(done)));
            for done in dones {
                done.await.unwrap();
            }
        }
        line.push(Box::new(|| panic!("a job that fails")));
        while line.lock().signers > 0 {
            tokio::task::yield_now().await;
        }
        let (done, after) = oneshot::channel();
        line.push(job(done));
        after.await.unwrap();
    }

    /// It once came back for its job again and again until the stack was full.
    #[test]
    fn a_runtime_that_has_ended_is_an_error() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let handle = runtime.handle().clone();
        runtime.shutdown_background();
        let _entered = handle.enter();
        let line = SigningLine { line: Arc::default(), signers_max: 2 };
        let (done, mut never) = oneshot::channel();
        line.push(job(done));
        assert!(never.try_recv().is_err());
        let line = line.lock();
        assert_eq!((line.signers, line.waiting.len()), (0, 0));
    }
}
