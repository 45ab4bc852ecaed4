//! ListMultipartUploads and ListLiveChannel (protocol 04 §6, 07 §2.14). The store has neither multipart uploads
//! nor live channels, and says so: the clean-up of every SDK asks before it deletes a bucket.

use countersign_protocol::xml::{NoLiveChannels, NoMultipartUploads};
use http::StatusCode;

use super::{NAMES_DEFAULT, NAMES_MAX, name_encoding, page_size, text};
use crate::access::subject::BucketSubject;
use crate::request::Call;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::{self, WireResponse};

/// The unfinished multipart uploads: none.
pub(crate) fn multipart_uploads(call: &Call, bucket: &BucketSubject) -> Result<WireResponse, OperationError> {
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
pub(crate) fn live_channels(call: &Call) -> Result<WireResponse, OperationError> {
    let query = &call.query;
    let document = NoLiveChannels {
        prefix: text(query, "prefix"),
        marker: text(query, "marker"),
        max_keys: page_size(query, "max-keys", NAMES_DEFAULT)?,
    };
    Ok(wire_response::xml(StatusCode::OK, document.to_xml()))
}
