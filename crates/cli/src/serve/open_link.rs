//! `GET /open?key=`: leads to the object itself under an address that is signed for ten minutes. What a
//! browser would run is downloaded instead of opened.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use countersign_app::answer::Answer;
use countersign_protocol::authorization::{RequestView, v1};
use countersign_protocol::url_encoding;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;

use super::routes::Serving;
use super::{BUCKET, arrived_at};

/// How long the address lives.
const LIFETIME: Duration = Duration::from_secs(600);
/// The parameter that makes the store say "download this".
const AS_ATTACHMENT: &str = "response-content-disposition=attachment";

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
            redirect(&signed(&serving, &base, &query.key, opens_safely(&content_type)))
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

fn signed(serving: &Serving, base: &str, key: &str, opens_safely: bool) -> String {
    let expires = (serving.clock)() + LIFETIME;
    let raw_query = (!opens_safely).then_some(AS_ATTACHMENT);
    let view =
        RequestView { method: "GET", bucket: Some(BUCKET), key: Some(key), raw_query, headers: Vec::new() };
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
