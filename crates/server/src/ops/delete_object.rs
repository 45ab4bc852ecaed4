//! DeleteObject (protocol 04 §4): what is not there is deleted as well.

use bytes::Bytes;
use countersign_store::Mutation;
use http::StatusCode;

use crate::{
    context::RequestContext,
    object_version,
    request::Call,
    subject::ObjectSubject,
    wire_error::OperationError,
    wire_response::{self, WireResponse},
};

/// Deletes what the key holds.
pub(crate) async fn run(
    context: &RequestContext,
    call: &Call,
    object: &ObjectSubject,
) -> Result<WireResponse, OperationError> {
    if object_version::names_the_only_one(&call.query)? {
        let mutation = Mutation::DeleteObject {
            bucket: object.bucket.name.clone(),
            key: Bytes::copy_from_slice(object.key.as_str().as_bytes()),
            only_if_sequence: None,
        };
        context.server.options.store.commit(mutation).await?;
    }
    Ok(wire_response::empty(StatusCode::NO_CONTENT))
}
