//! Finds the resource of a request, a bucket or an object, and lets an operation have it only if the principal may do
//! to it what the operation does.
//!
//! The two types can be had only through the functions here, which ask [`access::permit`]: an operation that
//! takes a [`BucketResource`] or an [`ObjectResource`] cannot forget to.
//!
//! Clauses AUTH-13, AUTH-16 to AUTH-20.

use std::sync::Arc;

use countersign_protocol::{
    BucketName, ErrorCode, ObjectAcl, ObjectKey, WireError,
    authorization::{RequestView, VerifyOptions, scheme},
};
use countersign_store::{BucketRecord, ObjectRecord};

use crate::access::{self, Action, AuthenticationError, Principal};
use crate::bucket_rules::rules::BucketRules;
use crate::object::attributes::ObjectAttributes;
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::host;
use crate::request::location::Location;
use crate::response::wire_error::OperationError;

/// A bucket that exists and that the principal may use.
#[derive(Debug)]
pub(crate) struct BucketResource {
    /// The bucket as it was found.
    pub(crate) record: Arc<BucketRecord>,
    /// What its settings mean.
    pub(crate) rules: Arc<BucketRules>,
}

/// A key in a bucket that exists, and that the principal may use; whether it holds an object or not.
#[derive(Debug)]
pub(crate) struct ObjectResource {
    /// Who sent the request.
    pub(crate) principal: Principal,
    /// The bucket as it was found.
    pub(crate) bucket: Arc<BucketRecord>,
    /// What its settings mean.
    pub(crate) rules: Arc<BucketRules>,
    /// The key.
    pub(crate) key: ObjectKey,
    /// What it holds, as it was found.
    pub(crate) current: Option<(ObjectRecord, ObjectAttributes)>,
}

impl ObjectResource {
    /// The object, or the refusal of one that is not there.
    pub(crate) fn existing(&self) -> Result<&(ObjectRecord, ObjectAttributes), WireError> {
        self.current.as_ref().ok_or_else(|| no_such_key(&self.key))
    }
}

/// The refusal of a key that holds nothing.
pub(crate) fn no_such_key(key: &ObjectKey) -> WireError {
    WireError::new(ErrorCode::NoSuchKey).with_element("Key", key.as_str())
}

/// Authenticates a request by its header or its URL.
pub(crate) fn principal(context: &RequestContext, call: &Call) -> Result<Principal, OperationError> {
    let key = named_key(call)?;
    authenticated(context, call, key.as_ref()).map_err(|error| WireError::from(error).into())
}

/// Authenticates a request about a bucket that is to be there: where it is not, a principal whose key is unknown hears
/// that first, as OSS has it.
pub(crate) async fn principal_on_bucket(
    context: &RequestContext,
    call: &Call,
) -> Result<Principal, OperationError> {
    let key = named_key(call)?;
    match authenticated(context, call, key.as_ref()) {
        Ok(principal) => Ok(principal),
        Err(error) => {
            if error.is_unknown_key() && bucket_name(call).is_ok() {
                existing_bucket(context, call).await?;
            }
            Err(WireError::from(error).into())
        }
    }
}

/// The key that the request names, by the rules of keys.
fn named_key(call: &Call) -> Result<Option<ObjectKey>, WireError> {
    match &call.location {
        Location::Object { key, .. } => Ok(Some(ObjectKey::parse_bytes(key)?)),
        _ => Ok(None),
    }
}

fn authenticated(
    context: &RequestContext,
    call: &Call,
    key: Option<&ObjectKey>,
) -> Result<Principal, AuthenticationError> {
    let view = RequestView {
        method: call.parts.method.as_str(),
        bucket: call.bucket(),
        key: key.map(ObjectKey::as_str),
        raw_query: call.parts.uri.query(),
        headers: call.parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect(),
    };
    let region = signing_region(context, call);
    let options = VerifyOptions { now: context.now, region: Some(&region) };
    access::authenticate(&view, |id| context.server.secret(id), &options)
}

/// The key id that signed the request's headers; `None` for a signed URL, which is handed to users as forms are.
/// Whether the signature is good is [`principal`]'s to say.
pub(crate) fn header_key(call: &Call) -> Option<String> {
    let headers = call.parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let view = RequestView { headers: headers.collect(), ..RequestView::default() };
    scheme::detect(&view).ok()?.access_key_id().map(str::to_owned)
}

/// The region that signatures have to name: that of the host which was asked, so that one store can stand in for
/// several regions, else the store's own.
pub(crate) fn signing_region(context: &RequestContext, call: &Call) -> String {
    host::region(&call.host).unwrap_or_else(|| context.server.options.region.clone())
}

/// The name of the bucket, by the rules of names only.
pub(crate) fn bucket_name(call: &Call) -> Result<BucketName, WireError> {
    Ok(BucketName::parse(call.bucket().unwrap_or_default())?)
}

/// Finds the bucket and opens it to the principal.
pub(crate) async fn bucket(
    context: &RequestContext,
    call: &Call,
    principal: &Principal,
    action: Action,
) -> Result<BucketResource, OperationError> {
    let record = existing_bucket(context, call).await?;
    let rules = context.server.rules.of(&record);
    access::permit(principal, action, rules.acl, ObjectAcl::Default).map_err(WireError::from)?;
    Ok(BucketResource { record, rules })
}

/// Finds the bucket and what the key holds, and opens it to the principal.
pub(crate) async fn object(
    context: &RequestContext,
    call: &Call,
    principal: Principal,
    action: Action,
) -> Result<ObjectResource, OperationError> {
    let Location::Object { key, .. } = &call.location else {
        return Err(ErrorCode::InvalidObjectName.into());
    };
    let bucket = existing_bucket(context, call).await?;
    let key = ObjectKey::parse_bytes(key).map_err(WireError::from)?;
    let found = context.server.options.store.object(&bucket.name, key.as_str()).await?;
    let current = found.map(|record| {
        let attributes = ObjectAttributes::decode(&record.attributes);
        (record, attributes)
    });
    let own = current.as_ref().map_or(ObjectAcl::Default, |(_, attributes)| attributes.acl);
    let rules = context.server.rules.of(&bucket);
    access::permit(&principal, action, rules.acl, own).map_err(WireError::from)?;
    Ok(ObjectResource { principal, bucket, rules, key, current })
}

async fn existing_bucket(context: &RequestContext, call: &Call) -> Result<Arc<BucketRecord>, OperationError> {
    let name = bucket_name(call)?;
    let found = context.server.options.store.bucket(name.as_str()).await?;
    Ok(found.ok_or(countersign_store::QueryError::NoSuchBucket)?)
}
