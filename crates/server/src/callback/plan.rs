//! The callback that an upload asks for: checked, with its share of the budgets taken, and waiting for the upload's
//! facts.
//!
//! Clauses CB-1 to CB-22, CB-39.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_protocol::ObjectKey;
use countersign_protocol::callback::parameter::CallbackParameterError;
use countersign_protocol::callback::{CallbackParameter, CallbackUrl, CallbackVariables, ImageInfo};
use countersign_store::SealedBlob;

use crate::callback::budget::CallbackShares;
use crate::callback::message::CallbackMessage;
use crate::object::etag::etag_of;

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

/// The request that an upload came with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UploadRequest<'u> {
    /// Its id.
    pub(crate) id: &'u str,
    /// The client's address.
    pub(crate) client: IpAddr,
}

/// What an upload turned out to be.
pub(crate) struct StoredUpload<'u> {
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

    /// The longest that the body can become for an upload with this key and type.
    ///
    /// # Errors
    /// When that is more than `bytes_max`.
    pub(super) fn body_bytes_max(
        &mut self,
        request: UploadRequest<'_>,
        upload: (&str, &ObjectKey, &str),
        bytes_max: usize,
    ) -> Result<usize, CallbackParameterError> {
        let (bucket, key, content_type) = upload;
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
            client_ip: request.client.to_string(),
            req_id: request.id.to_owned(),
            operation: "CompleteMultipartUpload".to_owned(),
            custom: std::mem::take(&mut self.custom),
        };
        let body_bytes = self.parameter.check_body_size(&longest, bytes_max);
        self.custom = longest.custom;
        body_bytes
    }

    /// With its share of the budgets.
    pub(super) fn holding(self, shares: CallbackShares) -> Self {
        Self { shares: Some(shares), ..self }
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
    pub(crate) fn into_message(self, request: UploadRequest<'_>, facts: StoredUpload<'_>) -> CallbackMessage {
        let Self { parameter, custom, requester, shares: _ } = self;
        let variables = CallbackVariables {
            bucket: facts.bucket.to_owned(),
            object: facts.key.as_str().to_owned(),
            etag: etag_of(facts.blob.md5(), facts.blob.crc64(), facts.blob.len()),
            size: facts.blob.len(),
            mime_type: facts.content_type.to_owned(),
            image: facts.image,
            crc64: facts.blob.crc64(),
            content_md5: facts.blob.md5().map(|md5| STANDARD.encode(md5)),
            vpc_id: None,
            client_ip: request.client.to_string(),
            req_id: request.id.to_owned(),
            operation: facts.operation.to_owned(),
            custom,
        };
        CallbackMessage {
            urls: parameter.urls,
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
