//! GetObjectAcl (protocol 04 §4). An object gets its list with its bytes; changing it afterwards is not built.

use countersign_protocol::xml::AccessControlPolicy;
use http::StatusCode;

use crate::access;
use crate::access::subject::ObjectSubject;
use crate::object::version;
use crate::request::Call;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// Shows the object's list.
pub(crate) fn get(call: &Call, object: &ObjectSubject) -> Result<WireResponse, OperationError> {
    version::require_the_only_one(&call.query, &object.key)?;
    let (_, attributes) = object.existing()?;
    let policy = AccessControlPolicy { owner: access::owner(), grant: attributes.acl.as_str() };
    Ok(wire_response::xml(StatusCode::OK, policy.to_xml()))
}
