//! Handles `POST /callback` after the layer has verified it: asks the application behind, records the upload,
//! answers.
//!
//! The order matters. The answer goes out after the record is durable, since the uploader takes it for the
//! application's word. With an application behind, that is asked before the record is written: a crash between
//! the two means that it is asked again, so it hears of an upload at least once, and an accepted upload is never
//! handed to it a second time.

use http::StatusCode;
use jiff::Timestamp;

use super::app_options::AppOptions;
use crate::{
    answer::Answer,
    application::ApplicationError,
    callback_verifier::VerifiedCallback,
    forward::Forward,
    ledger::{
        LedgerError,
        upload_record::{UploadRecord, identity_of},
    },
};

pub(super) async fn receive(options: &AppOptions, mut callback: VerifiedCallback) -> Answer {
    let time = (options.clock)();
    if options.authorize.is_some() {
        // What was not granted is nobody's upload, although a store signed it: before OSS another customer's can be.
        match options.signer.granted(&callback) {
            Ok(grant) => callback.grant = Some(grant),
            Err(error) => {
                tracing::warn!(%error, "callback refused");
                return Answer::refusal(StatusCode::FORBIDDEN, "NotGranted", &error.to_string());
            }
        }
    }
    let identity = identity_of(&callback.facts, &callback.request);
    match options.ledger.accepted_before(identity).await {
        Ok(Some(answer)) => return answer,
        Ok(None) => {}
        Err(error) => return not_recorded(&error),
    }
    let answer = match (&options.on_upload, &options.forward) {
        (Some(on_upload), _) => on_upload(callback.clone()).await,
        (None, Some(forward)) => ask(forward, &callback, time).await,
        (None, None) => Answer::accepting(&callback.facts),
    };
    let record = UploadRecord::new(callback.facts, callback.request, answer, time);
    options.ledger.record(record).await.unwrap_or_else(|error| not_recorded(&error))
}

/// The application behind has the say. When it has no answer, the upload is recorded with the failure as its
/// answer: the object is in the store all the same, and the store will call again.
async fn ask(forward: &Forward, callback: &VerifiedCallback, now: Timestamp) -> Answer {
    match forward.send(callback, now).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::warn!(%error, "the application behind gave no answer");
            let (status, code) = match error {
                ApplicationError::TooSlow => (StatusCode::GATEWAY_TIMEOUT, "ApplicationTooSlow"),
                _ => (StatusCode::BAD_GATEWAY, "ApplicationUnreachable"),
            };
            // The detail names addresses of the inside; it stays in the log.
            Answer::refusal(status, code, "the application behind did not answer")
        }
    }
}

/// Nothing is recorded, so nothing is accepted: the store answers 203, keeps the object and owes the callback.
fn not_recorded(error: &LedgerError) -> Answer {
    tracing::error!(%error, "an upload was not recorded");
    Answer::refusal(StatusCode::INTERNAL_SERVER_ERROR, "NotRecorded", "the upload could not be recorded")
}
