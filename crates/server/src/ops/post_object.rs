//! PostObject.

use countersign_protocol::ErrorCode;

use crate::context::RequestContext;
use crate::request::Call;
use crate::request_body::RequestBody;
use crate::wire_error::OperationError;
use crate::wire_response::WireResponse;

/// Takes one form.
pub(crate) async fn run(
    _context: &RequestContext,
    _call: &Call,
    _body: &mut RequestBody,
) -> Result<WireResponse, OperationError> {
    Err(ErrorCode::NotImplemented.into())
}
