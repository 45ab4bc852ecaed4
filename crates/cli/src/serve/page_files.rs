//! Serves the page and the uploader, which are built into the binary.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../../uploader/page"]
struct Page;

#[derive(RustEmbed)]
#[folder = "../../uploader/src"]
struct Uploader;

/// `GET /`
pub(crate) async fn index(headers: HeaderMap) -> Response {
    answer(Page::get("index.html"), "index.html", &headers)
}

/// `GET /page/…`
pub(crate) async fn page(Path(path): Path<String>, headers: HeaderMap) -> Response {
    answer(Page::get(&path), &path, &headers)
}

/// `GET /uploader/…`
pub(crate) async fn uploader(Path(path): Path<String>, headers: HeaderMap) -> Response {
    answer(Uploader::get(&path), &path, &headers)
}

fn answer(file: Option<EmbeddedFile>, path: &str, asked: &HeaderMap) -> Response {
    let Some(file) = file else { return StatusCode::NOT_FOUND.into_response() };
    let hash = file.metadata.sha256_hash();
    let tag: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        axum::body::Body::from(file.data).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    // Always asked again, so that a new binary shows its own page; the tag keeps that cheap.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // The page's address may hold the token.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(value) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, value);
    }
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_known_is_not_sent_again() {
        let first = answer(Page::get("index.html"), "index.html", &HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        let mut asked = HeaderMap::new();
        asked.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(answer(Page::get("index.html"), "index.html", &asked).status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn nothing_outside_of_the_two_folders_is_served() {
        for path in ["../package.json", "/etc/passwd", "", ".."] {
            assert_eq!(
                answer(Page::get(path), path, &HeaderMap::new()).status(),
                StatusCode::NOT_FOUND,
                "{path}"
            );
        }
    }

    #[test]
    fn everything_that_is_embedded_has_a_type() {
        for path in Page::iter().chain(Uploader::iter()) {
            assert_ne!(content_type(&path), "application/octet-stream", "{path}");
        }
    }
}
