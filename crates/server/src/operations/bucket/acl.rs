//! PutBucketAcl and GetBucketAcl (BKT-10, BKT-11).

use std::future::ready;

use countersign_protocol::{ErrorCode, WireError, xml::AccessControlPolicy};
use http::StatusCode;

use crate::access;
use crate::access::Action;
use crate::access::resource::{self, BucketResource};
use crate::operations::bucket::put_bucket::{self, BucketChange};
use crate::operations::operation::{Handler, Operation, SubResource};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::unserved_header;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// The declaration of GetBucketAcl.
pub(crate) const GET: Operation = Operation {
    name: "GetBucketAcl",
    methods: &["GET"],
    sub_resource: Some(SubResource::word("acl")),
    handler: Handler::Bucket(Action::Administer, |_, _, bucket, _| Box::pin(ready(get(&bucket)))),
    ..Operation::ON_BUCKET
};

/// The declaration of PutBucketAcl.
pub(crate) const PUT: Operation = Operation {
    name: "PutBucketAcl",
    methods: &["PUT"],
    sub_resource: Some(SubResource::word("acl")),
    refused_headers: &[unserved_header::ON_BUCKET],
    handler: Handler::Account(|context, call, _| Box::pin(put(context, call))),
    ..Operation::ON_BUCKET
};

/// Shows the list.
fn get(bucket: &BucketResource) -> Result<WireResponse, OperationError> {
    let grant = bucket.rules.acl.as_str();
    let policy = AccessControlPolicy { owner: access::owner(), grant };
    Ok(wire_response::xml(StatusCode::OK, policy.to_xml()))
}

/// Sets the list. A bucket that is not there is created, as the reference says.
async fn put(context: &RequestContext, call: &Call) -> Result<WireResponse, OperationError> {
    let name = resource::bucket_name(call)?;
    let acl = put_bucket::requested_acl(call)?.ok_or_else(|| {
        WireError::new(ErrorCode::InvalidArgument)
            .with_message("no such bucket access control exists")
            .with_element("ArgumentName", "x-oss-acl")
            .with_element("ArgumentValue", "")
    })?;
    put_bucket::create(context, &name, BucketChange { acl: Some(acl), ..BucketChange::default() }).await?;
    let mut response = wire_response::empty(StatusCode::OK);
    put_bucket::locate(&name, response.headers_mut());
    Ok(response)
}
