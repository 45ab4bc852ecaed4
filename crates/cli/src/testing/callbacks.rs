//! Receives callbacks in the test's own process, as the application under test would.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use countersign_app::answer::Answer;
use countersign_app::{CallbackVerifier, VerifiedCallback, VerifyCallbackLayer};
use countersign_server::listen::ListenOptions;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::runtime::Handle;

use crate::setup::listeners::Bound;
use crate::setup::running::Running;

/// A receiver; it ends when it is dropped.
pub struct Callbacks {
    url: String,
    signature_url: String,
    receiver: Arc<Receiver>,
    _running: Running,
}

struct Receiver {
    received: Mutex<Vec<VerifiedCallback>>,
    answer: Box<dyn Fn(&VerifiedCallback) -> Answer + Send + Sync>,
}

impl Callbacks {
    pub(super) fn listen(
        runtime: &Handle,
        verifier: CallbackVerifier,
        signature_url: &str,
        answer: impl Fn(&VerifiedCallback) -> Answer + Send + Sync + 'static,
    ) -> std::io::Result<Callbacks> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let _on_its_threads = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let receiver = Arc::new(Receiver { received: Mutex::default(), answer: Box::new(answer) });
        let routes = Router::new()
            .route("/callback", post(receive).layer(VerifyCallbackLayer::new(verifier)))
            .with_state(Arc::clone(&receiver));
        let bound = Bound { listeners: vec![listener], addresses: vec![address] };
        let running = Running::app(bound, &routes, &ListenOptions::default());
        let url = format!("http://{address}/callback");
        let encoded = utf8_percent_encode(&url, NON_ALPHANUMERIC);
        let signature_url = format!("{signature_url}?fields=1&callback_url={encoded}");
        Ok(Callbacks { url, signature_url, receiver, _running: running })
    }

    /// The address that is called back.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where to ask for a form whose upload calls this receiver; `&bucket=NAME` and `&path=DIR` may be added.
    #[must_use]
    pub fn signature_url(&self) -> &str {
        &self.signature_url
    }

    /// All callbacks so far, in the order of their coming. Each was verified.
    #[must_use]
    pub fn received(&self) -> Vec<VerifiedCallback> {
        self.receiver.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl std::fmt::Debug for Callbacks {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Callbacks").field("url", &self.url).finish_non_exhaustive()
    }
}

async fn receive(
    State(receiver): State<Arc<Receiver>>,
    Extension(callback): Extension<VerifiedCallback>,
) -> Response {
    // Kept before it is answered: whoever has the answer finds it.
    receiver.received.lock().unwrap_or_else(PoisonError::into_inner).push(callback.clone());
    (receiver.answer)(&callback).into_response()
}
