//! Signing a callback: a third of a millisecond of one processor, so never on a thread that serves
//! connections, and never on more threads at once than there are processors.

use std::sync::Arc;

use countersign_protocol::callback::signature::{self, SignError};
use countersign_protocol::callback::{CallbackFailure, CallbackUrl};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::callback_message::CallbackMessage;
use crate::server::ServerState;

/// How many signatures may be under way.
#[derive(Debug, Clone)]
pub(crate) struct SigningPlaces(Arc<Semaphore>);

impl SigningPlaces {
    /// One for each processor.
    pub(crate) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(processors)))
    }
}

/// The signature of a message for one of its URLs: under way already where a processor was free when it was
/// asked for, so that it is made while the object is committed.
pub(crate) struct CallbackSignature {
    work: Work,
    underway: Option<JoinHandle<Result<String, CallbackFailure>>>,
}

#[derive(Clone)]
struct Work {
    state: Arc<ServerState>,
    message: Arc<CallbackMessage>,
    url: String,
}

impl CallbackSignature {
    /// For the message's first URL.
    pub(crate) fn of_first_url(state: &Arc<ServerState>, message: &Arc<CallbackMessage>) -> Self {
        Self::begin(state, message, message.urls.first().map_or("", String::as_str))
    }

    /// For this URL.
    pub(super) fn begin(state: &Arc<ServerState>, message: &Arc<CallbackMessage>, url: &str) -> Self {
        let work = Work { state: Arc::clone(state), message: Arc::clone(message), url: url.to_owned() };
        let place = Arc::clone(&state.signing.0).try_acquire_owned().ok();
        let underway = place.map(|place| work.clone().start(place));
        Self { work, underway }
    }

    /// The signature, once it is made.
    pub(super) async fn ready(self) -> Result<String, CallbackFailure> {
        let underway = match self.underway {
            Some(underway) => underway,
            None => {
                let place = Arc::clone(&self.work.state.signing.0).acquire_owned().await;
                self.work.start(place.map_err(|_| CallbackFailure::NotSigned)?)
            }
        };
        underway.await.unwrap_or(Err(CallbackFailure::NotSigned))
    }
}

impl Work {
    fn start(self, place: OwnedSemaphorePermit) -> JoinHandle<Result<String, CallbackFailure>> {
        tokio::task::spawn_blocking(move || {
            let signature = self.sign();
            drop(place);
            signature
        })
    }

    fn sign(&self) -> Result<String, CallbackFailure> {
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
