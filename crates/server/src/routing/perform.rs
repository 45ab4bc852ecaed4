//! Performs an operation: authenticates, finds the resource, checks the rights, and calls its handler.
//!
//! Nothing is decided here but the order: the signature before the store is asked anything, the bucket before
//! the object, the access control lists before the operation. What an operation needs is in its declaration.

use countersign_protocol::{Acl, ErrorCode, ObjectAcl, WireError};
use http::HeaderName;

use crate::access::resource;
use crate::access::{self, Action};
use crate::operations::operation::{Handler, Operation, Outcome};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::request_body::RequestBody;
use crate::request::unserved_header;

/// Carries an operation out. Where a bucket is to be there already, that it is missing is said before that the
/// principal's key is unknown.
pub(crate) async fn perform(
    operation: &Operation,
    context: &RequestContext,
    call: &Call,
    body: &mut RequestBody,
) -> Outcome {
    match operation.handler {
        Handler::Unsigned(run) => run(context, call, body).await,
        Handler::Account(run) => {
            let principal = resource::principal(context, call)?;
            context.span.record("principal", principal.word());
            refuse_headers(operation, call)?;
            access::permit(&principal, Action::Administer, Acl::Private, ObjectAcl::Default)
                .map_err(WireError::from)?;
            run(context, call, body).await
        }
        Handler::Bucket(action, run) => {
            let principal = resource::principal_on_bucket(context, call).await?;
            context.span.record("principal", principal.word());
            refuse_headers(operation, call)?;
            let bucket = resource::bucket(context, call, &principal, action).await?;
            run(context, call, bucket, body).await
        }
        Handler::Object(action, run) => {
            let principal = resource::principal_on_bucket(context, call).await?;
            context.span.record("principal", principal.word());
            refuse_headers(operation, call)?;
            let object = resource::object(context, call, principal, action).await?;
            run(context, call, object, body).await
        }
        Handler::NotImplemented => {
            resource::principal_on_bucket(context, call).await?;
            Err(not_implemented(operation.name).into())
        }
    }
}

fn refuse_headers(operation: &Operation, call: &Call) -> Result<(), WireError> {
    unserved_header::check(operation.refused_headers, call.parts.headers.keys().map(HeaderName::as_str))
}

/// The refusal of an operation that the API has and this store does not.
pub(crate) fn not_implemented(name: &str) -> WireError {
    WireError::new(ErrorCode::NotImplemented)
        .with_message(format!("This store does not implement {name}."))
        .with_element("Operation", name)
}
