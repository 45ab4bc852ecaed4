//! The application server's endpoints as axum routers, to be mounted in an application or served alone.
//!
//! [`router`] has `GET /signature` and `POST /callback`. They can be mounted apart ([`signature_routes`],
//! [`callback_routes`]), because a login belongs in front of the one and never in front of the other: the store has
//! no account, its signature is its proof. `GET /uploads` is there only where [`uploads_routes`] is mounted. No file's
//! bytes ever come here: the form goes to the store.
//!
//! By default uploads stay in one folder, the signer's; [`AppOptions::authorize`] says who a request is of and gives each
//! user a folder of his own. [`AppOptions::on_upload`] is told of each upload and has the say about it.
//!
//! ```
//! use countersign_app::{
//!     AccessKeySecret, AppOptions, CallbackOptions, CallbackVerifier, Signer, SignerOptions, Timestamp, UploadLedger,
//!     answer::Answer, grant::Grant, router, upload_path::UploadPath,
//! };
//! # use std::sync::Arc;
//! # use axum::body::Body;
//! # use tower::ServiceExt as _;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let host = "https://photos.oss-cn-hangzhou.aliyuncs.com";
//! let mut signing = SignerOptions::new("key id", AccessKeySecret::new("secret"), "photos", host);
//! signing.callback = Some(CallbackOptions::to("https://app.example/oss/callback"));
//! let signer = Signer::new(signing, Arc::new(Timestamp::now))?;
//! let verifier = CallbackVerifier::new().pin_alibaba()?;
//! let options = AppOptions::new(signer, verifier, UploadLedger::in_memory()?, Arc::new(Timestamp::now))
//!     .authorize(|question| async move {
//!         // As the login in front says who it is.
//!         let unknown = || Answer::refusal(http::StatusCode::UNAUTHORIZED, "NotLoggedIn", "log in first");
//!         let user = question.header("x-user").ok_or_else(unknown)?;
//!         let folder = UploadPath::normalise(&format!("users/{user}/")).map_err(|_| unknown())?;
//!         Ok(Grant { size_bytes_max: Some(5_000_000), ..Grant::new(user, folder) })
//!     })
//!     .on_upload(|callback| async move { Answer::accepting(&callback.facts) });
//! let app: axum::Router = axum::Router::new()
//!     // .layer(your login) goes here, in front of the signature only
//!     .merge(router::signature_routes(options.clone()))
//!     .nest("/oss", router::callback_routes(options));
//!
//! let asked = http::Request::get("/signature").header("x-user", "42").body(Body::empty())?;
//! let answer = app.clone().oneshot(asked).await?;
//! let body = axum::body::to_bytes(answer.into_body(), 10_000).await?;
//! assert!(String::from_utf8_lossy(&body).contains(r#""dir":"users/42/""#));
//! let other = http::Request::get("/signature?path=users/43/").header("x-user", "42").body(Body::empty())?;
//! assert_eq!(app.oneshot(other).await?.status(), 400, "another user's folder");
//! # Ok(())
//! # }
//! ```

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Extension, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use http::{Method, StatusCode, header};
use tokio::sync::Semaphore;

use crate::{
    byte_budget::{BudgetShort, ByteBudget},
    callback_verifier::VerifiedCallback,
    layer::VerifyCallbackLayer,
};
use app_options::AppOptions;
use date::dated;
use endpoint_metrics::EndpointMetrics;

pub mod admission;
pub mod allowed_origins;
pub mod app_options;
mod cache_control;
pub mod date;
mod endpoint_metrics;
pub mod hooks;
mod receive;
mod sign;
pub mod testing;
mod uploads;

/// What answers that are not sent yet may hold together, in bytes.
const ANSWERS_BYTES_MAX: usize = 16 * 1024 * 1024;
/// An answer up to this length does not count.
const ANSWER_BYTES_UNCOUNTED: usize = 4 * 1024;
/// How many lists of uploads are made at once.
const LISTINGS_MAX: usize = 2;

/// `GET /signature` and `POST /callback`.
///
/// ```
/// use axum::body::Body;
/// use countersign_app::{
///     AccessKeySecret, AppOptions, CallbackVerifier, Signer, SignerOptions, Timestamp, UploadLedger, router,
/// };
/// use tower::ServiceExt as _;
/// # use std::sync::Arc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = Arc::new(Timestamp::now);
/// let signing = SignerOptions::new("ak", AccessKeySecret::from("sk"), "photos", "http://127.0.0.1:9817/photos");
/// let signer = Signer::new(signing, clock.clone())?;
/// let options = AppOptions::new(signer, CallbackVerifier::new().pin_alibaba()?, UploadLedger::in_memory()?, clock);
/// let app = router(options);
///
/// let signature = app.clone().oneshot(http::Request::get("/signature").body(Body::empty())?).await?;
/// assert_eq!(signature.status(), 200);
/// let forged = app.clone().oneshot(http::Request::post("/callback").body(Body::from("size=1"))?).await?;
/// assert_eq!(forged.status(), 400, "no signature");
/// let uploads = app.oneshot(http::Request::get("/uploads").body(Body::empty())?).await?;
/// assert_eq!(uploads.status(), 404, "mounted only on purpose");
/// # Ok(())
/// # }
/// ```
pub fn router(options: AppOptions) -> Router {
    signature_routes(options.clone()).merge(callback_routes(options))
}

/// `GET /signature` alone: the one that belongs behind a login.
///
/// ```
/// use axum::body::Body;
/// use countersign_app::{
///     AccessKeySecret, AppOptions, CallbackVerifier, Signer, SignerOptions, Timestamp, UploadLedger, router,
/// };
/// use tower::ServiceExt as _;
/// # use std::sync::Arc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let clock = Arc::new(Timestamp::now);
/// # let signing = SignerOptions::new("ak", AccessKeySecret::from("sk"), "photos", "http://127.0.0.1:9817/photos");
/// # let signer = Signer::new(signing, clock.clone())?;
/// # let options = AppOptions::new(signer, CallbackVerifier::new(), UploadLedger::in_memory()?, clock);
/// let app = router::signature_routes(options);
/// let asked = http::Request::get("/signature?path=user-dir/42").body(Body::empty())?;
/// let answer = axum::body::to_bytes(app.clone().oneshot(asked).await?.into_body(), 10_000).await?;
/// let signed: serde_json::Value = serde_json::from_slice(&answer)?;
/// assert_eq!((signed["accessid"].as_str(), signed["dir"].as_str()), (Some("ak"), Some("user-dir/42/")));
///
/// let leaving = http::Request::get("/signature?path=../secrets").body(Body::empty())?;
/// assert_eq!(app.oneshot(leaving).await?.status(), 400);
/// # Ok(())
/// # }
/// ```
pub fn signature_routes(options: AppOptions) -> Router {
    let state = Arc::new(options);
    let cross_origin = middleware::from_fn_with_state(Arc::clone(&state), cross_origin);
    // From the inside out: a page elsewhere must be able to read why it was not admitted.
    let routes = Router::new()
        .route("/signature", counted("signature", admitted(&state, get(sign::sign)).layer(cross_origin)));
    dated(routes.with_state(Arc::clone(&state)), state.clock.clone())
}

/// `POST /callback` alone: the one that the store must reach without a login.
///
/// ```
/// use axum::body::Body;
/// use countersign_app::{
///     AccessKeySecret, AppOptions, CallbackVerifier, Signer, SignerOptions, Timestamp, UploadLedger, router,
/// };
/// use tower::ServiceExt as _;
/// # use std::sync::Arc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let clock = Arc::new(Timestamp::now);
/// # let signing = SignerOptions::new("ak", AccessKeySecret::from("sk"), "photos", "http://127.0.0.1:9817/photos");
/// # let signer = Signer::new(signing, clock.clone())?;
/// let ledger = UploadLedger::in_memory()?;
/// let mut options = AppOptions::new(signer, CallbackVerifier::new().pin_alibaba()?, ledger.clone(), clock);
/// options.called_path = Some("/index.php".to_owned());
/// let genuine = http::Request::post("/callback?id=1&index=2")
///     .header("authorization", "kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/RaHBovRCE8OkQDjC3uG33esH2txA==")
///     .header("x-oss-pub-key-url", "aHR0cDovL2dvc3NwdWJsaWMuYWxpY2RuLmNvbS9jYWxsYmFja19wdWJfa2V5X3YxLnBlbQ==")
///     .body(Body::from("bucket=yonghu-test"))?;
/// assert_eq!(router::callback_routes(options).oneshot(genuine).await?.status(), 200);
/// assert_eq!(ledger.uploads(Default::default()).await?.len(), 1, "recorded before it was answered");
/// # Ok(())
/// # }
/// ```
pub fn callback_routes(options: AppOptions) -> Router {
    let verify = VerifyCallbackLayer::new(options.verifier.clone())
        .called_as(options.called_path.as_deref())
        .with_body_bytes_max(options.callback_body_bytes_max);
    let held = middleware::from_fn_with_state(ByteBudget::new(ANSWERS_BYTES_MAX), held);
    let state = Arc::new(options);
    let routes = Router::new()
        .route("/callback", counted("callback", post(receive_callback).layer(verify).layer(held)));
    dated(routes.with_state(Arc::clone(&state)), state.clock.clone())
}

/// `GET /uploads` alone: what the ledger holds of the folder that the request may upload into, with whole requests and
/// answers in it. For operators, or behind a login.
///
/// ```
/// use axum::body::Body;
/// use countersign_app::{
///     AccessKeySecret, AppOptions, CallbackVerifier, Signer, SignerOptions, Timestamp, UploadLedger,
///     router, router::admission::Admission,
/// };
/// use tower::ServiceExt as _;
/// # use std::sync::Arc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let clock = Arc::new(Timestamp::now);
/// # let signing = SignerOptions::new("ak", AccessKeySecret::from("sk"), "photos", "http://127.0.0.1:9817/photos");
/// # let signer = Signer::new(signing, clock.clone())?;
/// let mut options = AppOptions::new(signer, CallbackVerifier::new(), UploadLedger::in_memory()?, clock);
/// options.admission = Admission::open().or_token("open sesame".into());
/// let app = router::uploads_routes(options);
/// let bare = app.clone().oneshot(http::Request::get("/uploads").body(Body::empty())?).await?;
/// assert_eq!(bare.status(), 401);
/// let shown = app.oneshot(http::Request::get("/uploads?token=open%20sesame").body(Body::empty())?).await?;
/// assert_eq!(shown.status(), 200);
/// # Ok(())
/// # }
/// ```
pub fn uploads_routes(options: AppOptions) -> Router {
    let state = Arc::new(options);
    let held = middleware::from_fn_with_state(ByteBudget::new(ANSWERS_BYTES_MAX), held);
    let listing = middleware::from_fn_with_state(Arc::new(Semaphore::new(LISTINGS_MAX)), one_of_few);
    let list = counted("uploads", admitted(&state, get(uploads::list)).layer(listing).layer(held));
    let routes = Router::new().route("/uploads", list);
    dated(routes.with_state(Arc::clone(&state)), state.clock.clone())
}

/// Counts the answers of an endpoint.
fn counted<S: Clone + Send + Sync + 'static>(
    name: &'static str,
    endpoint: MethodRouter<S>,
) -> MethodRouter<S> {
    endpoint.layer(middleware::from_fn_with_state(EndpointMetrics::register(name), endpoint_metrics::count))
}

/// Puts the admission in front, unless it asks for nothing: a layer costs each request.
fn admitted(
    state: &Arc<AppOptions>,
    endpoint: MethodRouter<Arc<AppOptions>>,
) -> MethodRouter<Arc<AppOptions>> {
    if state.admission.is_open() {
        return endpoint;
    }
    endpoint.layer(middleware::from_fn_with_state(Arc::clone(state), admit))
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
    options.origins.apply(&asked, options.authorize.is_some(), response.headers_mut());
    response
}

/// Lets few requests at once through; the others wait, holding nothing yet.
async fn one_of_few(State(places): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    let _place = places.acquire().await;
    next.run(request).await
}

/// Counts an answer until it is sent: a client that does not read makes this server hold it.
async fn held(State(budget): State<ByteBudget>, request: Request, next: Next) -> Response {
    let (parts, body) = next.run(request).await.into_parts();
    // It is in memory already, and short answers are no matter.
    let bytes = match axum::body::to_bytes(body, usize::MAX).await {
        Ok(bytes) if bytes.len() <= ANSWER_BYTES_UNCOUNTED => Ok(bytes),
        Ok(bytes) => budget.hold(bytes),
        Err(_) => Err(BudgetShort),
    };
    match bytes {
        Ok(bytes) => Response::from_parts(parts, Body::from(bytes)),
        Err(BudgetShort) => {
            let message = "answers that are not read yet hold all their memory; try again";
            crate::answer::Answer::refusal(StatusCode::SERVICE_UNAVAILABLE, "Busy", message).into_response()
        }
    }
}

#[cfg(test)]
mod tests;
