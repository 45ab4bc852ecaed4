//! Handles `GET /open?key=`: redirects to the object under an address that is signed for ten minutes. What a browser
//! would run is downloaded instead of opened, and either has the name that the file had with its uploader, as the
//! ledger knows it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use countersign_app::answer::Answer;
use countersign_app::ledger::UploadQuery;
use countersign_protocol::authorization::{RequestView, v1};
use countersign_protocol::content_disposition::Disposition;
use countersign_protocol::url_encoding;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;

use super::arrival::arrived_at;
use super::demo_bucket::BUCKET;
use super::serving::Serving;

/// How long the address lives.
const LIFETIME: Duration = Duration::from_secs(600);

#[derive(Debug, Deserialize)]
pub(super) struct OpenQuery {
    key: String,
}

pub(super) async fn open(
    State(serving): State<Arc<Serving>>,
    query: Result<Query<OpenQuery>, QueryRejection>,
    parts: Parts,
) -> Response {
    let Ok(Query(query)) = query else {
        return refusal(StatusCode::BAD_REQUEST, "InvalidQuery", "the query must name one key");
    };
    match serving.server.content_type(BUCKET, &query.key).await {
        Ok(Some(content_type)) => {
            let base = serving.reachable.url_for(arrived_at(&parts));
            let name = original_name(&serving, &query.key).await;
            redirect(&signed(&serving, &base, &query.key, disposition(&content_type, &name).as_deref()))
        }
        Ok(None) => refusal(
            StatusCode::NOT_FOUND,
            "NoSuchKey",
            "there is no such file, or it was deleted after its day",
        ),
        Err(error) => {
            tracing::error!(%error, "an object could not be looked up");
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "the store could not be asked")
        }
    }
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    Answer::refusal(status, code, message).into_response()
}

/// The name of the file that was uploaded last under this key; empty when nobody said one.
async fn original_name(serving: &Serving, key: &str) -> String {
    let query = UploadQuery { key: Some(key.to_owned()), limit: 1, ..UploadQuery::default() };
    match serving.ledger.uploads(query).await {
        Ok(uploads) => uploads.into_iter().next().and_then(|upload| upload.name).unwrap_or_default(),
        Err(error) => {
            tracing::error!(%error, "the name of a file could not be looked up");
            String::new()
        }
    }
}

/// What the store is to say about the download; nothing where it may open under the key's name.
fn disposition(content_type: &str, name: &str) -> Option<String> {
    match (opens_safely(content_type), name) {
        (true, "") => None,
        (true, name) => Some(Disposition::Inline.with_name(name)),
        (false, name) => Some(Disposition::Attachment.with_name(name)),
    }
}

fn signed(serving: &Serving, base: &str, key: &str, disposition: Option<&str>) -> String {
    let expires = serving.clock.wall() + LIFETIME;
    let raw_query =
        disposition.map(|value| format!("response-content-disposition={}", url_encoding::encode(value)));
    let view = RequestView {
        method: "GET",
        bucket: Some(BUCKET),
        key: Some(key),
        raw_query: raw_query.as_deref(),
        headers: Vec::new(),
    };
    let query = v1::sign_url(&view, &serving.access_key.id, &serving.access_key.secret, expires);
    format!("{base}/{BUCKET}/{}?{query}", url_encoding::encode_path(key))
}

fn redirect(location: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(location) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers =
        [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::FOUND, headers).into_response()
}

/// Pictures, sound, film and plain text show themselves; anything else could run on the store's address.
fn opens_safely(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "image/svg+xml" => false,
        "text/plain" | "application/pdf" | "application/json" => true,
        other => ["image/", "audio/", "video/"].iter().any(|family| other.starts_with(family)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_would_run_is_downloaded() {
        for active in [
            "text/html",
            "TEXT/HTML; charset=utf-8",
            "image/svg+xml",
            "application/xhtml+xml",
            "text/xml",
            "",
            "image",
        ] {
            assert!(!opens_safely(active), "{active}");
        }
        for passive in ["image/jpeg", "video/mp4", "text/plain; charset=utf-8", "application/pdf"] {
            assert!(opens_safely(passive), "{passive}");
        }
    }
}
