//! One request and its answer over one connection to an application; a bounded read, judged as OSS judges.

use bytes::{Bytes, BytesMut};
use countersign_protocol::callback::CallbackFailure;
use countersign_protocol::callback::answer::{judge_body, judge_head};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};

use crate::callback::connection::CallbackConnection;
use crate::callback::delivery::CallbackReply;
use crate::callback::progress::{Phase, Progress};
use crate::response::wire_response::ANSWER_BYTES_UNCOUNTED;
use crate::server::fair_budget::{FairBudget, NoRoom};

/// What hyper says of a Content-Length that is no number; it gives no other sign. A test pins it.
const LENGTH_ERROR: &str = "invalid content-length parsed";

/// Why there is no good answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The connection ended, and not a byte of an answer had come.
    Silent,
    /// The failure that the uploader is told.
    Failed(CallbackFailure),
}

impl From<CallbackFailure> for NoAnswer {
    fn from(failure: CallbackFailure) -> Self {
        NoAnswer::Failed(failure)
    }
}

/// What an answer may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReplyBounds<'b> {
    /// The longest answer.
    pub(super) bytes_max: u64,
    /// What all answers share; it counts to the client that will be sent it.
    pub(super) budget: &'b FairBudget,
}

/// Sends the request and reads the answer, at most so many bytes of it.
pub(super) async fn exchange(
    connection: &mut CallbackConnection,
    request: Request<Full<Bytes>>,
    bounds: ReplyBounds<'_>,
    progress: &Progress,
) -> Result<CallbackReply, NoAnswer> {
    let heard_before = connection.heard_bytes();
    progress.send(connection.written(), request.body().size_hint().lower());
    match connection.send(request).await {
        Ok(response) => {
            progress.enter(Phase::Read);
            Ok(read(response, bounds, progress).await?)
        }
        Err(_) if connection.heard_bytes() == heard_before => Err(NoAnswer::Silent),
        Err(error) => Err(unreadable(&error, progress).into()),
    }
}

async fn read(
    response: Response<Incoming>,
    bounds: ReplyBounds<'_>,
    progress: &Progress,
) -> Result<CallbackReply, CallbackFailure> {
    let (head, mut body) = response.into_parts();
    // A chunked answer has no length, whatever else it says.
    let chunked = head.headers.contains_key(TRANSFER_ENCODING);
    let length = head.headers.get(CONTENT_LENGTH).filter(|_| !chunked).map(HeaderValue::as_bytes);
    let length = judge_head(head.status.as_u16(), length)?;
    if length > bounds.bytes_max {
        return Err(CallbackFailure::LengthTooLong);
    }
    // What is not filled takes no memory, and what grew in place is not copied.
    let mut bytes = BytesMut::with_capacity(usize::try_from(length).unwrap_or(0));
    let mut share = bounds.budget.count(&progress.client(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| unreadable(&error, progress))?;
        if let Some(data) = frame.data_ref() {
            let counted = (bytes.len() + data.len()).saturating_sub(ANSWER_BYTES_UNCOUNTED.max(bytes.len()));
            share.grow(counted).map_err(|NoRoom| CallbackFailure::AnswersTooMany)?;
            bytes.extend_from_slice(data);
        }
    }
    let content_type = head.headers.get(CONTENT_TYPE);
    judge_body(content_type.and_then(|value| value.to_str().ok()), &bytes)?;
    let content_type = content_type.cloned().unwrap_or(HeaderValue::from_static("application/json"));
    Ok(CallbackReply { content_type, body: share.bind(bytes.freeze()) })
}

fn unreadable(error: &hyper::Error, progress: &Progress) -> CallbackFailure {
    progress.because(error);
    if error.is_parse() && error.to_string().contains(LENGTH_ERROR) {
        return CallbackFailure::LengthInvalid;
    }
    CallbackFailure::AnswerBroken
}
