//! ListObjects, versions 1 and 2 (LIST-1 to LIST-9).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_protocol::{
    ErrorCode, WireError,
    xml::{ListObjects, ListObjectsV2},
};
use countersign_store::{ListPage, ListQuery};
use http::StatusCode;

use crate::access;
use crate::access::Action;
use crate::access::resource::BucketResource;
use crate::operations::listing::{NAMES_DEFAULT, PARAMETERS, name, name_encoding, page_size, shown, text};
use crate::operations::operation::{Handler, Mark, Operation};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::query::Query;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// The declaration of version 1.
pub(crate) const VERSION_1: Operation = Operation {
    name: "ListObjects",
    methods: &["GET"],
    parameters: &[PARAMETERS],
    handler: Handler::Bucket(Action::ListBucket, |context, call, bucket, _| {
        Box::pin(version_1(context, call, bucket))
    }),
    ..Operation::ON_BUCKET
};

/// The declaration of version 2.
pub(crate) const VERSION_2: Operation = Operation {
    name: "ListObjectsV2",
    methods: &["GET"],
    only_with: Some(Mark::Parameter("list-type", "2")),
    parameters: &[PARAMETERS, &["continuation-token"]],
    handler: Handler::Bucket(Action::ListBucket, |context, call, bucket, _| {
        Box::pin(version_2(context, call, bucket))
    }),
    ..Operation::ON_BUCKET
};

/// A page of version 1, which begins after `marker`.
async fn version_1(
    context: &RequestContext,
    call: &Call,
    bucket: BucketResource,
) -> Result<WireResponse, OperationError> {
    let _permit = context.server.listings.acquire().await.expect("the permits of lists are never closed");
    let query = &call.query;
    // Version 2 is another operation; a third there is not.
    if let Some(version) = query.get("list-type").filter(|version| !matches!(*version, "" | "1")) {
        return Err(WireError::new(ErrorCode::InvalidArgument)
            .with_element("ArgumentName", "list-type")
            .with_element("ArgumentValue", version)
            .into());
    }
    let (max_keys, encoding) = (page_size(query, "max-keys", NAMES_DEFAULT)?, name_encoding(query)?);
    let marker = text(query, "marker");
    let page = page(context, &bucket, query, marker.clone().into_bytes(), max_keys).await?;
    let next_marker = page.next.as_deref().map(name);
    let (mut contents, common_prefixes) = shown(page);
    for entry in &mut contents {
        entry.owner = Some(access::owner());
    }
    let document = ListObjects {
        name: bucket.record.name.clone(),
        prefix: text(query, "prefix"),
        marker,
        max_keys,
        delimiter: text(query, "delimiter"),
        encoding,
        next_marker,
        contents,
        common_prefixes,
    };
    Ok(wire_response::xml(StatusCode::OK, document.to_xml()))
}

/// A page of version 2, which begins after the token's name or after `start-after`.
async fn version_2(
    context: &RequestContext,
    call: &Call,
    bucket: BucketResource,
) -> Result<WireResponse, OperationError> {
    let _permit = context.server.listings.acquire().await.expect("the permits of lists are never closed");
    let query = &call.query;
    let (max_keys, encoding) = (page_size(query, "max-keys", NAMES_DEFAULT)?, name_encoding(query)?);
    let start_after = query.get("start-after").filter(|name| !name.is_empty());
    let token = query.get("continuation-token").filter(|token| !token.is_empty());
    let after = match token {
        Some(token) => read_token(token)?,
        None => start_after.unwrap_or_default().as_bytes().to_vec(),
    };
    let page = page(context, &bucket, query, after, max_keys).await?;
    let next_continuation_token = page.next.as_deref().map(|name| URL_SAFE_NO_PAD.encode(name));
    let (mut contents, common_prefixes) = shown(page);
    if query.get("fetch-owner").is_some_and(|word| word.eq_ignore_ascii_case("true")) {
        for entry in &mut contents {
            entry.owner = Some(access::owner());
        }
    }
    let document = ListObjectsV2 {
        name: bucket.record.name.clone(),
        prefix: text(query, "prefix"),
        start_after: start_after.map(str::to_owned),
        max_keys,
        delimiter: text(query, "delimiter"),
        encoding,
        continuation_token: token.map(str::to_owned),
        next_continuation_token,
        contents,
        common_prefixes,
    };
    Ok(wire_response::xml(StatusCode::OK, document.to_xml()))
}

async fn page(
    context: &RequestContext,
    bucket: &BucketResource,
    query: &Query,
    after: Vec<u8>,
    max_keys: u32,
) -> Result<ListPage, OperationError> {
    let asked = ListQuery {
        prefix: text(query, "prefix").into_bytes(),
        delimiter: text(query, "delimiter").into_bytes(),
        after,
        limit: usize::try_from(max_keys).unwrap_or(usize::MAX),
    };
    Ok(context.server.options.store.list(&bucket.record.name, asked).await?)
}

/// A token is the last name of the page before, written so that no encoding on its way alters it.
fn read_token(token: &str) -> Result<Vec<u8>, WireError> {
    URL_SAFE_NO_PAD.decode(token).map_err(|_| {
        WireError::new(ErrorCode::InvalidArgument)
            .with_message("The continuation token provided is incorrect.")
            .with_element("ArgumentName", "continuation-token")
            .with_element("ArgumentValue", token)
    })
}
