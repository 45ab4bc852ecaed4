//! The store's own pages under `/_countersign/` on the bare endpoint: the public half of the key that
//! signs callbacks, a health check, and the error reference.

mod error_pages;

use bytes::Bytes;
use countersign_protocol::{ErrorCode, WireError};
use countersign_store::{Health, Trouble};
use http::{HeaderValue, Method, StatusCode};
use jiff::Timestamp;

use crate::callback::budget::OutboxUsage;
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};
use crate::state::ServerState;

/// The page of the callback key. Its name carries a version: another key gets another name.
const CALLBACK_KEY_PAGE: &str = "callback_pub_key_v1.pem";
/// Its whole path; put behind the store's public address it is what `x-oss-pub-key-url` names by default.
pub const CALLBACK_KEY_PATH: &str = "/_countersign/callback_pub_key_v1.pem";

/// For so long after the machine refused something the health page answers 503.
const TROUBLE_SECONDS: i64 = 60;

/// Answers a request for one of the store's own pages.
pub(crate) fn run(context: &RequestContext, call: &Call, page: &str) -> Result<WireResponse, OperationError> {
    if !matches!(call.parts.method, Method::GET | Method::HEAD) {
        return Err(WireError::new(ErrorCode::MethodNotAllowed)
            .with_element("Method", call.parts.method.as_str())
            .with_element("ResourceType", call.location.resource_type())
            .into());
    }
    match page {
        CALLBACK_KEY_PAGE => {
            let content_type = HeaderValue::from_static("application/x-pem-file");
            let pem = Bytes::from(context.server.callbacks.key_pem().to_owned());
            Ok(wire_response::bytes(StatusCode::OK, content_type, pem))
        }
        "healthz" => Ok(health(context)),
        _ => error_pages::find(call, page)
            .ok_or_else(|| WireError::new(ErrorCode::NoSuchKey).with_element("Key", page).into()),
    }
}

/// Whether the store keeps its word, and if not, why. Damaged objects are counted and not named: their names
/// are their owners', and anybody may ask here.
fn health(context: &RequestContext) -> WireResponse {
    let (ready, text) = health_in_words(&context.server, context.now);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    wire_response::bytes(status, content_type, Bytes::from(text))
}

/// Whether requests should be sent here now, and the page's lines.
pub(crate) fn health_in_words(server: &ServerState, now: Timestamp) -> (bool, String) {
    let store = &server.options.store;
    let (mut ready, mut text) = match store.health() {
        Health::Good => (true, "ok\n".to_owned()),
        Health::WritesRefused { reason } => (false, format!("writes are refused: {reason}\n")),
    };
    for note in store.troubles() {
        let seconds = now.duration_since(note.last).as_secs();
        // A while ago is no reason to send nobody here any more.
        if seconds < TROUBLE_SECONDS {
            ready = false;
            text = text.replace("ok\n", "");
        }
        text.push_str(&format!(
            "{}, {} since the start, last {seconds} s ago: {}\n",
            match note.trouble {
                Trouble::OpenFiles => "no file descriptor was left (raise ulimit -n or LimitNOFILE)",
                Trouble::DataFolder => "the data folder could not be read or written",
            },
            if note.count == 1 { "once".to_owned() } else { format!("{} times", note.count) },
            note.reason
        ));
    }
    match store.damaged_count() {
        0 => {}
        1 => text.push_str("1 object is damaged and not served; `countersign scrub` names it\n"),
        count => text.push_str(&format!(
            "{count} objects are damaged and not served; `countersign scrub` names them\n"
        )),
    }
    text.push_str(&outbox(&server.callbacks.outbox_usage()));
    (ready, text)
}

/// What callbacks hold of their budget, once they hold anything.
fn outbox(usage: &OutboxUsage) -> String {
    let mut text = String::new();
    if usage.held.entries > 0 {
        text.push_str(&format!(
            "{} callbacks are owed or under way, {} of {} bytes and {} of {} entries\n",
            usage.held.entries, usage.held.bytes, usage.max.bytes, usage.held.entries, usage.max.entries
        ));
    }
    if usage.refused > 0 || usage.forgotten > 0 {
        text.push_str(&format!(
            "{} callbacks to destinations that are not permitted are kept; {} older ones were dropped\n",
            usage.refused, usage.forgotten
        ));
    }
    text
}
