//! Compresses text objects on request (`Accept-Encoding: gzip`; OBJ-16).
//!
//! Only whole objects of up to 1 MiB of the types that OSS compresses, stored without an encoding of their own. The
//! object is read whole first, so that nothing goes out before its CRC agreed; it is compressed off the async threads,
//! and so many answers at a time as there are permits, each held until the answer was sent. When there is none, the
//! object goes out as it is: compression is an offer, not a promise.

use std::io::{self, Write as _};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use countersign_store::ObjectRecord;
use flate2::{Compression, write::GzEncoder};
use futures_util::StreamExt as _;
use http::HeaderValue;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, HeaderMap, RANGE, VARY};

use crate::object::attributes::ObjectAttributes;
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::response::wire_error::OperationError;
use crate::response::wire_response::ResponseBody;

/// What is shorter is not worth it; OSS's own bound.
const BYTES_MIN: u64 = 1024;
/// What is longer would have to be held whole.
const BYTES_MAX: u64 = 1 << 20;
/// The types that OSS compresses.
const TYPES: [&str; 9] = [
    "text/cache-manifest",
    "text/xml",
    "text/plain",
    "text/css",
    "application/javascript",
    "application/x-javascript",
    "application/rss+xml",
    "application/json",
    "text/json",
];

/// Whether an object could be sent compressed to somebody, so that caches must tell the two forms apart.
pub(crate) fn is_offered(attributes: &ObjectAttributes, len: u64) -> bool {
    let essence = attributes.content_type.split(';').next().unwrap_or_default().trim();
    attributes.content_encoding.is_none()
        && (BYTES_MIN..=BYTES_MAX).contains(&len)
        && TYPES.iter().any(|known| essence.eq_ignore_ascii_case(known))
}

/// Says that the answer depends on what the client accepts.
pub(crate) fn vary(headers: &mut HeaderMap) {
    headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
}

/// Whether the request asks for the compressed form of a whole object.
pub(crate) fn is_asked(call: &Call) -> bool {
    let headers = &call.parts.headers;
    let encoded_otherwise = call.query.get("response-content-encoding").is_some_and(|word| !word.is_empty());
    !headers.contains_key(RANGE)
        && !encoded_otherwise
        && headers.get_all(ACCEPT_ENCODING).iter().any(|value| value.to_str().is_ok_and(accepts_gzip))
}

/// Whether `gzip` stands in a list of encodings with a weight above nought (RFC 9110, 12.5.3).
fn accepts_gzip(list: &str) -> bool {
    list.split(',').any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        named && weight.is_none_or(|weight| weight.trim().parse::<f32>().is_ok_and(|weight| weight > 0.0))
    })
}

/// The compressed form of an object that [`is_offered`]; `None` when all permits are in use.
///
/// # Errors
/// What reading the object meets, damage among it.
pub(crate) async fn body(
    context: &RequestContext,
    object: &ObjectRecord,
) -> Result<Option<ResponseBody>, OperationError> {
    let Ok(permit) = Arc::clone(&context.server.gzip_answers).try_acquire_owned() else { return Ok(None) };
    let mut reader = context.server.options.store.read(object, 0..object.len).await?;
    let mut whole = BytesMut::with_capacity(usize::try_from(object.len.min(BYTES_MAX)).unwrap_or_default());
    while let Some(chunk) = reader.next().await {
        whole.extend_from_slice(&chunk?);
    }
    let bytes = tokio::task::spawn_blocking(move || gzip(&whole)).await?;
    Ok(bytes.ok().map(|bytes| ResponseBody::Unmeasured { bytes: Some(bytes), _permit: permit }))
}

/// What the headers of the compressed form say. OSS leaves out `ETag` and `Content-Length`, which belong to other bytes.
pub(crate) fn describe(headers: &mut HeaderMap) {
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.remove(ETAG);
    headers.remove("content-md5");
}

fn gzip(bytes: &[u8]) -> io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_accepted_by_name_unless_it_weighs_nothing() {
        for list in ["gzip", "deflate, gzip;q=0.5", "GZIP", "br , gzip ; q=1"] {
            assert!(accepts_gzip(list), "{list}");
        }
        for list in ["", "identity", "gzip;q=0", "gzip; q=0.0", "x-gzip", "*", "gzip;q=nonsense", "deflate"] {
            assert!(!accepts_gzip(list), "{list}");
        }
    }
}
