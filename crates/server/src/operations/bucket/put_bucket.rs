//! PutBucket (BKT-1 to BKT-6). Creating a bucket that one owns already answers 200.

use std::collections::BTreeMap;

use countersign_protocol::{Acl, BucketName, ErrorCode, WireError, xml::CreateBucketConfiguration};
use countersign_store::{BucketExists, CommitError, CreateBucket, PutSetting};
use http::{HeaderMap, StatusCode, header::LOCATION};

use crate::access::resource;
use crate::bucket_rules::mode::BucketMode;
use crate::bucket_rules::settings;
use crate::object::attribute_headers::{archive_class_refusal, is_archive_class};
use crate::operations::operation::{Handler, Operation};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::request_body::RequestBody;
use crate::request::unserved_header;
use crate::response::object_headers;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// Its declaration.
pub(crate) const OPERATION: Operation = Operation {
    name: "PutBucket",
    methods: &["PUT"],
    refused_headers: &[unserved_header::ON_BUCKET],
    handler: Handler::Account(|context, call, body| Box::pin(run(context, call, body))),
    ..Operation::ON_BUCKET
};

/// Creates the bucket.
async fn run(
    context: &RequestContext,
    call: &Call,
    body: &mut RequestBody,
) -> Result<WireResponse, OperationError> {
    let name = resource::bucket_name(call)?;
    check_resource_group(call)?;
    let acl = requested_acl(call)?;
    let mode = BucketMode::asked(&call.parts.headers)?;
    body.demand_digest(&call.parts.headers)?;
    let document = body.read_whole(context.server.options.limits.document_bytes_max).await?;
    let asked = CreateBucketConfiguration::parse(&document).map_err(WireError::from)?;
    refuse_unbuilt(&asked)?;
    let wanted = BucketChange { acl, mode, storage_class: asked.storage_class };
    let mode = create(context, &name, wanted).await?;
    let mut response = wire_response::empty(StatusCode::OK);
    locate(&name, response.headers_mut());
    mode.tell(response.headers_mut());
    Ok(response)
}

/// Refuses what one machine cannot give: copies in several zones, and objects that rest until they are restored. The
/// class IA is a label, since it is read like Standard.
fn refuse_unbuilt(asked: &CreateBucketConfiguration) -> Result<(), WireError> {
    if let Some(class) = asked.storage_class.as_deref().filter(|class| is_archive_class(class)) {
        return Err(archive_class_refusal(class).with_element("Element", "StorageClass"));
    }
    match asked.data_redundancy_type.as_deref() {
        None | Some(settings::REDUNDANCY) => Ok(()),
        Some(redundancy) => Err(WireError::new(ErrorCode::NotImplemented)
            .with_message(format!("This store does not implement the redundancy {redundancy}."))
            .with_element("Element", "DataRedundancyType")),
    }
}

/// There is one resource group: a bucket cannot be put into another.
fn check_resource_group(call: &Call) -> Result<(), WireError> {
    match call.header(settings::RESOURCE_GROUP_HEADER) {
        Some(group) if group != settings::RESOURCE_GROUP_ID => Err(WireError::new(ErrorCode::NotImplemented)
            .with_message(format!("This store has one resource group, {}.", settings::RESOURCE_GROUP_ID))
            .with_element("Header", settings::RESOURCE_GROUP_HEADER)),
        _ => Ok(()),
    }
}

/// Says where the bucket is.
pub(crate) fn locate(name: &BucketName, headers: &mut HeaderMap) {
    object_headers::put(headers, LOCATION, &format!("/{name}"));
}

/// What a bucket is to be; what is not said stays as it is, and in a new bucket becomes the default.
#[derive(Debug, Default)]
pub(crate) struct BucketChange {
    /// Its access control list.
    pub(crate) acl: Option<Acl>,
    /// What its forms may hold.
    pub(crate) mode: Option<BucketMode>,
    /// Its storage class, which an existing bucket does not change.
    pub(crate) storage_class: Option<String>,
}

/// The list that the request asks for, if it does.
pub(crate) fn requested_acl(call: &Call) -> Result<Option<Acl>, WireError> {
    call.header("x-oss-acl").map(Acl::parse).transpose().map_err(WireError::from)
}

/// Creates a bucket, or gives an existing one the list and the mode that are wanted; the mode that it has then.
pub(crate) async fn create(
    context: &RequestContext,
    name: &BucketName,
    wanted: BucketChange,
) -> Result<BucketMode, OperationError> {
    let store = &context.server.options.store;
    let acl = wanted.acl.map(|acl| (settings::ACL, acl.as_str()));
    let mode = wanted.mode.map(|mode| (settings::MODE, mode.as_str()));
    let class = wanted.storage_class.as_deref().map(|class| (settings::STORAGE_CLASS, class));
    let private = acl.or(Some((settings::ACL, Acl::Private.as_str())));
    let owned = |(name, word): (&str, &str)| (name.to_owned(), word.as_bytes().to_vec());
    let settings: BTreeMap<_, _> = [private, mode, class].into_iter().flatten().map(owned).collect();
    let creation = CreateBucket { name: name.as_str().to_owned(), settings };
    match store.commit(creation).await {
        Ok(_) => return Ok(wanted.mode.unwrap_or_default()),
        Err(CommitError::Refused(BucketExists)) => {}
        Err(error) => return Err(error.into()),
    }
    if let (Some(wanted), Some(bucket)) = (&wanted.storage_class, store.bucket(name.as_str()).await?)
        && settings::storage_class(&bucket) != wanted
    {
        return Err(WireError::new(ErrorCode::BucketAlreadyExists)
            .with_message("The bucket exists already, in another storage class.")
            .with_element("BucketName", name.as_str())
            .with_element("StorageClass", settings::storage_class(&bucket))
            .into());
    }
    for (setting, word) in [acl, mode].into_iter().flatten().map(owned) {
        let bucket = name.as_str().to_owned();
        store.commit(PutSetting { bucket, name: setting, value: Some(word) }).await?;
    }
    let bucket = store.bucket(name.as_str()).await?;
    Ok(bucket.as_deref().map(BucketMode::of).unwrap_or_default())
}
