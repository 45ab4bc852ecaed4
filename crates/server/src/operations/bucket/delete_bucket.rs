//! DeleteBucket (BKT-7): deletes an empty bucket.

use countersign_store::DeleteBucket;
use http::StatusCode;

use crate::access::Action;
use crate::access::resource::BucketResource;
use crate::operations::operation::{Handler, Operation, UnknownParameters};
use crate::request::context::RequestContext;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// Its declaration. Nothing may be asked with it that it would not do.
pub(crate) const OPERATION: Operation = Operation {
    name: "DeleteBucket",
    methods: &["DELETE"],
    unknown_parameters: UnknownParameters::Refused,
    handler: Handler::Bucket(Action::Administer, |context, _, bucket, _| Box::pin(run(context, bucket))),
    ..Operation::ON_BUCKET
};

/// Deletes the bucket.
async fn run(context: &RequestContext, bucket: BucketResource) -> Result<WireResponse, OperationError> {
    let mutation = DeleteBucket { name: bucket.record.name.clone() };
    context.server.options.store.commit(mutation).await?;
    Ok(wire_response::empty(StatusCode::NO_CONTENT))
}
