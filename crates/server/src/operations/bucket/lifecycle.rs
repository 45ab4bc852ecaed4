//! PutBucketLifecycle, GetBucketLifecycle and DeleteBucketLifecycle (BKT-13 to BKT-17). The rules are carried
//! out in [`crate::bucket_rules::lifecycle`].

use std::future::ready;

use countersign_protocol::{ErrorCode, WireError, xml::LifecycleConfiguration};
use countersign_store::PutSetting;
use http::StatusCode;

use crate::access::Action;
use crate::access::resource::BucketResource;
use crate::bucket_rules::settings;
use crate::operations::operation::{Handler, Operation, SubResource};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::request_body::RequestBody;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// The declaration of GetBucketLifecycle.
pub(crate) const GET: Operation = Operation {
    name: "GetBucketLifecycle",
    methods: &["GET"],
    sub_resource: Some(SubResource::word("lifecycle")),
    handler: Handler::Bucket(Action::Administer, |_, _, bucket, _| Box::pin(ready(get(&bucket)))),
    ..Operation::ON_BUCKET
};

/// The declaration of PutBucketLifecycle.
pub(crate) const PUT: Operation = Operation {
    name: "PutBucketLifecycle",
    methods: &["PUT"],
    sub_resource: Some(SubResource::word("lifecycle")),
    handler: Handler::Bucket(Action::Administer, |context, call, bucket, body| {
        Box::pin(put(context, call, bucket, body))
    }),
    ..Operation::ON_BUCKET
};

/// The declaration of DeleteBucketLifecycle.
pub(crate) const DELETE: Operation = Operation {
    name: "DeleteBucketLifecycle",
    methods: &["DELETE"],
    sub_resource: Some(SubResource::word("lifecycle")),
    handler: Handler::Bucket(Action::Administer, |context, _, bucket, _| Box::pin(delete(context, bucket))),
    ..Operation::ON_BUCKET
};

/// Shows the rules.
fn get(bucket: &BucketResource) -> Result<WireResponse, OperationError> {
    let configuration = bucket.rules.lifecycle.as_ref().ok_or_else(|| {
        WireError::new(ErrorCode::NoSuchLifecycle).with_element("BucketName", &bucket.record.name)
    })?;
    Ok(wire_response::xml(StatusCode::OK, configuration.to_xml()))
}

/// Replaces the rules. One without an id gets one.
async fn put(
    context: &RequestContext,
    call: &Call,
    bucket: BucketResource,
    body: &mut RequestBody,
) -> Result<WireResponse, OperationError> {
    body.demand_digest(&call.parts.headers)?;
    let document = body.read_whole(context.server.options.limits.document_bytes_max).await?;
    let mut configuration = LifecycleConfiguration::parse(&document).map_err(WireError::from)?;
    if !allows_overlaps(call)? {
        configuration.refuse_overlaps().map_err(WireError::from)?;
    }
    configuration.name_rules(|| context.server.request_ids.fresh(context.now).to_string());
    write(context, &bucket, Some(configuration.to_xml())).await?;
    Ok(wire_response::empty(StatusCode::OK))
}

/// Whether the same may be done under a prefix and under a longer one.
fn allows_overlaps(call: &Call) -> Result<bool, WireError> {
    const HEADER: &str = "x-oss-allow-same-action-overlap";
    match call.header(HEADER) {
        None => Ok(false),
        Some(word) if word.eq_ignore_ascii_case("true") => Ok(true),
        Some(word) if word.eq_ignore_ascii_case("false") => Ok(false),
        Some(word) => Err(WireError::new(ErrorCode::InvalidArgument)
            .with_element("ArgumentName", HEADER)
            .with_element("ArgumentValue", word)),
    }
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
        name: settings::LIFECYCLE.to_owned(),
        value: document.map(String::into_bytes),
    };
    context.server.options.store.commit(mutation).await?;
    Ok(())
}
