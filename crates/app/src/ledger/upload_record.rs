//! One line of the ledger: an upload that the store reported, with the request and the answer in full.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{answer::Answer, recorded_request::RecordedRequest, upload_facts::UploadFacts};

/// An upload as the ledger keeps it and as `GET /uploads` lists it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadRecord {
    /// The object's key, if the callback's body names it.
    pub key: Option<String>,
    /// The file's name as the client gave it: for people to read, and not to be trusted.
    pub name: Option<String>,
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
    /// The id of the upload's request at the store. The store's word only where [`proven`](Self::proven) says so.
    pub request_id: Option<String>,
    /// Whether the request id stands in the signed body. Without it two uploads with equal bodies are one record, and
    /// the id is that of a header, which anybody could have changed on the way.
    pub proven: bool,
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
    ///
    /// ```
    /// use countersign_app::{Timestamp, answer::Answer, upload_facts::UploadFacts};
    /// use countersign_app::{recorded_request::RecordedRequest, ledger::upload_record::UploadRecord};
    ///
    /// let (head, _) = http::Request::post("/callback").header("x-oss-request-id", "header").body(())?.into_parts();
    /// let record = |body: &'static str| {
    ///     let facts = UploadFacts::of(body.as_bytes());
    ///     let answer = Answer::accepting(&facts);
    ///     UploadRecord::new(facts, RecordedRequest::new(&head, body.into()), answer, Timestamp::now())
    /// };
    /// let signed = record("object=a.jpg&reqId=5F00");
    /// assert_eq!((signed.request_id.as_deref(), signed.proven), (Some("5F00"), true));
    /// let unsigned = record("object=a.jpg");
    /// assert_eq!((unsigned.request_id.as_deref(), unsigned.proven), (Some("header"), false));
    /// # Ok::<(), http::Error>(())
    /// ```
    #[must_use]
    pub fn new(facts: UploadFacts, request: RecordedRequest, answer: Answer, time: Timestamp) -> Self {
        let identity = identity_of(&facts, &request);
        let proven = facts.request_id.is_some();
        let request_id = facts.request_id.or_else(|| header_request_id(&request));
        Self {
            key: facts.key,
            name: facts.name,
            size: facts.size,
            mime_type: facts.mime_type,
            height: facts.height,
            width: facts.width,
            time,
            request_id,
            proven,
            bucket: facts.bucket,
            calls: 1,
            request,
            answer,
            identity,
        }
    }
}

/// What two callbacks have in common exactly when they tell of the same upload, taken from nothing but the body,
/// which the store signed.
///
/// One upload has one request id at the store, whichever of several callback URLs is tried and however often; key,
/// bucket and ETag are added so that a store which re-uses ids loses no record. Where the body names no id
/// (`reqId=${reqId}`), its digest has to do. The header `x-oss-request-id` counts for nothing here: the signature does
/// not cover it, so a captured callback could be sent again under any number of ids.
///
/// ```
/// use countersign_app::{recorded_request::RecordedRequest, upload_facts::UploadFacts, ledger::upload_record::identity_of};
///
/// let identity = |url: &str, body: &'static str| -> Result<String, http::Error> {
///     let (head, _) = http::Request::post(url).body(())?.into_parts();
///     Ok(identity_of(&UploadFacts::of(body.as_bytes()), &RecordedRequest::new(&head, body.into())))
/// };
/// let first = identity("/callback", "object=a.jpg&reqId=1")?;
/// assert_eq!(identity("/second-url", "object=a.jpg&reqId=1")?, first);
/// assert_ne!(identity("/callback", "object=a.jpg&reqId=2")?, first);
/// # Ok::<(), http::Error>(())
/// ```
#[must_use]
pub fn identity_of(facts: &UploadFacts, request: &RecordedRequest) -> String {
    let parts = match &facts.request_id {
        Some(id) => vec![Some(id.clone()), facts.bucket.clone(), facts.key.clone(), facts.etag.clone()],
        None => vec![None, Some(STANDARD.encode(Sha256::digest(&request.body)))],
    };
    // As JSON, so that no value can pretend to be the border between two.
    serde_json::json!(parts).to_string()
}

fn header_request_id(request: &RecordedRequest) -> Option<String> {
    let value = request.headers.get("x-oss-request-id")?.to_str().ok()?;
    (!value.is_empty()).then(|| value.to_owned())
}
