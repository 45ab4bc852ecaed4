//! The application server's three endpoints as an axum router, to be mounted in an application or served alone.
//!
//! `GET /signature`, `POST /callback`, `GET /uploads`. No file's bytes ever come here: the form goes to the
//! store. Whoever mounts this behind a login of its own leaves [`Admission`] open.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Extension, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use http::{HeaderValue, Method, StatusCode, header, request::Parts};

use crate::{
    admission::Admission,
    allowed_origins::AllowedOrigins,
    callback_verifier::{CallbackVerifier, VerifiedCallback},
    clock::Clock,
    forward::Forward,
    layer::VerifyCallbackLayer,
    ledger::UploadLedger,
    signer::Signer,
};

pub mod admission;
pub mod allowed_origins;
mod receive;
mod sign;
mod uploads;

/// Picks the upload address for the one who asks, from the server's own list; `None` means the configured one.
pub type HostChooser = Arc<dyn Fn(&Parts) -> Option<String> + Send + Sync>;

/// What the router is made of.
#[derive(Clone)]
pub struct AppOptions {
    /// Signs uploads.
    pub signer: Arc<Signer>,
    /// Knows the store's key.
    pub verifier: CallbackVerifier,
    /// Remembers the uploads.
    pub ledger: UploadLedger,
    /// Tells when a callback arrived.
    pub clock: Clock,
    /// Who may ask for signatures and read the ledger.
    pub admission: Admission,
    /// Pages served elsewhere that may ask for signatures.
    pub origins: AllowedOrigins,
    /// Whether `version=1|4` and `callback=0|1` in the query of `/signature` are the caller's choice.
    pub switches: bool,
    /// The upload address for a caller, where that depends on the caller.
    pub host_chooser: Option<HostChooser>,
    /// The path that the store calls, where a proxy in front changes it.
    pub called_path: Option<String>,
    /// An existing application that has the say about each upload.
    pub forward: Option<Forward>,
}

impl AppOptions {
    /// Everybody may ask, pages of this address only, nothing to switch and nothing behind.
    #[must_use]
    pub fn new(signer: Signer, verifier: CallbackVerifier, ledger: UploadLedger, clock: Clock) -> Self {
        Self {
            signer: Arc::new(signer),
            verifier,
            ledger,
            clock,
            admission: Admission::open(),
            origins: AllowedOrigins::SameOnly,
            switches: false,
            host_chooser: None,
            called_path: None,
            forward: None,
        }
    }
}

/// The three endpoints.
pub fn router(options: AppOptions) -> Router {
    let verify = VerifyCallbackLayer::new(options.verifier.clone()).called_as(options.called_path.as_deref());
    let state = Arc::new(options);
    let admitted = |endpoint: MethodRouter<Arc<AppOptions>>| {
        // A layer costs each request, also where it has nothing to ask.
        if state.admission.is_open() {
            return endpoint;
        }
        endpoint.layer(middleware::from_fn_with_state(Arc::clone(&state), admit))
    };
    let cross_origin = middleware::from_fn_with_state(Arc::clone(&state), cross_origin);
    Router::new()
        // From the inside out: a page elsewhere must be able to read why it was not admitted.
        .route("/signature", admitted(get(sign::sign)).layer(cross_origin))
        .route("/callback", post(receive_callback).layer(verify))
        .route("/uploads", admitted(get(uploads::list)))
        .with_state(state)
}

async fn receive_callback(
    State(options): State<Arc<AppOptions>>,
    Extension(callback): Extension<VerifiedCallback>,
) -> Response {
    receive::receive(&options, callback).await.into_response()
}

async fn admit(State(options): State<Arc<AppOptions>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match options.admission.check(&parts) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refused) => crate::answer::Answer::from(refused).into_response(),
    }
}

async fn cross_origin(State(options): State<Arc<AppOptions>>, request: Request, next: Next) -> Response {
    let asked = request.headers().clone();
    let preflight =
        request.method() == Method::OPTIONS && asked.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response =
        if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    options.origins.apply(&asked, response.headers_mut());
    response
}

/// Signatures and lists are of the moment and of the one who asked.
fn uncached(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
