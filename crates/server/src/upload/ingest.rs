//! Stage 3 of an upload: bytes go in as they come, counted against the range that was granted, invisible
//! until they are committed. Dropping what is half done discards it.
//!
//! Clauses POST-5, POL-23.

use bytes::Bytes;
use countersign_protocol::policy::SizeRange;
use countersign_protocol::{ErrorCode, WireError};
use countersign_store::{SealedBlob, StagedBlob};

use std::sync::Arc;

use crate::budget::body_watch::BodyWatch;
use crate::budget::holder::UploadHolder;
use crate::request::context::RequestContext;
use crate::response::wire_error::OperationError;
use crate::state::EtagSource;
use countersign_quota::places::Place;

/// One of the places for uploads. An upload whose place is taken away finds its body ended.
pub(crate) type UploadPlace = Place<UploadHolder, BodyWatch>;

/// Whose upload it is, and how fast it comes.
pub(crate) struct Sender<'b> {
    /// Who the place counts to.
    pub(crate) holder: UploadHolder,
    /// The body it comes in.
    pub(crate) body: &'b Arc<BodyWatch>,
}

/// An upload that is being taken in. Holds one of the places for uploads.
pub(crate) struct Intake {
    staged: StagedBlob,
    size: SizeRange,
    place: UploadPlace,
}

/// All bytes of an upload, with their digests, not yet visible. Its place is given back by the commit.
#[derive(Debug)]
pub(crate) struct SealedUpload {
    /// The bytes.
    pub(crate) blob: SealedBlob,
    /// The place among the uploads that stream.
    pub(crate) place: UploadPlace,
}

impl Intake {
    /// Begins to take in an upload of a size in this range. `expected_bytes` is what the sender announces,
    /// where that is known. What its ETag is made of decides which digests are computed.
    pub(crate) async fn begin(
        context: &RequestContext,
        sender: Sender<'_>,
        size: SizeRange,
        expected_bytes: Option<u64>,
        etag: EtagSource,
    ) -> Result<Self, OperationError> {
        if let Some(expected) = expected_bytes {
            size.check_running(expected).map_err(WireError::from)?;
        }
        let place = context.server.uploads.take(sender.holder, Arc::clone(sender.body));
        let place = place.ok_or_else(|| WireError::new(ErrorCode::SlowDown))?;
        let staged = context.server.options.store.stage(expected_bytes).await?;
        let staged = if etag == EtagSource::Md5 { staged } else { staged.without_md5() };
        Ok(Self { staged, size, place })
    }

    /// Takes in the next bytes, unless they are too many.
    pub(crate) async fn take(&mut self, chunk: Bytes) -> Result<(), OperationError> {
        self.size.check_running(self.staged.len() + chunk.len() as u64).map_err(WireError::from)?;
        Ok(self.staged.write(chunk).await?)
    }

    /// Ends the upload, unless its bytes are too few.
    pub(crate) async fn seal(self) -> Result<SealedUpload, OperationError> {
        self.size.check_complete(self.staged.len()).map_err(WireError::from)?;
        Ok(SealedUpload { blob: self.staged.seal().await?, place: self.place })
    }
}
