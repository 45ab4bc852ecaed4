//! Answers: the body type of every response and the small builders that operations use.
//!
//! Common headers (`x-oss-request-id`, `Server`, `Date`, CORS) are not set here but once, for
//! every answer alike, where the request was dispatched.
//!
//! Clauses GEN-1.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

/// A response of this server.
pub(crate) type WireResponse = Response<ResponseBody>;

/// What a stream of object content looks like.
pub(crate) type ContentStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Marks an answer whose bytes are counted already.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted;

/// The body of a response.
pub enum ResponseBody {
    /// No bytes. A HEAD answer states its length in a header of its own.
    Empty,
    /// Bytes at hand; taken when they are sent.
    Bytes(Option<Bytes>),
    /// Bytes at hand whose number is not told, so that they go out in chunks; the permit goes with them.
    Unmeasured {
        /// Taken when they are sent.
        bytes: Option<Bytes>,
        /// Given back when the answer ends.
        _permit: OwnedSemaphorePermit,
    },
    /// Content that is read while it is sent, with the number of bytes still to come.
    Stream {
        /// The source.
        content: ContentStream,
        /// How many bytes the source still has.
        remaining: u64,
    },
}

impl std::fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ResponseBody({:?} bytes)", self.size_hint().exact())
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Bytes(bytes) | Self::Unmeasured { bytes, .. } => {
                Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes))))
            }
            Self::Stream { content, remaining } => content.as_mut().poll_next(context).map(|item| {
                item.map(|chunk| {
                    chunk.map(|chunk| {
                        *remaining = remaining.saturating_sub(chunk.len() as u64);
                        Frame::data(chunk)
                    })
                })
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty | Self::Bytes(None) => true,
            Self::Bytes(Some(bytes)) => bytes.is_empty(),
            Self::Unmeasured { bytes, .. } => bytes.is_none(),
            Self::Stream { remaining, .. } => *remaining == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Unmeasured { .. } => return SizeHint::default(),
            Self::Empty | Self::Bytes(None) => 0,
            Self::Bytes(Some(bytes)) => bytes.len() as u64,
            Self::Stream { remaining, .. } => *remaining,
        })
    }
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> WireResponse {
    with_body(status, ResponseBody::Empty)
}

/// An answer with an XML document.
pub(crate) fn xml(status: StatusCode, document: String) -> WireResponse {
    bytes(status, HeaderValue::from_static("application/xml"), Bytes::from(document))
}

/// An answer with bytes of a given type.
pub(crate) fn bytes(status: StatusCode, content_type: HeaderValue, body: Bytes) -> WireResponse {
    let mut response = with_body(status, ResponseBody::Bytes(Some(body)));
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// An answer with any body.
pub(crate) fn with_body(status: StatusCode, body: ResponseBody) -> WireResponse {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
