//! GetObjectMeta (OBJ-17): length, digests and time only, as HEAD or as GET without a body.

use std::future::ready;

use countersign_protocol::http_date;
use http::{Method, StatusCode, header::LAST_MODIFIED};

use crate::access::Action;
use crate::access::resource::ObjectResource;
use crate::operations::object::head_object;
use crate::operations::operation::{Handler, Operation, SubResource, UnknownParameters};
use crate::request::Call;
use crate::request::object_version;
use crate::response::object_headers;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// Its declaration.
pub(crate) const OPERATION: Operation = Operation {
    name: "GetObjectMeta",
    methods: &["GET", "HEAD"],
    sub_resource: Some(SubResource::word("objectMeta")),
    parameters: &[&["versionId"]],
    unknown_parameters: UnknownParameters::Ignored,
    handler: Handler::Object(Action::ReadObject, |_, call, object, _| Box::pin(ready(run(call, &object)))),
    ..Operation::ON_OBJECT
};

/// Describes what the key holds, briefly.
fn run(call: &Call, object: &ObjectResource) -> Result<WireResponse, OperationError> {
    object_version::require_the_only_one(&call.query, &object.key)?;
    let (record, _) = object.existing()?;
    let mut response = wire_response::empty(StatusCode::OK);
    let headers = response.headers_mut();
    object_headers::describe_content(record, headers);
    object_headers::put(headers, LAST_MODIFIED, &http_date::format(record.modified));
    // The length is the object's, which only an answer without a body may state.
    if call.parts.method == Method::HEAD {
        head_object::set_length(headers, record.len);
    }
    Ok(response)
}
