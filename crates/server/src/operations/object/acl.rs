//! GetObjectAcl (OBJ-18). An object gets its list with its bytes; changing it afterwards is not built.

use std::future::ready;

use countersign_protocol::xml::AccessControlPolicy;
use http::StatusCode;

use crate::access;
use crate::access::Action;
use crate::access::resource::ObjectResource;
use crate::operations::operation::{Handler, Operation, SubResource, UnknownParameters};
use crate::request::Call;
use crate::request::object_version;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// The declaration of GetObjectAcl.
pub(crate) const GET: Operation = Operation {
    name: "GetObjectAcl",
    methods: &["GET"],
    sub_resource: Some(SubResource::word("acl")),
    parameters: &[&["versionId"]],
    unknown_parameters: UnknownParameters::Ignored,
    handler: Handler::Object(Action::Administer, |_, call, object, _| Box::pin(ready(get(call, &object)))),
    ..Operation::ON_OBJECT
};

/// Shows the object's list.
fn get(call: &Call, object: &ObjectResource) -> Result<WireResponse, OperationError> {
    object_version::require_the_only_one(&call.query, &object.key)?;
    let (_, attributes) = object.existing()?;
    let policy = AccessControlPolicy { owner: access::owner(), grant: attributes.acl.as_str() };
    Ok(wire_response::xml(StatusCode::OK, policy.to_xml()))
}
