//! PutObject (OBJ-1 to OBJ-11): bytes with a length or in chunks, checked against every digest that came with
//! them, then stored and called back by the same stages as a form.
//!
//! The body is not touched before everything that can be decided without it is decided: only then does a
//! client that waits for `100 Continue` get it.

use http::StatusCode;
use std::pin::pin;

use crate::access::Action;
use crate::access::resource::ObjectResource;
use crate::measures::Stage;
use crate::operations::operation::{Handler, Operation};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::request_body::RequestBody;
use crate::request::unserved_header;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};
use crate::upload::answer;
use crate::upload::commit;
use crate::upload::grant::WriteGrant;
use crate::upload::ingest;

/// Its declaration.
pub(crate) const OPERATION: Operation = Operation {
    name: "PutObject",
    methods: &["PUT"],
    parameters: &[&["callback", "callback-var", "x-oss-traffic-limit"]],
    refused_headers: &[unserved_header::ON_UPLOAD, unserved_header::PART, unserved_header::CONDITIONS],
    handler: Handler::Object(Action::WriteObject, |context, call, object, body| {
        Box::pin(run(context, call, object, body))
    }),
    ..Operation::ON_OBJECT
};

/// Stores one object.
pub(crate) async fn run(
    context: &RequestContext,
    call: &Call,
    object: ObjectResource,
    body: &mut RequestBody,
) -> Result<WireResponse, OperationError> {
    let _under_way = context.server.metrics.upload();
    let authorising = WriteGrant::for_put(context, call, object, body);
    let grant = context.in_stage(Stage::Authorise, pin!(authorising)).await?;
    let sealed = ingest::take_in(context, &grant, body).await?;
    let (limit, bytes) = (grant.limit(), sealed.len());
    let stored = commit::commit(context, grant, sealed).await?;
    let mut response = answer::respond(context, call, stored, |_| wire_response::empty(StatusCode::OK));
    if let Some(limit) = limit {
        limit.tell(bytes, response.headers_mut());
    }
    Ok(response)
}
