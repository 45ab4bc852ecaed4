//! OptionObject: the preflight of a browser (CORS-9 to CORS-15). It is not authenticated.

use countersign_protocol::WireError;
use countersign_store::QueryError;
use http::StatusCode;

use crate::access::resource;
use crate::bucket_rules::cors::{CrossOrigin, PreflightError};
use crate::operations::operation::{Handler, Operation, UnknownParameters};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::location::Location;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// Its declaration. A preflight carries the query of the request that it asks about, and does nothing itself.
pub(crate) const OPERATION: Operation = Operation {
    name: "OptionObject",
    methods: &["OPTIONS"],
    unknown_parameters: UnknownParameters::Unread,
    handler: Handler::Unsigned(|context, call, _| Box::pin(run(context, call))),
    ..Operation::ANYWHERE
};

/// Answers a preflight by the rules of the bucket.
async fn run(context: &RequestContext, call: &Call) -> Result<WireResponse, OperationError> {
    let asked = CrossOrigin::of_preflight(&call.parts.headers).map_err(WireError::from)?;
    let not_allowed = PreflightError::NotAllowed { object: matches!(call.location, Location::Object { .. }) };
    if call.bucket().is_none() {
        return Err(WireError::from(not_allowed).into());
    }
    let name = resource::bucket_name(call)?;
    let found = context.server.options.store.bucket(name.as_str()).await?;
    let bucket = found.ok_or(QueryError::NoSuchBucket)?;
    let rules = context.server.rules.of(&bucket);
    let rule = rules.cors.as_ref().and_then(|configuration| asked.rule(configuration));
    let Some(rule) = rule else {
        context.server.refused_origins.warn(name.as_str(), asked.origin());
        return Err(WireError::from(not_allowed).into());
    };
    let mut response = wire_response::empty(StatusCode::OK);
    asked.grant(rule, response.headers_mut());
    Ok(response)
}
