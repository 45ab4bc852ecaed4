//! PutBucketAcl and GetBucketAcl (protocol 04 §1).

use countersign_protocol::{ErrorCode, WireError, xml::AccessControlPolicy};
use http::StatusCode;

use crate::access;
use crate::access::subject::{self, BucketSubject};
use crate::bucket_rules::settings;
use crate::ops::bucket::put_bucket::{self, Wanted};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// Shows the list.
pub(crate) fn get(bucket: &BucketSubject) -> Result<WireResponse, OperationError> {
    let grant = settings::acl(&bucket.record).as_str();
    let policy = AccessControlPolicy { owner: access::owner(), grant };
    Ok(wire_response::xml(StatusCode::OK, policy.to_xml()))
}

/// Sets the list. A bucket that is not there is created, as the reference says.
pub(crate) async fn put(context: &RequestContext, call: &Call) -> Result<WireResponse, OperationError> {
    let name = subject::bucket_name(call)?;
    let acl = put_bucket::requested_acl(call)?.ok_or_else(|| {
        WireError::new(ErrorCode::InvalidArgument)
            .with_message("no such bucket access control exists")
            .with_element("ArgumentName", "x-oss-acl")
            .with_element("ArgumentValue", "")
    })?;
    put_bucket::create(context, &name, Wanted { acl: Some(acl), ..Wanted::default() }).await?;
    let mut response = wire_response::empty(StatusCode::OK);
    put_bucket::locate(&name, response.headers_mut());
    Ok(response)
}
