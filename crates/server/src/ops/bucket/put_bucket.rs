//! PutBucket (protocol 04 §1). Whoever creates a bucket a second time is its owner still, and gets 200.

use std::collections::BTreeMap;

use countersign_protocol::{Acl, BucketName, WireError, xml::CreateBucketConfiguration};
use countersign_store::{CommitError, Mutation, Refused};
use http::{StatusCode, header::LOCATION};

use crate::{
    bucket_settings,
    context::RequestContext,
    object_headers,
    request::Call,
    request_body::RequestBody,
    subject,
    wire_error::OperationError,
    wire_response::{self, WireResponse},
};

/// Creates the bucket.
pub(crate) async fn run(
    context: &RequestContext,
    call: &Call,
    body: &mut RequestBody,
) -> Result<WireResponse, OperationError> {
    let name = subject::bucket_name(call)?;
    let acl = requested_acl(call)?;
    body.demand_digest(&call.parts.headers)?;
    let document = body.read_whole(context.server.options.limits.document_bytes_max).await?;
    // What it may ask for, storage class and redundancy, one machine cannot give: the words are checked, and
    // the class is a label.
    let asked = CreateBucketConfiguration::parse(&document).map_err(WireError::from)?;
    create(context, &name, acl, asked.storage_class).await?;
    let mut response = wire_response::empty(StatusCode::OK);
    object_headers::put(response.headers_mut(), LOCATION, &format!("/{name}"));
    Ok(response)
}

/// The list that the request asks for, if it does.
pub(crate) fn requested_acl(call: &Call) -> Result<Option<Acl>, WireError> {
    call.header("x-oss-acl").map(Acl::parse).transpose().map_err(WireError::from)
}

/// Creates a bucket, or gives an existing one the list that was asked for.
pub(crate) async fn create(
    context: &RequestContext,
    name: &BucketName,
    acl: Option<Acl>,
    storage_class: Option<String>,
) -> Result<(), OperationError> {
    let store = &context.server.options.store;
    let word = acl.unwrap_or(Acl::Private).as_str().as_bytes().to_vec();
    let mut settings = BTreeMap::from([(bucket_settings::ACL.to_owned(), word.clone())]);
    settings
        .extend(storage_class.map(|class| (bucket_settings::STORAGE_CLASS.to_owned(), class.into_bytes())));
    let creation = Mutation::CreateBucket { name: name.as_str().to_owned(), settings };
    match store.commit(creation).await {
        Ok(_) => Ok(()),
        Err(CommitError::Refused(Refused::BucketExists)) if acl.is_none() => Ok(()),
        Err(CommitError::Refused(Refused::BucketExists)) => {
            let (bucket, name) = (name.as_str().to_owned(), bucket_settings::ACL.to_owned());
            store.commit(Mutation::PutSetting { bucket, name, value: Some(word) }).await?;
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
