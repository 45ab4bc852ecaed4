//! One line of the ledger: an upload that the store reported, with the request and the answer in full.

use jiff::Timestamp;
use serde::Serialize;

use crate::{answer::Answer, recorded_request::RecordedRequest, upload_facts::UploadFacts};

/// An upload as the ledger keeps it and as `GET /uploads` lists it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadRecord {
    /// The object's key, if the callback's body names it.
    pub key: Option<String>,
    /// Size in bytes.
    pub size: Option<u64>,
    /// The stored content type.
    pub mime_type: Option<String>,
    /// Pixels; of images only.
    pub height: Option<u32>,
    /// Pixels; of images only.
    pub width: Option<u32>,
    /// When the callback arrived for the first time.
    pub time: Timestamp,
    /// The id of the upload's request at the store.
    pub request_id: Option<String>,
    /// The bucket, if the body names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// How often the store called about this upload.
    pub calls: u32,
    /// The callback as received the first time.
    pub request: RecordedRequest,
    /// What it was answered.
    pub answer: Answer,
    /// What makes this the same upload when the store calls again.
    #[serde(skip)]
    pub identity: String,
}

impl UploadRecord {
    /// A record of a callback that arrives for the first time.
    #[must_use]
    pub fn new(facts: UploadFacts, request: RecordedRequest, answer: Answer, time: Timestamp) -> Self {
        let identity = identity_of(&facts, &request);
        let request_id = facts.request_id.or_else(|| header_request_id(&request));
        Self {
            key: facts.key,
            size: facts.size,
            mime_type: facts.mime_type,
            height: facts.height,
            width: facts.width,
            time,
            request_id,
            bucket: facts.bucket,
            calls: 1,
            request,
            answer,
            identity,
        }
    }
}

/// What two callbacks have in common exactly when they tell of the same upload.
///
/// One upload has one request id at the store, whichever of several callback URLs is tried and however often; key,
/// bucket and ETag stand beside it so that a store which re-uses ids loses no record. An id in the signed body
/// (`reqId=${reqId}`) goes before the one in the header, which the callback's signature does not cover: without
/// it, whoever captured a callback can have the same true upload listed a second time, and nothing else. A
/// callback without any id is the same when its body is the same.
#[must_use]
pub fn identity_of(facts: &UploadFacts, request: &RecordedRequest) -> String {
    let id = facts.request_id.clone().or_else(|| header_request_id(request));
    let parts = match id {
        Some(id) => vec![Some(id), facts.bucket.clone(), facts.key.clone(), facts.etag.clone()],
        None => vec![None, Some(String::from_utf8_lossy(&request.body).into_owned())],
    };
    // As JSON, so that no value can pretend to be the border between two.
    serde_json::json!(parts).to_string()
}

fn header_request_id(request: &RecordedRequest) -> Option<String> {
    let value = request.headers.get("x-oss-request-id")?.to_str().ok()?;
    (!value.is_empty()).then(|| value.to_owned())
}
