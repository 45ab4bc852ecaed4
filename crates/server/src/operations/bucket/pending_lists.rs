//! ListMultipartUploads and ListLiveChannel (LIST-12). The store has neither multipart uploads
//! nor live channels, and says so: the clean-up of every SDK asks before it deletes a bucket.

use std::future::ready;

use countersign_protocol::xml::{NoLiveChannels, NoMultipartUploads};
use http::StatusCode;

use crate::access::Action;
use crate::access::resource::BucketResource;
use crate::operations::listing::{NAMES_DEFAULT, NAMES_MAX, PARAMETERS, name_encoding, page_size, text};
use crate::operations::operation::{Handler, Operation, SubResource};
use crate::request::Call;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// The declaration of ListMultipartUploads.
pub(crate) const MULTIPART_UPLOADS: Operation = Operation {
    name: "ListMultipartUploads",
    methods: &["GET"],
    sub_resource: Some(SubResource::word("uploads")),
    parameters: &[PARAMETERS],
    handler: Handler::Bucket(Action::Administer, |_, call, bucket, _| {
        Box::pin(ready(multipart_uploads(call, &bucket)))
    }),
    ..Operation::ON_BUCKET
};

/// The declaration of ListLiveChannel.
pub(crate) const LIVE_CHANNELS: Operation = Operation {
    name: "ListLiveChannel",
    methods: &["GET"],
    sub_resource: Some(SubResource::word("live")),
    parameters: &[PARAMETERS],
    handler: Handler::Bucket(Action::Administer, |_, call, _, _| Box::pin(ready(live_channels(call)))),
    ..Operation::ON_BUCKET
};

/// The unfinished multipart uploads: none.
fn multipart_uploads(call: &Call, bucket: &BucketResource) -> Result<WireResponse, OperationError> {
    let query = &call.query;
    let document = NoMultipartUploads {
        bucket: bucket.record.name.clone(),
        prefix: text(query, "prefix"),
        delimiter: text(query, "delimiter"),
        key_marker: text(query, "key-marker"),
        upload_id_marker: text(query, "upload-id-marker"),
        max_uploads: page_size(query, "max-uploads", NAMES_MAX)?,
        encoding: name_encoding(query)?,
    };
    Ok(wire_response::xml(StatusCode::OK, document.to_xml()))
}

/// The live channels: none.
fn live_channels(call: &Call) -> Result<WireResponse, OperationError> {
    let query = &call.query;
    let document = NoLiveChannels {
        prefix: text(query, "prefix"),
        marker: text(query, "marker"),
        max_keys: page_size(query, "max-keys", NAMES_DEFAULT)?,
    };
    Ok(wire_response::xml(StatusCode::OK, document.to_xml()))
}
