//! The tower layer that verifies callbacks in front of any handler.
//!
//! Mount it on the route that the store calls. What reaches the handler carries a
//! [`VerifiedCallback`] as extension and its body unchanged; everything else is answered 400 here, and the handler
//! never hears of it. What can be refused by its headers alone is refused before its body is taken. A body has at most
//! [`CALLBACK_BODY_BYTES_MAX`] bytes, and all that are under way share [`CALLBACK_BODIES_BYTES_MAX`]; what is refused is
//! thrown away as it comes.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use tower::{Layer, Service};

use crate::{
    answer::Answer,
    byte_budget::{BudgetShort, ByteBudget, ByteShare},
    callback_verifier::{CallbackRefusal, CallbackVerifier, VerifiedCallback},
    recorded_request::RecordedRequest,
};

/// The longest callback body that is read, unless another limit is set: what the store sends at most.
pub const CALLBACK_BODY_BYTES_MAX: usize = 64 * 1024;
/// What the bodies of all callbacks under way may hold together, in bytes.
pub const CALLBACK_BODIES_BYTES_MAX: usize = 16 * 1024 * 1024;
/// So much of a refused body is still taken and thrown away.
const DRAIN_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The store waits 5 s for the whole exchange, so a body that takes longer has nobody left to answer.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Verifies callbacks in front of a handler.
#[derive(Clone, Debug)]
pub struct VerifyCallbackLayer {
    verifier: Arc<CallbackVerifier>,
    called_path: Option<Arc<str>>,
    body_bytes_max: usize,
    bodies: ByteBudget,
}

impl VerifyCallbackLayer {
    /// Verifies with these keys, against the path as received.
    ///
    /// ```
    /// use axum::{Extension, Router, body::Body, routing::post};
    /// use countersign_app::{CallbackVerifier, VerifiedCallback, VerifyCallbackLayer};
    /// use tower::ServiceExt as _;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let handler = async |Extension(callback): Extension<VerifiedCallback>| callback.facts.bucket.unwrap_or_default();
    /// let verifier = CallbackVerifier::new().pin_alibaba()?;
    /// let app: Router = Router::new().route("/index.php", post(handler).layer(VerifyCallbackLayer::new(verifier)));
    ///
    /// let genuine = http::Request::post("/index.php?id=1&index=2")
    ///     .header("authorization", "kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/RaHBovRCE8OkQDjC3uG33esH2txA==")
    ///     .header("x-oss-pub-key-url", "aHR0cDovL2dvc3NwdWJsaWMuYWxpY2RuLmNvbS9jYWxsYmFja19wdWJfa2V5X3YxLnBlbQ==")
    ///     .body(Body::from("bucket=yonghu-test"))?;
    /// let answer = app.clone().oneshot(genuine).await?;
    /// assert_eq!(axum::body::to_bytes(answer.into_body(), 1_000).await?, "yonghu-test");
    ///
    /// let made_up = http::Request::post("/index.php").body(Body::from("bucket=yonghu-test"))?;
    /// assert_eq!(app.oneshot(made_up).await?.status(), 400, "the handler is not called");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn new(verifier: CallbackVerifier) -> Self {
        Self {
            verifier: Arc::new(verifier),
            called_path: None,
            body_bytes_max: CALLBACK_BODY_BYTES_MAX,
            bodies: ByteBudget::new(CALLBACK_BODIES_BYTES_MAX),
        }
    }

    /// Takes bodies of another length than [`CALLBACK_BODY_BYTES_MAX`], for a store that was told to send longer
    /// ones. The share of all bodies together grows with it where it would not hold sixteen of them.
    ///
    /// ```
    /// use axum::{Router, body::Body, routing::post};
    /// use countersign_app::{CallbackVerifier, VerifyCallbackLayer};
    /// use tower::ServiceExt as _;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let layer = VerifyCallbackLayer::new(CallbackVerifier::new().pin_alibaba()?).with_body_bytes_max(10);
    /// let app: Router = Router::new().route("/index.php", post(async || "never").layer(layer));
    /// let long = http::Request::post("/index.php?id=1&index=2")
    ///     .header("authorization", "kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/RaHBovRCE8OkQDjC3uG33esH2txA==")
    ///     .header("x-oss-pub-key-url", "aHR0cDovL2dvc3NwdWJsaWMuYWxpY2RuLmNvbS9jYWxsYmFja19wdWJfa2V5X3YxLnBlbQ==")
    ///     .body(Body::from("bucket=yonghu-test"))?;
    /// let answer = axum::body::to_bytes(app.oneshot(long).await?.into_body(), 1_000).await?;
    /// assert!(answer.starts_with(br#"{"Status":"BodyTooLong""#));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_body_bytes_max(mut self, bytes_max: usize) -> Self {
        self.body_bytes_max = bytes_max;
        self.bodies = ByteBudget::new(CALLBACK_BODIES_BYTES_MAX.max(bytes_max.saturating_mul(16)));
        self
    }

    /// Says which path the store calls, where a proxy in front changes it.
    ///
    /// ```
    /// use axum::{Router, body::Body, routing::post};
    /// use countersign_app::{CallbackVerifier, VerifyCallbackLayer};
    /// use tower::ServiceExt as _;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // The store calls /index.php, and a proxy in front makes /callback of it.
    /// let layer = VerifyCallbackLayer::new(CallbackVerifier::new().pin_alibaba()?).called_as(Some("/index.php"));
    /// let app: Router = Router::new().route("/callback", post(async || "verified").layer(layer));
    /// let received = http::Request::post("/callback?id=1&index=2")
    ///     .header("authorization", "kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/RaHBovRCE8OkQDjC3uG33esH2txA==")
    ///     .header("x-oss-pub-key-url", "aHR0cDovL2dvc3NwdWJsaWMuYWxpY2RuLmNvbS9jYWxsYmFja19wdWJfa2V5X3YxLnBlbQ==")
    ///     .body(Body::from("bucket=yonghu-test"))?;
    /// assert_eq!(app.oneshot(received).await?.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn called_as(mut self, path: Option<&str>) -> Self {
        self.called_path = path.map(Arc::from);
        self
    }

    /// The request with what was verified in it, and its body's share of the budget.
    async fn verify(&self, request: Request) -> Result<(Request, ByteShare), CallbackRefusal> {
        let (mut parts, mut body) = request.into_parts();
        let share = self.bodies.share();
        let taken = match self.verifier.check_head(&parts.headers) {
            Ok(()) => self.collect(&parts.headers, &mut body, &share).await,
            Err(refusal) => Err(refusal),
        };
        let bytes = match taken {
            Ok(bytes) => bytes,
            Err(refusal) => {
                // Who waits to be asked for its body is not asked.
                let given_up = matches!(refusal, CallbackRefusal::BodyIncomplete);
                if !given_up && !parts.headers.contains_key(header::EXPECT) {
                    tokio::spawn(drain(body));
                }
                return Err(refusal);
            }
        };
        share.settle();
        let recorded = RecordedRequest::new(&parts, bytes.clone());
        let verified: VerifiedCallback =
            self.verifier.verify_request(recorded, self.called_path.as_deref())?;
        parts.extensions.insert(verified);
        Ok((Request::from_parts(parts, Body::from(bytes)), share))
    }

    async fn collect(
        &self,
        headers: &HeaderMap,
        body: &mut Body,
        share: &ByteShare,
    ) -> Result<Bytes, CallbackRefusal> {
        let declared =
            headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if declared.is_some_and(|bytes: u64| bytes > self.body_bytes_max as u64) {
            return Err(CallbackRefusal::BodyTooLong { bytes_max: self.body_bytes_max });
        }
        // In one piece: growing it step by step would hold it twice for a moment. What is not filled takes no memory.
        let room =
            BytesMut::with_capacity(declared.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0));
        let reading = read_bounded(body, room, self.body_bytes_max, share);
        let reading = tokio::time::timeout(BODY_TIMEOUT, reading);
        tokio::select! {
            biased;
            () = share.gave_way() => Err(CallbackRefusal::Busy),
            read = reading => read.unwrap_or(Err(CallbackRefusal::BodyIncomplete)),
        }
    }
}

async fn read_bounded(
    body: &mut Body,
    mut bytes: BytesMut,
    bytes_max: usize,
    share: &ByteShare,
) -> Result<Bytes, CallbackRefusal> {
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| CallbackRefusal::BodyIncomplete)?.into_data() else { continue };
        if bytes.len() + data.len() > bytes_max {
            return Err(CallbackRefusal::BodyTooLong { bytes_max });
        }
        share.grow(data.len()).map_err(|BudgetShort| CallbackRefusal::Busy)?;
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

/// Takes some more of a refused body while the answer goes out: a connection closed on a sender in mid-sentence is
/// reset, and the reset overtakes the answer.
async fn drain(mut body: Body) {
    let discarding = async {
        let mut bytes_left = DRAIN_BYTES_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            let Some(left) = bytes_left.checked_sub(length) else { return };
            bytes_left = left;
        }
    };
    // Enough or not, it ends here.
    let _ = tokio::time::timeout(BODY_TIMEOUT, discarding).await;
}

impl<S> Layer<S> for VerifyCallbackLayer {
    type Service = VerifyCallback<S>;

    fn layer(&self, inner: S) -> Self::Service {
        VerifyCallback { inner, layer: self.clone() }
    }
}

/// A handler behind [`VerifyCallbackLayer`].
#[derive(Clone, Debug)]
pub struct VerifyCallback<S> {
    inner: S,
    layer: VerifyCallbackLayer,
}

impl<S> Service<Request> for VerifyCallback<S>
where
    S: Service<Request, Error = Infallible> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The clone was not asked whether it is ready; the one that was stays with the future.
        let unready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, unready);
        let layer = self.layer.clone();
        Box::pin(async move {
            match layer.verify(request).await {
                // The body counts for as long as the handler may look at it.
                Ok((request, _share)) => Ok(inner.call(request).await?.into_response()),
                Err(refusal) => {
                    tracing::warn!(code = refusal.code(), %refusal, "callback refused");
                    Ok(Answer::from(refusal).into_response())
                }
            }
        })
    }
}
