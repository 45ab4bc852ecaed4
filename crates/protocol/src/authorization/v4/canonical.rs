//! Builds the canonical request of signature V4: one text for all spellings of a request that mean the same.
//!
//! Clauses V4-12 to V4-18.

use crate::authorization::RequestView;
use crate::url_encoding::{encode, encode_path, query_pairs};

/// The only payload digest that is offered: the body is not signed.
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// The canonical request. `additional_headers` are lower-case and sorted; one that the request lacks stays
/// in the list of line 5 but adds no header line, as the SDKs have it.
///
/// Source: V4-12 to V4-22.
///
/// ```
/// use countersign_protocol::authorization::{RequestView, v4::canonical_request};
///
/// let view = RequestView {
///     method: "PUT",
///     bucket: Some("bucket"),
///     key: Some("a+b/1.txt"),
///     raw_query: Some("param2&%2Bparam1=value3"),
///     headers: vec![("Host", b"not signed"), ("content-type", b"text/plain")],
/// };
/// let expected = "PUT\n/bucket/a%2Bb/1.txt\n%2Bparam1=value3&param2\ncontent-type:text/plain\n\n\nUNSIGNED-PAYLOAD";
/// assert_eq!(canonical_request(&view, &[]), expected.as_bytes());
/// ```
pub fn canonical_request(view: &RequestView<'_>, additional_headers: &[String]) -> Vec<u8> {
    let signed = |name: &str| {
        name.starts_with("x-oss-")
            || matches!(name, "content-type" | "content-md5")
            || additional_headers.iter().any(|listed| listed == name)
    };
    let mut text = format!("{}\n{}\n{}\n", view.method, path(view), query(view)).into_bytes();
    for (name, value) in view.canonical_headers(signed) {
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        text.extend_from_slice(&value);
        text.push(b'\n');
    }
    text.push(b'\n');
    text.extend_from_slice(additional_headers.join(";").as_bytes());
    text.push(b'\n');
    let payload = view.header("x-oss-content-sha256").unwrap_or(UNSIGNED_PAYLOAD.as_bytes());
    text.extend_from_slice(payload);
    text
}

/// The bucket is part of the path even when it is in the host.
fn path(view: &RequestView<'_>) -> String {
    match view.bucket {
        Some(bucket) => format!("/{}/{}", encode_path(bucket), encode_path(view.key.unwrap_or_default())),
        None => "/".to_owned(),
    }
}

/// Decoded and encoded again, so that `%2f`, `%2F` and a bare slash are one; sorted by encoded name.
fn query(view: &RequestView<'_>) -> String {
    let mut pairs: Vec<(String, String)> = query_pairs(view.raw_query.unwrap_or_default())
        .into_iter()
        .filter(|(name, _)| name != b"x-oss-signature")
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort();
    let items = pairs.into_iter().map(|(name, value)| match value.is_empty() {
        true => name,
        false => format!("{name}={value}"),
    });
    items.collect::<Vec<_>>().join("&")
}
