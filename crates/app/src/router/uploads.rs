//! Handles `GET /uploads?key=`: lists what the ledger holds, newest first. Bodies of requests and answers come only
//! for one key; a list of all keys has none.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{app_options::AppOptions, cache_control::uncached, hooks::Purpose};
use crate::{answer::Answer, ledger::UploadQuery};

/// `key` for one key exactly, `limit` for other than 100 lines.
#[derive(Debug, Default, Deserialize)]
pub(super) struct UploadsQuery {
    key: Option<String>,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(options): State<Arc<AppOptions>>,
    query: Result<Query<UploadsQuery>, QueryRejection>,
    parts: Parts,
) -> Response {
    let Ok(Query(query)) = query else {
        let message = "the query cannot be read, or names something twice";
        return Answer::refusal(StatusCode::BAD_REQUEST, "InvalidQuery", message).into_response();
    };
    let grant = match options.granted(Purpose::Uploads, None, &parts).await {
        Ok(grant) => grant,
        Err(refused) => return uncached(refused.into_response()),
    };
    let folder = options.folder_of(grant.as_ref()).clone();
    let limit = query.limit.unwrap_or(UploadQuery::default().limit);
    let with_bodies = query.key.is_some();
    match options.ledger.uploads(UploadQuery { key: query.key, folder, limit }).await {
        Ok(uploads) => {
            let mut listed = json!({ "uploads": uploads });
            if !with_bodies {
                leave_bodies_out(&mut listed);
            }
            uncached(Json(listed).into_response())
        }
        Err(error) => {
            tracing::error!(%error, "the ledger cannot be listed");
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Answer::refusal(status, "LedgerUnavailable", "the ledger cannot be read").into_response()
        }
    }
}

fn leave_bodies_out(listed: &mut Value) {
    let uploads = listed.get_mut("uploads").and_then(Value::as_array_mut);
    for upload in uploads.into_iter().flatten() {
        for exchange in ["request", "answer"] {
            if let Some(members) = upload.get_mut(exchange).and_then(Value::as_object_mut) {
                members.remove("body");
            }
        }
    }
}
