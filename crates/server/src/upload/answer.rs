//! Stage 6 of an upload: the answer. With a callback it is the application's own, or 203; without one the
//! operation's. All carry the object's digests (POST-50 to POST-60, CB-59 to CB-61).

use countersign_protocol::WireError;
use countersign_store::ObjectRecord;
use http::StatusCode;

use crate::request::Call;
use crate::request::context::RequestContext;
use crate::response::object_headers;
use crate::response::wire_error;
use crate::response::wire_response::{self, WireResponse};
use crate::upload::commit::StoredObject;

/// Answers an upload; `plain` is the answer of the operation when there was no callback.
pub(crate) fn respond(
    context: &RequestContext,
    call: &Call,
    stored: StoredObject,
    plain: impl FnOnce(&ObjectRecord) -> WireResponse,
) -> WireResponse {
    let StoredObject { object, callback } = stored;
    let mut response = match callback {
        None => plain(&object),
        Some(Ok(reply)) => {
            let mut response = wire_response::bytes(StatusCode::OK, reply.content_type, reply.body);
            response.extensions_mut().insert(wire_response::Counted);
            // Who uploads may have chosen who answers: what is relayed must not act in this host's name.
            object_headers::serve_safely(response.headers_mut());
            response
        }
        Some(Err(failure)) => wire_error::answer(&WireError::from(failure), context, call),
    };
    object_headers::describe_content(&object, response.headers_mut());
    response
}
