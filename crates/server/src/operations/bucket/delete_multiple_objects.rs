//! DeleteMultipleObjects (OBJ-31): up to 1,000 keys in one transaction; what was never there counts as
//! deleted.

use bytes::Bytes;
use countersign_protocol::{
    ErrorCode, WireError,
    xml::{DeleteObjects, DeleteResult, Deleted, NULL_VERSION, ObjectToDelete},
};
use countersign_store::{CommitError, DeleteObject};
use http::StatusCode;

use crate::access::Action;
use crate::access::resource::BucketResource;
use crate::operations::listing::name_encoding;
use crate::operations::operation::{Handler, Operation, SubResource};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::request_body::RequestBody;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// Its declaration.
pub(crate) const OPERATION: Operation = Operation {
    name: "DeleteMultipleObjects",
    methods: &["POST"],
    sub_resource: Some(SubResource::word("delete")),
    parameters: &[&["encoding-type"]],
    handler: Handler::Bucket(Action::Administer, |context, call, bucket, body| {
        Box::pin(run(context, call, bucket, body))
    }),
    ..Operation::ON_BUCKET
};

/// Deletes what the document lists.
async fn run(
    context: &RequestContext,
    call: &Call,
    bucket: BucketResource,
    body: &mut RequestBody,
) -> Result<WireResponse, OperationError> {
    if !call.parts.headers.contains_key("content-md5") {
        return Err(WireError::new(ErrorCode::MissingArgument)
            .with_element("ArgumentName", "Content-MD5")
            .into());
    }
    let encoding = name_encoding(&call.query)?;
    body.demand_digest(&call.parts.headers)?;
    let document = body.read_whole(context.server.options.limits.document_bytes_max).await?;
    let request = DeleteObjects::parse(&document).map_err(WireError::from)?;
    delete(context, &bucket.record.name, &request.objects).await?;
    if request.quiet {
        return Ok(wire_response::empty(StatusCode::OK));
    }
    let deleted = |object: ObjectToDelete| Deleted { key: object.key, version_id: object.version_id };
    let result = DeleteResult { encoding, deleted: request.objects.into_iter().map(deleted).collect() };
    Ok(wire_response::xml(StatusCode::OK, result.to_xml()))
}

async fn delete(
    context: &RequestContext,
    bucket: &str,
    objects: &[ObjectToDelete],
) -> Result<(), OperationError> {
    // A version that cannot be there is gone already.
    let present = objects
        .iter()
        .filter(|object| object.version_id.as_deref().is_none_or(|id| id.is_empty() || id == NULL_VERSION));
    let deletions = present.map(|object| DeleteObject {
        bucket: bucket.to_owned(),
        key: Bytes::copy_from_slice(object.key.as_bytes()),
        only_if_sequence: None,
    });
    let outcomes = context.server.options.store.apply(deletions.collect()).await?;
    for outcome in outcomes {
        outcome.map_err(CommitError::Refused)?;
    }
    Ok(())
}
