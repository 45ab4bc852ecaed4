//! The tower layer that verifies callbacks in front of any handler.
//!
//! Mount it on the route that the store calls. What reaches the handler carries a
//! [`VerifiedCallback`] as extension and its body unchanged; everything else is answered 400 here, and the handler
//! never hears of it. At most [`CALLBACK_BODY_BYTES_MAX`] bytes are read, and none of a body that declares more, except to throw it away.

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
    callback_verifier::{CallbackRefusal, CallbackVerifier, VerifiedCallback},
    recorded_request::RecordedRequest,
};

/// The longest callback body that is read. The store's own limit for the template is 5 KB.
pub const CALLBACK_BODY_BYTES_MAX: usize = 1024 * 1024;
/// So much of a refused body is still taken and thrown away.
const DRAIN_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The store waits 5 s for the whole exchange, so a body that takes longer has nobody left to answer.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Verifies callbacks in front of a handler.
#[derive(Clone, Debug)]
pub struct VerifyCallbackLayer {
    verifier: Arc<CallbackVerifier>,
    called_path: Option<Arc<str>>,
}

impl VerifyCallbackLayer {
    /// Verifies with these keys, against the path as received.
    #[must_use]
    pub fn new(verifier: CallbackVerifier) -> Self {
        Self { verifier: Arc::new(verifier), called_path: None }
    }

    /// Says which path the store calls, where a proxy in front changes it.
    #[must_use]
    pub fn called_as(mut self, path: Option<&str>) -> Self {
        self.called_path = path.map(Arc::from);
        self
    }

    async fn verify(&self, request: Request) -> Result<Request, CallbackRefusal> {
        let (mut parts, body) = request.into_parts();
        let body = collect(&parts.headers, body).await?;
        let recorded = RecordedRequest::new(&parts, body.clone());
        let verified: VerifiedCallback =
            self.verifier.verify_request(recorded, self.called_path.as_deref())?;
        parts.extensions.insert(verified);
        Ok(Request::from_parts(parts, Body::from(body)))
    }
}

async fn collect(headers: &HeaderMap, mut body: Body) -> Result<Bytes, CallbackRefusal> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let read = if declared.is_some_and(|bytes: u64| bytes > CALLBACK_BODY_BYTES_MAX as u64) {
        Err(CallbackRefusal::BodyTooLong { bytes_max: CALLBACK_BODY_BYTES_MAX })
    } else {
        tokio::time::timeout(BODY_TIMEOUT, read_bounded(&mut body))
            .await
            .unwrap_or(Err(CallbackRefusal::BodyIncomplete))
    };
    // Who waits to be asked for its body is not asked.
    if matches!(read, Err(CallbackRefusal::BodyTooLong { .. })) && !headers.contains_key(header::EXPECT) {
        tokio::spawn(drain(body));
    }
    read
}

async fn read_bounded(body: &mut Body) -> Result<Bytes, CallbackRefusal> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| CallbackRefusal::BodyIncomplete)?.into_data() else { continue };
        if bytes.len() + data.len() > CALLBACK_BODY_BYTES_MAX {
            return Err(CallbackRefusal::BodyTooLong { bytes_max: CALLBACK_BODY_BYTES_MAX });
        }
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
                Ok(request) => Ok(inner.call(request).await?.into_response()),
                Err(refusal) => {
                    tracing::warn!(code = refusal.code(), %refusal, "callback refused");
                    Ok(Answer::from(refusal).into_response())
                }
            }
        })
    }
}
