//! DeleteObject (protocol 04 §4): what is not there is deleted as well.

use bytes::Bytes;
use countersign_store::Mutation;
use http::StatusCode;

use crate::access::subject::ObjectSubject;
use crate::object::version;
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// Deletes what the key holds.
pub(crate) async fn run(
    context: &RequestContext,
    call: &Call,
    object: &ObjectSubject,
) -> Result<WireResponse, OperationError> {
    if version::names_the_only_one(&call.query)? {
        let mutation = Mutation::DeleteObject {
            bucket: object.bucket.name.clone(),
            key: Bytes::copy_from_slice(object.key.as_str().as_bytes()),
            only_if_sequence: None,
        };
        context.server.options.store.commit(mutation).await?;
    }
    Ok(wire_response::empty(StatusCode::NO_CONTENT))
}
