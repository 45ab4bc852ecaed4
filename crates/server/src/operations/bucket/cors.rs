//! PutBucketCors, GetBucketCors and DeleteBucketCors (CORS-1 to CORS-5), and the rules on their way into every
//! answer of the bucket.

use std::future::ready;

use countersign_protocol::{ErrorCode, WireError, xml::CorsConfiguration};
use countersign_store::PutSetting;
use http::{HeaderMap, StatusCode};

use crate::access::Action;
use crate::access::resource::BucketResource;
use crate::bucket_rules::cors::{self, CrossOrigin};
use crate::bucket_rules::settings;
use crate::operations::operation::{Handler, Operation, SubResource};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::request_body::RequestBody;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// The longest document of rules.
const DOCUMENT_BYTES_MAX: usize = 16 * 1024;

/// The declaration of GetBucketCors.
pub(crate) const GET: Operation = Operation {
    name: "GetBucketCors",
    methods: &["GET"],
    sub_resource: Some(SubResource::word("cors")),
    handler: Handler::Bucket(Action::Administer, |_, _, bucket, _| Box::pin(ready(get(&bucket)))),
    ..Operation::ON_BUCKET
};

/// The declaration of PutBucketCors.
pub(crate) const PUT: Operation = Operation {
    name: "PutBucketCors",
    methods: &["PUT"],
    sub_resource: Some(SubResource::word("cors")),
    handler: Handler::Bucket(Action::Administer, |context, call, bucket, body| {
        Box::pin(put(context, call, bucket, body))
    }),
    ..Operation::ON_BUCKET
};

/// The declaration of DeleteBucketCors.
pub(crate) const DELETE: Operation = Operation {
    name: "DeleteBucketCors",
    methods: &["DELETE"],
    sub_resource: Some(SubResource::word("cors")),
    handler: Handler::Bucket(Action::Administer, |context, _, bucket, _| Box::pin(delete(context, bucket))),
    ..Operation::ON_BUCKET
};

/// Shows the rules.
fn get(bucket: &BucketResource) -> Result<WireResponse, OperationError> {
    let configuration = bucket.rules.cors.as_ref().ok_or_else(|| {
        WireError::new(ErrorCode::NoSuchCORSConfiguration).with_element("BucketName", &bucket.record.name)
    })?;
    Ok(wire_response::xml(StatusCode::OK, configuration.to_xml()))
}

/// Replaces the rules.
async fn put(
    context: &RequestContext,
    call: &Call,
    bucket: BucketResource,
    body: &mut RequestBody,
) -> Result<WireResponse, OperationError> {
    body.demand_digest(&call.parts.headers)?;
    let document = body.read_whole(DOCUMENT_BYTES_MAX).await?;
    let configuration = CorsConfiguration::parse(&document).map_err(WireError::from)?;
    write(context, &bucket, Some(configuration.to_xml())).await?;
    Ok(wire_response::empty(StatusCode::OK))
}

/// Removes the rules; without any, that is done already.
async fn delete(context: &RequestContext, bucket: BucketResource) -> Result<WireResponse, OperationError> {
    write(context, &bucket, None).await?;
    Ok(wire_response::empty(StatusCode::NO_CONTENT))
}

async fn write(
    context: &RequestContext,
    bucket: &BucketResource,
    document: Option<String>,
) -> Result<(), OperationError> {
    let mutation = PutSetting {
        bucket: bucket.record.name.clone(),
        name: settings::CORS.to_owned(),
        value: document.map(String::into_bytes),
    };
    context.server.options.store.commit(mutation).await?;
    Ok(())
}

/// Puts the headers that the bucket's rules grant into any answer but a preflight's, success or refusal.
pub(crate) async fn decorate(context: &RequestContext, call: &Call, answer: &mut HeaderMap) {
    let Some(name) = call.bucket() else { return };
    // An answer without these headers is still an answer: a failing catalog shows elsewhere.
    let Ok(Some(bucket)) = context.server.options.store.bucket(name).await else { return };
    let rules = context.server.rules.of(&bucket);
    let Some(configuration) = &rules.cors else { return };
    cors::vary(configuration, answer);
    if call.parts.method == http::Method::OPTIONS {
        return;
    }
    let Some(asked) = CrossOrigin::of_request(&call.parts.method, &call.parts.headers) else { return };
    if let Some(rule) = asked.rule(configuration) {
        asked.grant(rule, answer);
    }
}
