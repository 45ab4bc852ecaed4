//! ListObjectVersions (LIST-10, LIST-11) in a store without versioning: what every SDK's clean-up asks
//! for before it deletes a bucket. Every object is there once, as its version `null`.

use countersign_protocol::xml::ListObjectVersions;
use countersign_store::ListQuery;
use http::StatusCode;

use crate::access;
use crate::access::Action;
use crate::access::resource::BucketResource;
use crate::operations::listing::{NAMES_DEFAULT, PARAMETERS, name, name_encoding, page_size, shown, text};
use crate::operations::operation::{Handler, Operation, SubResource};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// Its declaration.
pub(crate) const OPERATION: Operation = Operation {
    name: "ListObjectVersions",
    methods: &["GET"],
    sub_resource: Some(SubResource::word("versions")),
    parameters: &[PARAMETERS],
    handler: Handler::Bucket(Action::Administer, |context, call, bucket, _| {
        Box::pin(run(context, call, bucket))
    }),
    ..Operation::ON_BUCKET
};

/// A page of versions, which begins after the only version of `key-marker`.
async fn run(
    context: &RequestContext,
    call: &Call,
    bucket: BucketResource,
) -> Result<WireResponse, OperationError> {
    let _permit = context.server.listings.acquire().await.expect("the permits of lists are never closed");
    let query = &call.query;
    let (max_keys, encoding) = (page_size(query, "max-keys", NAMES_DEFAULT)?, name_encoding(query)?);
    let (prefix, delimiter, key_marker) =
        (text(query, "prefix"), text(query, "delimiter"), text(query, "key-marker"));
    let asked = ListQuery {
        prefix: prefix.clone().into_bytes(),
        delimiter: delimiter.clone().into_bytes(),
        after: key_marker.clone().into_bytes(),
        limit: usize::try_from(max_keys).unwrap_or(usize::MAX),
    };
    let page = context.server.options.store.list(&bucket.record.name, asked).await?;
    let next_key_marker = page.next.as_deref().map(name);
    let (versions, common_prefixes) = shown(page);
    let document = ListObjectVersions {
        name: bucket.record.name.clone(),
        prefix,
        key_marker,
        version_id_marker: text(query, "version-id-marker"),
        max_keys,
        delimiter,
        encoding,
        next_key_marker,
        versions,
        owner: access::owner(),
        common_prefixes,
    };
    Ok(wire_response::xml(StatusCode::OK, document.to_xml()))
}
