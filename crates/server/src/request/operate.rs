//! From an operation to the file that carries it out: who asks, of what, may they, do it.
//!
//! Nothing is decided here but the order: the signature before the store is asked anything, the bucket before
//! the object, the lists before the operation.

use http::HeaderName;

use countersign_protocol::{Acl, ErrorCode, ObjectAcl, WireError};

use crate::access::subject;
use crate::access::{self, Caller, Right};
use crate::ops::{self, bucket, listing};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::request_body::RequestBody;
use crate::request::route::Operation;
use crate::request::unserved_header;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::WireResponse;

type Outcome = Result<WireResponse, OperationError>;

/// Carries an operation out.
pub(crate) async fn run(
    operation: Operation,
    context: &RequestContext,
    call: &Call,
    body: &mut RequestBody,
) -> Outcome {
    match operation {
        // A browser's preflight has no signature, and a form brings its own.
        Operation::OptionObject => return ops::option_object::run(context, call).await,
        Operation::PostObject => return ops::post_object::run(context, call, body).await,
        _ => {}
    }
    let caller = caller(operation, context, call).await?;
    unserved_header::check(operation, call.parts.headers.keys().map(HeaderName::as_str))?;
    match operation {
        Operation::NotBuilt(name) => Err(not_built(name).into()),
        Operation::ListBuckets => {
            owner_only(&caller)?;
            listing::list_buckets::run(context, call).await
        }
        Operation::PutBucket => {
            owner_only(&caller)?;
            bucket::put_bucket::run(context, call, body).await
        }
        Operation::PutBucketAcl => {
            owner_only(&caller)?;
            bucket::acl::put(context, call).await
        }
        Operation::PutObject
        | Operation::GetObject
        | Operation::HeadObject
        | Operation::GetObjectMeta
        | Operation::DeleteObject
        | Operation::GetObjectAcl => on_object(operation, context, call, caller, body).await,
        _ => on_bucket(operation, context, call, caller, body).await,
    }
}

/// Finds out who asks. Where the bucket is to be there already, that it is missing is said before that the key is
/// unknown.
async fn caller(
    operation: Operation,
    context: &RequestContext,
    call: &Call,
) -> Result<Caller, OperationError> {
    let makes_the_bucket = matches!(operation, Operation::PutBucket | Operation::PutBucketAcl);
    if makes_the_bucket {
        subject::caller(context, call)
    } else {
        subject::caller_of_bucket(context, call).await
    }
}

async fn on_bucket(
    operation: Operation,
    context: &RequestContext,
    call: &Call,
    caller: Caller,
    body: &mut RequestBody,
) -> Outcome {
    let found = subject::bucket(context, call, &caller, access::right(operation)).await?;
    let _listing = match operation {
        Operation::ListObjects | Operation::ListObjectsV2 | Operation::ListObjectVersions => {
            context.server.listings.acquire().await.ok()
        }
        _ => None,
    };
    match operation {
        Operation::DeleteBucket => bucket::delete_bucket::run(context, &found).await,
        Operation::HeadBucket => bucket::head_bucket::run(context, &found),
        Operation::GetBucketInfo => bucket::info::run(context, call, &found),
        Operation::GetBucketLocation => bucket::location::run(context),
        Operation::GetBucketAcl => bucket::acl::get(&found),
        Operation::GetBucketCors => bucket::cors::get(&found),
        Operation::PutBucketCors => bucket::cors::put(context, call, &found, body).await,
        Operation::DeleteBucketCors => bucket::cors::delete(context, &found).await,
        Operation::GetBucketLifecycle => bucket::lifecycle::get(&found),
        Operation::PutBucketLifecycle => bucket::lifecycle::put(context, call, &found, body).await,
        Operation::DeleteBucketLifecycle => bucket::lifecycle::delete(context, &found).await,
        Operation::ListObjects => listing::list_objects::version_1(context, call, &found).await,
        Operation::ListObjectsV2 => listing::list_objects::version_2(context, call, &found).await,
        Operation::ListObjectVersions => listing::list_object_versions::run(context, call, &found).await,
        Operation::ListMultipartUploads => listing::pending::multipart_uploads(call, &found),
        Operation::ListLiveChannel => listing::pending::live_channels(call),
        Operation::DeleteMultipleObjects => {
            ops::delete_multiple_objects::run(context, call, &found, body).await
        }
        _ => Err(not_built("this operation").into()),
    }
}

async fn on_object(
    operation: Operation,
    context: &RequestContext,
    call: &Call,
    caller: Caller,
    body: &mut RequestBody,
) -> Outcome {
    let object = subject::object(context, call, caller, access::right(operation)).await?;
    match operation {
        Operation::PutObject => ops::put_object::run(context, call, object, body).await,
        Operation::GetObject => ops::get_object::run(context, call, object).await,
        Operation::HeadObject => ops::head_object::run(call, &object),
        Operation::GetObjectMeta => ops::object_meta::run(call, &object),
        Operation::DeleteObject => ops::delete_object::run(context, call, &object).await,
        Operation::GetObjectAcl => ops::object_acl::get(call, &object),
        _ => Err(not_built("this operation").into()),
    }
}

fn owner_only(caller: &Caller) -> Result<(), WireError> {
    Ok(access::permit(caller, Right::Own, Acl::Private, ObjectAcl::Default)?)
}

/// The refusal of an operation that the API has and this store does not.
pub(crate) fn not_built(name: &str) -> WireError {
    WireError::new(ErrorCode::NotImplemented)
        .with_message(format!("This store does not implement {name}."))
        .with_element("Operation", name)
}
