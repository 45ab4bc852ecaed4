//! ListBuckets (protocol 04 §1).

use countersign_protocol::xml::{BucketEntry, BucketPage, ListBuckets};
use http::StatusCode;

use super::{NAMES_DEFAULT, page_size, text};
use crate::{
    access, bucket_settings,
    context::RequestContext,
    endpoint,
    request::Call,
    wire_error::OperationError,
    wire_response::{self, WireResponse},
};

/// Lists the buckets, a page at a time.
pub(crate) async fn run(context: &RequestContext, call: &Call) -> Result<WireResponse, OperationError> {
    let query = &call.query;
    let max_keys = page_size(query, "max-keys", NAMES_DEFAULT)?;
    let (prefix, marker) = (text(query, "prefix"), text(query, "marker"));
    let size = usize::try_from(max_keys).unwrap_or(usize::MAX);
    // One more than the page holds tells whether there is another page.
    let mut found = context.server.options.store.buckets(&prefix, &marker, size.saturating_add(1)).await?;
    let more = found.len() > size;
    found.truncate(size);
    let next_marker = found.last().filter(|_| more).map(|bucket| bucket.name.clone());
    let asked_for_a_page = ["prefix", "marker", "max-keys"].iter().any(|name| query.has(name));
    let endpoint = endpoint::advertised(context, call);
    let buckets = found.iter().map(|bucket| BucketEntry {
        name: bucket.name.clone(),
        creation_date: bucket.created,
        extranet_endpoint: endpoint.clone(),
        intranet_endpoint: endpoint.clone(),
        region: context.server.options.region.clone(),
        storage_class: bucket_settings::storage_class(bucket).to_owned(),
    });
    let document = ListBuckets {
        owner: access::owner(),
        buckets: buckets.collect(),
        page: (more || asked_for_a_page).then_some(BucketPage { prefix, marker, max_keys, next_marker }),
    };
    Ok(wire_response::xml(StatusCode::OK, document.to_xml()))
}
