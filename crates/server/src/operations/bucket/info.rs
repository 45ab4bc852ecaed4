//! GetBucketInfo (BKT-8).

use std::future::ready;

use countersign_protocol::xml::BucketInfo;
use http::StatusCode;

use crate::access;
use crate::access::Action;
use crate::access::resource::BucketResource;
use crate::bucket_rules::settings;
use crate::operations::operation::{Handler, Operation, SubResource};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::response::endpoint;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// Its declaration.
pub(crate) const OPERATION: Operation = Operation {
    name: "GetBucketInfo",
    methods: &["GET"],
    sub_resource: Some(SubResource::word("bucketInfo")),
    handler: Handler::Bucket(Action::Administer, |context, call, bucket, _| {
        Box::pin(ready(run(context, call, &bucket)))
    }),
    ..Operation::ON_BUCKET
};

/// Describes the bucket.
fn run(
    context: &RequestContext,
    call: &Call,
    bucket: &BucketResource,
) -> Result<WireResponse, OperationError> {
    let endpoint = endpoint::advertised(context, call);
    let info = BucketInfo {
        name: bucket.record.name.clone(),
        creation_date: bucket.record.created,
        intranet_endpoint: endpoint::internal(&endpoint),
        extranet_endpoint: endpoint,
        region: context.server.options.region.clone(),
        storage_class: settings::storage_class(&bucket.record).to_owned(),
        resource_group_id: settings::RESOURCE_GROUP_ID.to_owned(),
        data_redundancy_type: settings::REDUNDANCY.to_owned(),
        owner: access::owner(),
        acl: bucket.rules.acl,
    };
    let mut response = wire_response::xml(StatusCode::OK, info.to_xml());
    bucket.rules.mode.tell(response.headers_mut());
    Ok(response)
}
