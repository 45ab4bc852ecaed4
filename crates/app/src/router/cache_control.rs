//! Forbids caches to keep an answer.

use axum::response::Response;
use http::{HeaderValue, header};

/// Signatures and lists are of the moment and of the one who asked.
pub(super) fn uncached(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
