//! DeleteBucket (protocol 04 §1): only an empty one goes.

use countersign_store::Mutation;
use http::StatusCode;

use crate::access::subject::BucketSubject;
use crate::request::context::RequestContext;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// Deletes the bucket.
pub(crate) async fn run(
    context: &RequestContext,
    bucket: &BucketSubject,
) -> Result<WireResponse, OperationError> {
    let mutation = Mutation::DeleteBucket { name: bucket.record.name.clone() };
    context.server.options.store.commit(mutation).await?;
    Ok(wire_response::empty(StatusCode::NO_CONTENT))
}
