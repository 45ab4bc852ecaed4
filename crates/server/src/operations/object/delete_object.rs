//! DeleteObject (OBJ-30): an object that does not exist counts as deleted.

use bytes::Bytes;
use countersign_store::DeleteObject;
use http::StatusCode;

use crate::access::Action;
use crate::access::resource::ObjectResource;
use crate::operations::operation::{Handler, Operation};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::object_version;
use crate::request::unserved_header;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// Its declaration.
pub(crate) const OPERATION: Operation = Operation {
    name: "DeleteObject",
    methods: &["DELETE"],
    parameters: &[&["versionId"]],
    refused_headers: &[unserved_header::CONDITIONS, unserved_header::ON_DELETION],
    handler: Handler::Object(Action::WriteObject, |context, call, object, _| {
        Box::pin(run(context, call, object))
    }),
    ..Operation::ON_OBJECT
};

/// Deletes what the key holds.
async fn run(
    context: &RequestContext,
    call: &Call,
    object: ObjectResource,
) -> Result<WireResponse, OperationError> {
    if object_version::names_the_only_one(&call.query)? {
        let mutation = DeleteObject {
            bucket: object.bucket.name.clone(),
            key: Bytes::copy_from_slice(object.key.as_str().as_bytes()),
            only_if_sequence: None,
        };
        context.server.options.store.commit(mutation).await?;
    }
    Ok(wire_response::empty(StatusCode::NO_CONTENT))
}
