//! GetBucketLocation (BKT-9): the region of the store is that of its buckets.

use std::future::ready;

use countersign_protocol::xml::location_constraint;
use http::StatusCode;

use crate::access::Action;
use crate::operations::operation::{Handler, Operation, SubResource};
use crate::request::context::RequestContext;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// Its declaration.
pub(crate) const OPERATION: Operation = Operation {
    name: "GetBucketLocation",
    methods: &["GET"],
    sub_resource: Some(SubResource::word("location")),
    handler: Handler::Bucket(Action::Administer, |context, _, _, _| Box::pin(ready(run(context)))),
    ..Operation::ON_BUCKET
};

/// Names the region.
fn run(context: &RequestContext) -> Result<WireResponse, OperationError> {
    Ok(wire_response::xml(StatusCode::OK, location_constraint(&context.server.options.region)))
}
