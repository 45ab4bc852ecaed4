//! GetBucketLocation (protocol 04 §1): the region of the store is that of its buckets.

use countersign_protocol::xml::location_constraint;
use http::StatusCode;

use crate::request::context::RequestContext;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// Names the region.
pub(crate) fn run(context: &RequestContext) -> Result<WireResponse, OperationError> {
    Ok(wire_response::xml(StatusCode::OK, location_constraint(&context.server.options.region)))
}
