//! From an operation to the file that carries it out: who asks, of what, may they, do it.
//!
//! Nothing is decided here but the order: the signature before the store is asked anything, the bucket before
//! the object, the lists before the operation.

use countersign_protocol::{Acl, ErrorCode, ObjectAcl, WireError};

use crate::{
    access::{self, Caller, Right},
    context::RequestContext,
    ops,
    request::Call,
    request_body::RequestBody,
    route::Operation,
    subject,
    wire_error::OperationError,
    wire_response::WireResponse,
};

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
        Operation::OptionObject => return Err(not_built("this operation").into()),
        Operation::PostObject => return ops::post_object::run(context, call, body).await,
        _ => {}
    }
    let caller = subject::caller(context, call)?;
    match operation {
        Operation::NotBuilt(name) => Err(not_built(name).into()),
        Operation::ListBuckets => {
            owner_only(&caller)?;
            Err(not_built("this operation").into())
        }
        Operation::PutBucket => {
            owner_only(&caller)?;
            ops::put_bucket::run(context, call, body).await
        }
        Operation::PutBucketAcl => {
            owner_only(&caller)?;
            Err(not_built("this operation").into())
        }
        Operation::PutObject
        | Operation::GetObject
        | Operation::HeadObject
        | Operation::GetObjectMeta
        | Operation::DeleteObject
        | Operation::GetObjectAcl
        | Operation::PutObjectAcl => on_object(operation, context, call, caller, body).await,
        _ => on_bucket(operation, context, call, caller, body).await,
    }
}

async fn on_bucket(
    operation: Operation,
    context: &RequestContext,
    call: &Call,
    caller: Caller,
    body: &mut RequestBody,
) -> Outcome {
    let bucket = subject::bucket(context, call, caller, access::right(operation)).await?;
    match operation {
        Operation::DeleteBucket => ops::delete_bucket::run(context, &bucket).await,
        Operation::GetBucketInfo => Err(not_built("this operation").into()),
        Operation::GetBucketLocation => Err(not_built("this operation").into()),
        Operation::GetBucketAcl => Err(not_built("this operation").into()),
        Operation::GetBucketCors => Err(not_built("this operation").into()),
        Operation::PutBucketCors => Err(not_built("this operation").into()),
        Operation::DeleteBucketCors => Err(not_built("this operation").into()),
        Operation::GetBucketLifecycle => Err(not_built("this operation").into()),
        Operation::PutBucketLifecycle => Err(not_built("this operation").into()),
        Operation::DeleteBucketLifecycle => Err(not_built("this operation").into()),
        Operation::ListObjects => Err(not_built("this operation").into()),
        Operation::ListObjectsV2 => Err(not_built("this operation").into()),
        Operation::ListObjectVersions => Err(not_built("this operation").into()),
        Operation::ListMultipartUploads => Err(not_built("this operation").into()),
        Operation::ListLiveChannel => Err(not_built("this operation").into()),
        Operation::DeleteMultipleObjects => Err(not_built("this operation").into()),
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
        Operation::PutObject => Err(not_built("this operation").into()),
        Operation::GetObject => ops::get_object::run(context, call, object).await,
        Operation::HeadObject => ops::head_object::run(call, &object),
        Operation::GetObjectMeta => ops::object_meta::run(call, &object),
        Operation::DeleteObject => ops::delete_object::run(context, call, &object).await,
        Operation::GetObjectAcl => Err(not_built("this operation").into()),
        Operation::PutObjectAcl => Err(not_built("this operation").into()),
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
        .with_element("Header", name)
}
