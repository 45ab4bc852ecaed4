//! Logs one line for each request, once its answer has been sent or given up. What it holds of the request is cut to
//! a length, and the log escapes it; the query, where signatures and tokens are, and all headers but the length stay
//! out.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Instant;

use countersign_clock::Clock;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use metrics::Counter;

use super::peer::Peer;

/// The target under which the lines are logged, at the level of information.
pub const REQUEST_TARGET: &str = "request";

/// The most characters of a path or key that a line holds.
const NAME_CHARACTERS_MAX: usize = 256;
/// The most characters of a method or an id.
const WORD_CHARACTERS_MAX: usize = 32;

/// How much of each request is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RequestLog {
    /// Nothing.
    #[default]
    Off,
    /// Method, path, status and time.
    Short,
    /// Also bytes, request id and the client's address; bucket and key apart.
    Full,
}

/// What a request was about, where the service knows it better than its path says. An answer carries it as an
/// extension.
#[derive(Debug, Clone, Default)]
pub struct LoggedObject {
    /// The bucket.
    pub bucket: Option<String>,
    /// The key.
    pub key: Option<String>,
}

/// Where the service says at once under which id it will answer, so that the line of a request whose client leaves before
/// the answer has it too. A request carries it as an extension.
#[derive(Debug, Clone, Default)]
pub struct IdSlot(Arc<OnceLock<String>>);

impl IdSlot {
    /// Says it. Only the first word counts.
    pub fn tell(&self, id: &str) {
        self.0.get_or_init(|| id.to_owned());
    }
}

/// Whether anything is written about requests.
pub fn is_wanted() -> bool {
    tracing::enabled!(target: REQUEST_TARGET, tracing::Level::INFO)
}

/// What is known of one request; dropping it writes the line, also when no answer was made.
pub(super) struct Line {
    clock: Clock,
    log: RequestLog,
    started: Instant,
    peer: Peer,
    method: Method,
    uri: Uri,
    bytes_in: Option<u64>,
    status: Option<u16>,
    object: LoggedObject,
    id: Option<String>,
    slot: IdSlot,
    bytes_out: u64,
}

impl Line {
    pub(super) fn begin<B>(
        clock: &Clock,
        log: RequestLog,
        request: &mut Request<B>,
        peer: Peer,
    ) -> Option<Self> {
        if log == RequestLog::Off || !is_wanted() {
            return None;
        }
        let slot = IdSlot::default();
        request.extensions_mut().insert(slot.clone());
        let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        Some(Self {
            clock: clock.clone(),
            log,
            started: clock.monotonic(),
            peer,
            method: request.method().clone(),
            uri: request.uri().clone(),
            bytes_in: length.and_then(|length| length.parse().ok()),
            status: None,
            object: LoggedObject::default(),
            id: None,
            slot,
            bytes_out: 0,
        })
    }

    /// Whether the line tells the path: where it is short, or nothing better is known.
    fn path(&self) -> Option<String> {
        match (self.log, &self.object.bucket, &self.object.key) {
            (RequestLog::Full, Some(_), _) => None,
            (_, Some(bucket), Some(key)) => Some(bounded(&format!("/{bucket}/{key}"), NAME_CHARACTERS_MAX)),
            _ => Some(bounded(self.uri.path(), NAME_CHARACTERS_MAX)),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let method = bounded(self.method.as_str(), WORD_CHARACTERS_MAX);
        let (method, path) = (method.as_str(), self.path());
        let (path, status) = (path.as_deref(), self.status);
        let ms = u64::try_from(self.clock.since(self.started).as_millis()).unwrap_or(u64::MAX);
        // Who left before the answer was made got none.
        let unanswered = status.is_none().then_some(true);
        let id = self.id.as_ref().or_else(|| self.slot.0.get()).map(|id| bounded(id, WORD_CHARACTERS_MAX));
        let request_id = id.as_deref();
        if self.log == RequestLog::Short {
            tracing::info!(target: REQUEST_TARGET, method, path, status, unanswered, ms, request_id);
            return;
        }
        let cut = |text: &Option<String>, most| text.as_deref().map(|text| bounded(text, most));
        let bucket = cut(&self.object.bucket, NAME_CHARACTERS_MAX);
        let key = cut(&self.object.key, NAME_CHARACTERS_MAX);
        tracing::info!(
            target: REQUEST_TARGET,
            method,
            bucket = bucket.as_deref(),
            key = key.as_deref(),
            path,
            status,
            unanswered,
            bytes_in = self.bytes_in,
            bytes_out = self.bytes_out,
            ms,
            request_id,
            client = %self.peer.client,
        );
    }
}

/// The beginning of a text that is too long to be logged whole.
fn bounded(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// An answer whose line is written when it has been sent.
pub(super) fn attach<B>(line: Option<Line>, sent: Counter, response: Response<B>) -> Response<LoggedBody<B>> {
    let (mut parts, body) = response.into_parts();
    let line = line.map(|mut line| {
        line.status = Some(parts.status.as_u16());
        line.id = request_id(&parts.headers);
        line.object = parts.extensions.remove::<LoggedObject>().unwrap_or_default();
        line
    });
    Response::from_parts(parts, LoggedBody { body, line, sent })
}

/// The id under which the service answered.
fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-oss-request-id").or_else(|| headers.get("x-request-id"))?;
    id.to_str().ok().map(str::to_owned)
}

/// A body that counts what is sent of it.
pub(super) struct LoggedBody<B> {
    body: B,
    line: Option<Line>,
    sent: Counter,
}

impl<B: Body + Unpin> Body for LoggedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            let bytes = frame.data_ref().map_or(0, bytes::Buf::remaining) as u64;
            self.sent.increment(bytes);
            if let Some(line) = &mut self.line {
                line.bytes_out = line.bytes_out.saturating_add(bytes);
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(bounded("照片照片", 2), "照片…");
        assert_eq!(bounded("照片", 2), "照片");
    }
}
