//! Handles `GET /signature?path=user-dir/`: reads the query, asks who may upload, and signs.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::{
    app_options::AppOptions,
    cache_control::uncached,
    hooks::Purpose,
    testing::{TestingChoices, loopback_url},
};
use crate::{
    answer::Answer,
    signer::{SignError, signer_choice::SignerChoice},
    signer_options::{SignatureVersion, SignerOptions},
    upload_path::{UploadPath, UploadPathError},
};

/// What may stand in the query; anything else is ignored, and nothing may stand there twice.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SignatureQuery {
    path: Option<String>,
    version: Option<String>,
    callback: Option<String>,
    fields: Option<String>,
    bucket: Option<String>,
    callback_url: Option<String>,
}

pub(super) async fn sign(
    State(options): State<Arc<AppOptions>>,
    query: Result<Query<SignatureQuery>, QueryRejection>,
    parts: Parts,
) -> Response {
    // The framework would read a broken character as another one, and sign a folder that nobody asked for.
    let is_text = percent_decode_str(parts.uri.query().unwrap_or_default()).decode_utf8().is_ok();
    let Some(Query(query)) = query.ok().filter(|_| is_text) else {
        return Answer::bad_request("InvalidQuery", "the query cannot be read, or names something twice")
            .into_response();
    };
    let mut choice = SignerChoice::default();
    if options.switches {
        choice = match switched(&query) {
            Ok(choice) => choice,
            Err(refused) => return refused.into_response(),
        };
    }
    choice.fields = match listed(&query) {
        Ok(listed) => listed,
        Err(refused) => return refused.into_response(),
    };
    choice.host = options.host_chooser.as_ref().and_then(|choose| choose(&parts));
    if let Err(refused) = choose_for_test(&mut choice, &query, options.testing.as_ref()).await {
        return refused.into_response();
    }
    let asked = match query.path.as_deref().map(UploadPath::normalise).transpose() {
        Ok(asked) => asked,
        Err(error) => return Answer::bad_request("InvalidPath", &error.to_string()).into_response(),
    };
    choice.grant = match options.granted(Purpose::Signature, asked.as_ref(), &parts).await {
        Ok(grant) => grant,
        Err(refused) => return uncached(refused.into_response()),
    };
    let folder = options.folder_of(choice.grant.as_ref());
    let path = match path_within(asked, folder, options.signer.options()) {
        Ok(path) => path,
        Err(error) => return Answer::bad_request("InvalidPath", &error.to_string()).into_response(),
    };
    match options.signer.sign(path.as_ref().map(UploadPath::as_str), &choice) {
        Ok(answer) => uncached(Json(answer).into_response()),
        Err(SignError::Path(error)) => Answer::bad_request("InvalidPath", &error.to_string()).into_response(),
        Err(error @ (SignError::CallbackUnpinned | SignError::CallbackUrl { .. })) => {
            Answer::bad_request("InvalidCallback", &error.to_string()).into_response()
        }
        // What the server itself chose, or its clock: not for the one who asks to mend.
        Err(error) => {
            tracing::error!(%error, "nothing is signed");
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            let code = if error == SignError::Clock { "ClockWrong" } else { "ChoiceWrong" };
            Answer::refusal(status, code, &error.to_string()).into_response()
        }
    }
}

/// The folder to sign for: the one asked for, at or below `folder`; without one, the signer's own where that is within
/// `folder`, else `folder`. `None` leaves it to the signer.
fn path_within(
    asked: Option<UploadPath>,
    folder: &UploadPath,
    signer: &SignerOptions,
) -> Result<Option<UploadPath>, UploadPathError> {
    if let Some(path) = asked {
        return path.within(folder).map(Some);
    }
    let own = signer.directory.clone().and_then(|directory| directory.within(folder).ok());
    Ok(own.or_else(|| Some(folder.clone()).filter(|folder| !folder.as_str().is_empty())))
}

fn switched(query: &SignatureQuery) -> Result<SignerChoice, Answer> {
    let version = match query.version.as_deref() {
        None => None,
        Some("1") => Some(SignatureVersion::V1),
        Some("4") => Some(SignatureVersion::V4),
        Some(_) => return Err(Answer::bad_request("InvalidVersion", "version is 1 or 4")),
    };
    let callback = match query.callback.as_deref() {
        None => None,
        Some("0") => Some(false),
        Some("1") => Some(true),
        Some(_) => return Err(Answer::bad_request("InvalidCallback", "callback is 0 or 1")),
    };
    Ok(SignerChoice { version, callback, ..SignerChoice::default() })
}

/// Takes over what only a test may choose.
async fn choose_for_test(
    choice: &mut SignerChoice,
    query: &SignatureQuery,
    testing: Option<&TestingChoices>,
) -> Result<(), Answer> {
    let (bucket, callback_url) = (query.bucket.as_deref(), query.callback_url.as_deref());
    let Some(testing) = testing else {
        if bucket.is_some() || callback_url.is_some() {
            let message = "bucket and callback_url may be chosen at throw-away instances for tests only";
            return Err(Answer::bad_request("NotForTests", message));
        }
        return Ok(());
    };
    if let Some(name) = bucket {
        let chosen = testing.bucket(name).await?;
        (choice.bucket, choice.host) = (Some(chosen.name), Some(chosen.host));
    }
    if let Some(url) = callback_url {
        if choice.callback == Some(false) {
            return Err(Answer::bad_request(
                "InvalidCallback",
                "callback=0 and callback_url contradict each other",
            ));
        }
        choice.callback_url = Some(loopback_url(url)?);
    }
    Ok(())
}

/// Whether the form's fields are to be listed: everyone's choice, because it permits nothing more.
fn listed(query: &SignatureQuery) -> Result<bool, Answer> {
    match query.fields.as_deref() {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(_) => Err(Answer::bad_request("InvalidFields", "fields is 0 or 1")),
    }
}
