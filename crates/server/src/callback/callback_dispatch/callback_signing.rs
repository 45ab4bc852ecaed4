//! Signing a callback: a third of a millisecond of one processor, so never on a thread that serves
//! connections, and never on more threads at once than there are processors.
//!
//! A thread that has made a signature makes the next one that waits, and only then ends: handing each over
//! anew would leave a processor idle for as long as waking a thread takes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_protocol::callback::signature::{self, SignError};
use countersign_protocol::callback::{CallbackFailure, CallbackUrl};
use tokio::sync::oneshot;

use crate::callback_message::CallbackMessage;
use crate::server::ServerState;

type Signed = Result<String, CallbackFailure>;

/// The messages that wait for their signature, in the order in which they came.
#[derive(Clone)]
pub(crate) struct SigningLine(Arc<Mutex<Line>>);

struct Line {
    waiting: VecDeque<Work>,
    signers: usize,
    signers_max: usize,
}

impl SigningLine {
    /// An empty one, with as many signers at most as there are processors.
    pub(crate) fn new() -> Self {
        let signers_max = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Mutex::new(Line { waiting: VecDeque::new(), signers: 0, signers_max })))
    }

    fn push(&self, work: Work) {
        let mut line = self.lock();
        line.waiting.push_back(work);
        if line.signers < line.signers_max {
            line.signers += 1;
            drop(line);
            let signer = Signer(self.clone());
            tokio::task::spawn_blocking(move || signer.run());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Signs until nothing waits. However it ends, it is no longer counted.
struct Signer(SigningLine);

impl Signer {
    fn run(self) {
        while let Some(work) = self.next() {
            work.sign();
        }
    }

    fn next(&self) -> Option<Work> {
        self.0.lock().waiting.pop_front()
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        let mut line = self.0.lock();
        line.signers -= 1;
        // What came between the last look and now, unless another signer is there for it.
        let left = if line.signers == 0 { line.waiting.pop_front() } else { None };
        drop(line);
        if let Some(work) = left {
            self.0.push(work);
        }
    }
}

/// The signature of a message for one of its URLs: in line from the moment it is asked for, so that it is made
/// while the object is committed.
pub(crate) struct CallbackSignature(oneshot::Receiver<Signed>);

struct Work {
    state: Arc<ServerState>,
    message: Arc<CallbackMessage>,
    url: String,
    reply: oneshot::Sender<Signed>,
}

impl CallbackSignature {
    /// For the message's first URL.
    pub(crate) fn of_first_url(state: &Arc<ServerState>, message: &Arc<CallbackMessage>) -> Self {
        Self::begin(state, message, message.urls.first().map_or("", String::as_str))
    }

    /// For this URL.
    pub(super) fn begin(state: &Arc<ServerState>, message: &Arc<CallbackMessage>, url: &str) -> Self {
        let (reply, signed) = oneshot::channel();
        let (state, message, url) = (Arc::clone(state), Arc::clone(message), url.to_owned());
        let line = state.signing.clone();
        line.push(Work { state, message, url, reply });
        Self(signed)
    }

    /// The signature, once it is made.
    pub(super) async fn ready(self) -> Signed {
        self.0.await.unwrap_or(Err(CallbackFailure::NotSigned))
    }
}

impl Work {
    fn sign(self) {
        // An upload that was refused meanwhile needs none.
        if !self.reply.is_closed() {
            let signed = self.signed();
            let _nobody_waits = self.reply.send(signed);
        }
    }

    fn signed(&self) -> Signed {
        let url = CallbackUrl::parse(&self.url).map_err(|_| CallbackFailure::Unreachable)?;
        let key = &self.state.options.callback_key;
        let rsa_md5 = |text: &[u8]| key.sign(text).map_err(|error| SignError { reason: error.to_string() });
        let body = self.message.body.as_bytes();
        signature::sign(&rsa_md5, &url.path, url.raw_query.as_deref(), body).map_err(|error| {
            tracing::error!(%error, "a callback could not be signed");
            CallbackFailure::NotSigned
        })
    }
}
