//! HeadObject (OBJ-12, OBJ-13, GEN-18): the headers of GetObject without the bytes.

use std::future::ready;

use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_LENGTH, HeaderMap},
};

use crate::access::Action;
use crate::access::resource::ObjectResource;
use crate::operations::operation::{Handler, Operation, UnknownParameters};
use crate::request::Call;
use crate::request::object_version;
use crate::response::gzip;
use crate::response::object_headers;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// Its declaration.
pub(crate) const OPERATION: Operation = Operation {
    name: "HeadObject",
    methods: &["HEAD"],
    parameters: &[&["versionId"]],
    unknown_parameters: UnknownParameters::Ignored,
    handler: Handler::Object(Action::ReadObject, |_, call, object, _| Box::pin(ready(run(call, &object)))),
    ..Operation::ON_OBJECT
};

/// Describes what the key holds.
fn run(call: &Call, object: &ObjectResource) -> Result<WireResponse, OperationError> {
    object_version::require_the_only_one(&call.query, &object.key)?;
    let (record, attributes) = object.existing()?;
    if let Some(unmodified) = object_headers::answer_conditions(&call.parts.headers, record, attributes)? {
        return Ok(unmodified);
    }
    let mut response = wire_response::empty(StatusCode::OK);
    object_headers::describe(record, attributes, response.headers_mut());
    set_length(response.headers_mut(), record.len);
    // The form that is described is the uncompressed one, with its tag and length; caches are told of the other.
    if gzip::is_offered(attributes, record.len) {
        gzip::vary(response.headers_mut());
    }
    Ok(response)
}

/// States the length of a body that is not sent.
pub(crate) fn set_length(headers: &mut HeaderMap, len: u64) {
    headers.insert(CONTENT_LENGTH, HeaderValue::from(len));
}
