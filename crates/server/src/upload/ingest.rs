//! Stage 3 of an upload: bytes go in as they come, counted against the range that was granted and at the rate that was
//! asked for, invisible until they are committed. Dropping what is half done discards it.
//!
//! Clauses POST-5, POL-23.

use std::future::Future;
use std::pin::pin;

use bytes::Bytes;
use countersign_protocol::WireError;
use countersign_protocol::policy::SizeRange;
use countersign_store::{SealedBlob, StagedBlob};

use crate::measures::Stage;
use crate::request::context::RequestContext;
use crate::request::request_body::RequestBody;
use crate::response::traffic_limit::TransferPace;
use crate::response::wire_error::OperationError;
use crate::state::EtagSource;
use crate::upload::form_head::FormFile;
use crate::upload::grant::WriteGrant;

/// What an upload's bytes come in.
pub(crate) trait UploadBody {
    /// The next bytes; `None` after the last.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, OperationError>> + Send;
}

impl UploadBody for FormFile<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, OperationError> {
        self.chunk().await
    }
}

impl UploadBody for RequestBody {
    async fn next(&mut self) -> Result<Option<Bytes>, OperationError> {
        Ok(self.chunk().await?)
    }
}

/// Takes in what was granted, from the first byte to the last. It is here alone that a request's bytes get to the store.
pub(crate) async fn take_in(
    context: &RequestContext,
    grant: &WriteGrant,
    body: &mut impl UploadBody,
) -> Result<SealedUpload, OperationError> {
    let mut intake = Intake::begin(context, grant).await?;
    let taking = async {
        while let Some(chunk) = body.next().await? {
            intake.take(chunk).await?;
        }
        Ok::<(), OperationError>(())
    };
    context.in_stage(Stage::Intake, pin!(taking)).await?;
    context.in_stage(Stage::Seal, pin!(intake.seal())).await
}

/// An upload that is being taken in.
struct Intake {
    staged: StagedBlob,
    size: SizeRange,
    pace: Option<TransferPace>,
}

/// All bytes of an upload, with their digests, not yet visible.
#[derive(Debug)]
pub(crate) struct SealedUpload {
    blob: SealedBlob,
}

impl Intake {
    async fn begin(context: &RequestContext, grant: &WriteGrant) -> Result<Self, OperationError> {
        let options = &context.server.options;
        let staged = options.store.stage(grant.announced_bytes()).await?;
        let staged = if grant.etag() == EtagSource::Md5 { staged } else { staged.without_md5() };
        let pace = grant.limit().map(|limit| TransferPace::of(limit, &options.clock));
        Ok(Self { staged, size: grant.size(), pace })
    }

    /// Takes in the next bytes, unless they are too many.
    async fn take(&mut self, chunk: Bytes) -> Result<(), OperationError> {
        let bytes = chunk.len();
        self.size.check_running(self.staged.len() + bytes as u64).map_err(WireError::from)?;
        self.staged.write(chunk).await?;
        if let Some(pace) = &mut self.pace {
            pace.pass(bytes).await;
        }
        Ok(())
    }

    /// Ends the upload, unless its bytes are too few.
    async fn seal(self) -> Result<SealedUpload, OperationError> {
        self.size.check_complete(self.staged.len()).map_err(WireError::from)?;
        Ok(SealedUpload { blob: self.staged.seal().await? })
    }
}

impl SealedUpload {
    /// How many bytes they are.
    pub(crate) fn len(&self) -> u64 {
        self.blob.len()
    }

    /// The bytes.
    pub(super) fn blob(&self) -> &SealedBlob {
        &self.blob
    }

    /// The bytes, to be committed.
    pub(super) fn into_blob(self) -> SealedBlob {
        self.blob
    }
}
