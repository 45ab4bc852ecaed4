//! GetBucketInfo (protocol 04 §1).

use countersign_protocol::xml::BucketInfo;
use http::StatusCode;

use crate::{
    access,
    bucket_mode::BucketMode,
    bucket_settings,
    context::RequestContext,
    endpoint,
    request::Call,
    subject::BucketSubject,
    wire_error::OperationError,
    wire_response::{self, WireResponse},
};

/// Describes the bucket.
pub(crate) fn run(
    context: &RequestContext,
    call: &Call,
    bucket: &BucketSubject,
) -> Result<WireResponse, OperationError> {
    let endpoint = endpoint::advertised(context, call);
    let info = BucketInfo {
        name: bucket.record.name.clone(),
        creation_date: bucket.record.created,
        intranet_endpoint: endpoint::internal(&endpoint),
        extranet_endpoint: endpoint,
        region: context.server.options.region.clone(),
        storage_class: bucket_settings::storage_class(&bucket.record).to_owned(),
        resource_group_id: bucket_settings::RESOURCE_GROUP_ID.to_owned(),
        data_redundancy_type: bucket_settings::REDUNDANCY.to_owned(),
        owner: access::owner(),
        acl: bucket_settings::acl(&bucket.record),
    };
    let mut response = wire_response::xml(StatusCode::OK, info.to_xml());
    BucketMode::of(&bucket.record).tell(response.headers_mut());
    Ok(response)
}
