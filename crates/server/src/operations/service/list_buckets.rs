//! ListBuckets (LIST-13 to LIST-15).

use countersign_protocol::xml::{BucketEntry, BucketPage, ListBuckets};
use countersign_protocol::{ErrorCode, WireError};
use http::StatusCode;

use crate::access;
use crate::bucket_rules::settings;
use crate::operations::listing::{NAMES_DEFAULT, PARAMETERS, page_size, text};
use crate::operations::operation::{Handler, Operation};
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::query::Query;
use crate::response::endpoint;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// Its declaration.
pub(crate) const OPERATION: Operation = Operation {
    name: "ListBuckets",
    methods: &["GET"],
    parameters: &[PARAMETERS],
    handler: Handler::Account(|context, call, _| Box::pin(run(context, call))),
    ..Operation::ON_SERVICE
};

/// Lists the buckets, a page at a time.
async fn run(context: &RequestContext, call: &Call) -> Result<WireResponse, OperationError> {
    let query = &call.query;
    let max_keys = page_size(query, "max-keys", NAMES_DEFAULT)?;
    let (prefix, marker) = (bucket_prefix(query)?, text(query, "marker"));
    let size = usize::try_from(max_keys).unwrap_or(usize::MAX);
    // One more than the page holds tells whether there is another page.
    let mut found = match call.header(settings::RESOURCE_GROUP_HEADER) {
        Some(group) if group != settings::RESOURCE_GROUP_ID => Vec::new(),
        _ => context.server.options.store.buckets(&prefix, &marker, size.saturating_add(1)).await?,
    };
    let more = found.len() > size;
    found.truncate(size);
    let next_marker = found.last().filter(|_| more).map(|bucket| bucket.name.clone());
    let asked_for_a_page = ["prefix", "marker", "max-keys"].iter().any(|name| query.has(name));
    let endpoint = endpoint::advertised(context, call);
    let buckets = found.iter().map(|bucket| BucketEntry {
        name: bucket.name.clone(),
        creation_date: bucket.created,
        extranet_endpoint: endpoint.clone(),
        intranet_endpoint: endpoint::internal(&endpoint),
        region: context.server.options.region.clone(),
        storage_class: settings::storage_class(bucket).to_owned(),
        resource_group_id: settings::RESOURCE_GROUP_ID.to_owned(),
    });
    let document = ListBuckets {
        owner: access::owner(),
        buckets: buckets.collect(),
        page: (more || asked_for_a_page).then_some(BucketPage { prefix, marker, max_keys, next_marker }),
    };
    Ok(wire_response::xml(StatusCode::OK, document.to_xml()))
}

/// The prefix. One that no bucket's name can have is refused, as OSS does.
fn bucket_prefix(query: &Query) -> Result<String, WireError> {
    let prefix = text(query, "prefix");
    let possible = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if prefix.bytes().all(possible) {
        return Ok(prefix);
    }
    Err(WireError::new(ErrorCode::InvalidArgument)
        .with_message("The prefix is not one of a bucket's name.")
        .with_element("ArgumentName", "prefix")
        .with_element("ArgumentValue", prefix))
}
