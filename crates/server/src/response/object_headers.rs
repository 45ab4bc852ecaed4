//! Writes the headers that describe an object in an answer (OBJ-12 to OBJ-17).
//!
//! The other direction, which headers of a request are kept, is [`crate::object::attribute_headers`].

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_protocol::{ErrorCode, WireError, etag::quoted, http_date};
use countersign_store::ObjectRecord;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{
        ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
        CONTENT_TYPE, ETAG, EXPIRES, LAST_MODIFIED, X_CONTENT_TYPE_OPTIONS,
    },
};

use crate::object::attributes::ObjectAttributes;
use crate::object::etag::etag_of;
use crate::object::precondition::{self, PreconditionOutcome};
use crate::response::wire_response::{self, WireResponse};

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
const HASH_CRC64: HeaderName = HeaderName::from_static("x-oss-hash-crc64ecma");
const OBJECT_TYPE: HeaderName = HeaderName::from_static("x-oss-object-type");
const STORAGE_CLASS: HeaderName = HeaderName::from_static("x-oss-storage-class");

/// All headers of an object but those about length and range.
pub(crate) fn describe(object: &ObjectRecord, attributes: &ObjectAttributes, headers: &mut HeaderMap) {
    // All that an answer usually has, so that the map grows once.
    headers.reserve(16);
    put(headers, CONTENT_TYPE, &attributes.content_type);
    put(headers, LAST_MODIFIED, &http_date::format(object.modified));
    for (name, value) in [
        (CACHE_CONTROL, &attributes.cache_control),
        (CONTENT_DISPOSITION, &attributes.content_disposition),
        (CONTENT_ENCODING, &attributes.content_encoding),
        (EXPIRES, &attributes.expires),
    ] {
        if let Some(value) = value {
            put(headers, name, value);
        }
    }
    for (name, value) in &attributes.metadata {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            put(headers, name, value);
        }
    }
    headers.insert(OBJECT_TYPE, HeaderValue::from_static("Normal"));
    put(headers, STORAGE_CLASS, attributes.storage_class());
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    describe_content(object, headers);
    serve_safely(headers);
}

/// The digests of an object: `ETag`, `Content-MD5`, `x-oss-hash-crc64ecma`.
pub(crate) fn describe_content(object: &ObjectRecord, headers: &mut HeaderMap) {
    put(headers, ETAG, &quoted(&etag_of(object.md5, object.crc64, object.len)));
    if let Some(md5) = object.md5 {
        put(headers, CONTENT_MD5, &STANDARD.encode(md5));
    }
    put(headers, HASH_CRC64, &object.crc64.to_string());
}

/// Sets a header to a text. What cannot be a header's value was never stored; should it be here all the same,
/// it is left out rather than split into two headers.
pub(crate) fn put(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
        headers.insert(name, value);
    }
}

/// Keeps what users upload from acting in the name of the bucket's host: types are not guessed, and a document
/// that can carry scripts runs none and has no origin (OBJ-15).
pub(crate) fn serve_safely(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Letters beyond ASCII, as in a charset's name, hide no type from a browser.
    let content_type = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    if content_type.is_some_and(|content_type| may_carry_scripts(&content_type)) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    }
}

/// Whether a browser could take any word of the value for a type that runs scripts. All words are looked at:
/// browsers take the last type of a list, and end a type at a blank or a parenthesis, so that
/// `image/png,text/html` passes a policy for images and is shown as a page.
fn may_carry_scripts(content_type: &str) -> bool {
    content_type.split([',', ';', '(', ' ', '\t', '"']).any(|word| {
        let word = word.to_ascii_lowercase();
        word == "text/html"
            || word.starts_with("multipart/")
            || ["/xml", "+xml", "/xsl"].iter().any(|end| word.ends_with(end))
    })
}

/// The answer that the request's conditions give at once: 304, or the refusal 412. `None`: go on.
pub(crate) fn answer_conditions(
    request: &HeaderMap,
    object: &ObjectRecord,
    attributes: &ObjectAttributes,
) -> Result<Option<WireResponse>, WireError> {
    if !precondition::is_asked(request) {
        return Ok(None);
    }
    match precondition::evaluate(request, &etag_of(object.md5, object.crc64, object.len), object.modified) {
        PreconditionOutcome::Proceed => Ok(None),
        PreconditionOutcome::Failed(condition) => {
            Err(WireError::new(ErrorCode::PreconditionFailed).with_element("Condition", condition))
        }
        PreconditionOutcome::NotModified => {
            let mut response = wire_response::empty(StatusCode::NOT_MODIFIED);
            describe(object, attributes, response.headers_mut());
            Ok(Some(response))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_could_run_scripts_is_sandboxed_and_nothing_is_sniffed() {
        let policy = |content_type: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_bytes(content_type.as_bytes()).unwrap());
            serve_safely(&mut headers);
            assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
            headers.contains_key(CONTENT_SECURITY_POLICY)
        };
        for active in
            ["text/html", "Text/HTML; charset=utf-8", "image/svg+xml", "application/xhtml+xml", "text/xml"]
        {
            assert!(policy(active), "{active}");
        }
        for shown_as_a_page in [
            "image/png,text/html",
            "image/png, text/html;charset=utf-8",
            "text/html(a comment)",
            "text/html image/png",
            "multipart/x-mixed-replace; boundary=a",
            "text/xsl",
            "text/html; charset=照",
        ] {
            assert!(policy(shown_as_a_page), "{shown_as_a_page}");
        }
        for passive in ["image/png", "text/plain", "application/octet-stream", ""] {
            assert!(!policy(passive), "{passive}");
        }
    }
}
