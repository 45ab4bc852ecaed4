//! HEAD on a bucket: whether it exists and the principal may use it. The API's reference does not name it; the SDKs
//! of PHP and C ask it (`getBucketMeta`, `oss_head_bucket`) and read the region from its headers.
//!
//! Clauses BKT-12.

use std::future::ready;

use http::{HeaderName, StatusCode};

use crate::access::Action;
use crate::access::resource::BucketResource;
use crate::operations::operation::{Handler, Operation};
use crate::request::context::RequestContext;
use crate::response::object_headers;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// Its declaration.
pub(crate) const OPERATION: Operation = Operation {
    name: "HeadBucket",
    methods: &["HEAD"],
    handler: Handler::Bucket(Action::ListBucket, |context, _, bucket, _| {
        Box::pin(ready(run(context, &bucket)))
    }),
    ..Operation::ON_BUCKET
};

/// Says that the bucket is there, and its region.
fn run(context: &RequestContext, bucket: &BucketResource) -> Result<WireResponse, OperationError> {
    let mut response = wire_response::empty(StatusCode::OK);
    let region = format!("oss-{}", context.server.options.region);
    object_headers::put(response.headers_mut(), HeaderName::from_static("x-oss-bucket-region"), &region);
    bucket.rules.mode.tell(response.headers_mut());
    Ok(response)
}
