//! A callback from its parameter to the request that will be sent: the plan that a grant carries, and the
//! message in which every variable has its value.
//!
//! The message is also what the store's outbox keeps until the application has acknowledged: it needs neither
//! the object nor the form any more.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_protocol::callback::{CallbackParameter, CallbackUrl, CallbackVariables, ImageInfo};
use countersign_protocol::{ObjectKey, WireError};
use countersign_store::SealedBlob;
use serde::{Deserialize, Serialize};

use crate::callback::budget::{self, CallbackShares};
use crate::object::headers;
use crate::request::context::RequestContext;
use crate::response::wire_error::OperationError;

/// The longest ETag: CRC-64 and length, or an MD5.
const ETAG_BYTES_MAX: usize = 64;

/// The callback that an upload asked for, checked and waiting for the upload's facts.
#[derive(Debug)]
pub(crate) struct CallbackPlan {
    parameter: CallbackParameter,
    custom: Vec<(String, String)>,
    requester: String,
    shares: Option<CallbackShares>,
}

/// What an upload turned out to be.
pub(crate) struct UploadFacts<'u> {
    /// The bucket's name.
    pub(crate) bucket: &'u str,
    /// The final key.
    pub(crate) key: &'u ObjectKey,
    /// The stored content type.
    pub(crate) content_type: &'u str,
    /// `PostObject` or `PutObject`.
    pub(crate) operation: &'static str,
    /// Length and digests.
    pub(crate) blob: &'u SealedBlob,
    /// Only of an image, and only when the plan wants it.
    pub(crate) image: Option<ImageInfo>,
}

impl CallbackPlan {
    /// A plan with its custom variables (names with their `x:`), of which only those are held that the body names.
    /// `requester` is who uploads.
    pub(crate) fn new(
        parameter: CallbackParameter,
        mut custom: Vec<(String, String)>,
        requester: impl Into<String>,
    ) -> Self {
        custom.retain(|(name, _)| parameter.body.names(name));
        Self { parameter, custom, requester: requester.into(), shares: None }
    }

    /// Refuses a body that could grow too long for an upload with this key and type, and takes the callback's
    /// share of what all callbacks may hold. Before the upload's bytes are taken.
    pub(crate) async fn admitted(
        mut self,
        context: &RequestContext,
        bucket: &str,
        key: &ObjectKey,
        content_type: &str,
    ) -> Result<Self, OperationError> {
        let longest = CallbackVariables {
            bucket: bucket.to_owned(),
            object: key.as_str().to_owned(),
            etag: "F".repeat(ETAG_BYTES_MAX),
            size: u64::MAX,
            mime_type: content_type.to_owned(),
            image: Some(ImageInfo { height: u64::MAX, width: u64::MAX, format: "unknown".to_owned() }),
            crc64: u64::MAX,
            content_md5: Some("/".repeat(24)),
            vpc_id: None,
            client_ip: context.client.to_string(),
            req_id: context.request_id.as_str().to_owned(),
            operation: "CompleteMultipartUpload".to_owned(),
            custom: std::mem::take(&mut self.custom),
        };
        let bytes_max = context.server.options.limits.callback_body_bytes_max;
        let body_bytes = self.parameter.check_body_size(&longest, bytes_max).map_err(WireError::from)?;
        self.custom = longest.custom;
        self.shares = Some(budget::admit(context, &self, body_bytes).await?);
        Ok(self)
    }

    /// The first URL.
    pub(crate) fn first_url(&self) -> Option<&CallbackUrl> {
        self.parameter.urls.first()
    }

    /// What the callback holds of the budgets, to be kept until it has ended.
    pub(crate) fn take_shares(&mut self) -> Option<CallbackShares> {
        self.shares.take()
    }

    /// Whether the body names the image's size or format.
    pub(crate) fn wants_image(&self) -> bool {
        self.parameter.body.as_str().contains("${imageInfo.")
    }

    /// The message, now that the upload is known.
    pub(crate) fn into_message(self, context: &RequestContext, facts: UploadFacts<'_>) -> CallbackMessage {
        let Self { parameter, custom, requester, shares: _ } = self;
        let variables = CallbackVariables {
            bucket: facts.bucket.to_owned(),
            object: facts.key.as_str().to_owned(),
            etag: headers::etag_of(facts.blob.md5(), facts.blob.crc64(), facts.blob.len()),
            size: facts.blob.len(),
            mime_type: facts.content_type.to_owned(),
            image: facts.image,
            crc64: facts.blob.crc64(),
            content_md5: facts.blob.md5().map(|md5| STANDARD.encode(md5)),
            vpc_id: None,
            client_ip: context.client.to_string(),
            req_id: context.request_id.as_str().to_owned(),
            operation: facts.operation.to_owned(),
            custom,
        };
        CallbackMessage {
            urls: parameter.urls.iter().map(ToString::to_string).collect(),
            host: parameter.host,
            body: parameter.body.expand(&variables, parameter.body_type),
            content_type: parameter.body_type.as_str().to_owned(),
            additional_headers: parameter.additional_headers,
            bucket: variables.bucket,
            request_id: variables.req_id,
            requester,
            refused: false,
            body_bytes: None,
        }
    }
}

/// One callback with every value in it; the payload of an owed entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackMessage {
    /// One to five URLs, to be tried in order.
    pub urls: Vec<String>,
    /// The `Host` header, where it is not the URL's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The body to be sent.
    pub body: String,
    /// Its type.
    pub content_type: String,
    /// Further request headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_headers: Vec<(String, String)>,
    /// The bucket of the upload.
    pub bucket: String,
    /// The upload's request id.
    pub request_id: String,
    /// Who uploaded.
    pub requester: String,
    /// Whether every destination was refused. Such an entry is kept to be looked at, for as long as there is room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// How long the body was, where only its beginning is kept; what is kept then is not to be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_bytes: Option<u64>,
}

impl CallbackMessage {
    /// What is kept when every destination was refused: so many bytes of the body at most.
    pub(crate) fn refused_form(&self, body_bytes_max: usize) -> Self {
        let mut kept = Self { refused: true, ..self.clone() };
        if kept.body.len() > body_bytes_max {
            kept.body_bytes = Some(self.body.len() as u64);
            kept.body.truncate(self.body.floor_char_boundary(body_bytes_max));
        }
        kept
    }

    /// The form in which the outbox keeps it.
    pub(crate) fn to_payload(&self) -> Vec<u8> {
        // Strings serialised into memory cannot fail; an empty payload would be reported when it is read.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads the payload of an owed entry.
    ///
    /// # Errors
    /// When the bytes are no payload of this server.
    pub fn from_payload(payload: &[u8]) -> Result<Self, PayloadError> {
        serde_json::from_slice(payload).map_err(|error| PayloadError { reason: error.to_string() })
    }
}

/// An owed entry that this server did not write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the owed callback cannot be read: {reason}")]
pub struct PayloadError {
    /// What is wrong with it.
    pub reason: String,
}
