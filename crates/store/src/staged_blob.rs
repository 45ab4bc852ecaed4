//! Takes in the bytes of one upload, invisible to everyone until a commit names them, and hashes them in the same pass.
//!
//! Up to the inline limit the bytes stay in memory and go into the catalog with their record. Beyond it they are
//! handed on in batches ([`spill`]): received, hashed and written at the same time, the latter two off the async
//! threads. At most 256 KiB are held, whatever the upload's size, and by the first four that are too fast for it 2 MiB.

pub(crate) mod digest;
pub(crate) mod spill;

use crate::StageError;
use crate::blobs::{BlobError, Blobs, Chunks, SealedBytes};
use crate::health::HealthFlag;
use bytes::{Bytes, BytesMut};
use digest::Digests;
use spill::{BufferQuotas, Spill};
use std::sync::Arc;
use tokio::task::JoinHandle;

/// How much is gathered before it is known that the bytes do not go inline.
const FIRST_BATCH_BYTES: usize = 128 * 1024;
/// How much is gathered before it is handed on.
const BATCH_BYTES: usize = 64 * 1024;
/// Pieces smaller than this are copied together, so that a sender of single bytes costs no list of them.
const SMALL_BYTES: usize = 512;
/// Up to here hashing is cheaper than waking another thread for it.
const HASH_HERE_BYTES: u64 = 16 * 1024;

/// An upload that is being taken in. Dropping it discards the bytes now.
pub struct StagedBlob {
    blobs: Arc<dyn Blobs>,
    health: HealthFlag,
    inline_bytes_max: u64,
    expected_bytes: Option<u64>,
    quotas: BufferQuotas,
    with_md5: bool,
    batch: Batch,
    len: u64,
    spill: Option<Spill>,
}

/// The bytes received since the last hand-over.
#[derive(Default)]
struct Batch {
    chunks: Vec<Bytes>,
    small: BytesMut,
    len: usize,
}

impl Batch {
    fn push(&mut self, chunk: Bytes) {
        self.len += chunk.len();
        if chunk.len() < SMALL_BYTES {
            self.small.extend_from_slice(&chunk);
            return;
        }
        if !self.small.is_empty() {
            self.chunks.push(self.small.split().freeze());
        }
        self.chunks.push(chunk);
    }

    fn take(&mut self) -> Vec<Bytes> {
        if !self.small.is_empty() {
            self.chunks.push(self.small.split().freeze());
        }
        self.len = 0;
        std::mem::take(&mut self.chunks)
    }
}

impl std::fmt::Debug for StagedBlob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StagedBlob").field("len", &self.len).finish_non_exhaustive()
    }
}

impl StagedBlob {
    pub(crate) fn new(
        blobs: Arc<dyn Blobs>,
        health: HealthFlag,
        quotas: BufferQuotas,
        inline_bytes_max: u64,
        expected_bytes: Option<u64>,
    ) -> StagedBlob {
        StagedBlob {
            blobs,
            health,
            inline_bytes_max,
            expected_bytes,
            quotas,
            with_md5: true,
            batch: Batch::default(),
            len: 0,
            spill: None,
        }
    }

    /// The same without an MD5 of the bytes. To be said before the first of them.
    #[must_use]
    pub fn without_md5(mut self) -> StagedBlob {
        self.with_md5 = false;
        self
    }

    /// Bytes taken in so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was taken in yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes in the next bytes; waits when the disk or the hashing is behind.
    ///
    /// # Errors
    /// [`StageError`]; the upload cannot go on after it.
    pub async fn write(&mut self, chunk: Bytes) -> Result<(), StageError> {
        let batch_bytes = if self.spill.is_some() { BATCH_BYTES } else { FIRST_BATCH_BYTES };
        if self.batch.len > 0 && self.batch.len + chunk.len() > batch_bytes {
            self.hand_over().await?;
        }
        self.len += chunk.len() as u64;
        if !chunk.is_empty() {
            self.batch.push(chunk);
        }
        Ok(())
    }

    /// Ends the upload: its digests are known and its bytes durable (or in memory, when they go inline), but
    /// nothing is visible before a commit.
    ///
    /// # Errors
    /// [`StageError`]; nothing of the upload stays.
    pub async fn seal(mut self) -> Result<SealedBlob, StageError> {
        self.refuse_when_unhealthy()?;
        if self.spill.is_none() && self.len <= self.inline_bytes_max {
            return self.seal_inline().await;
        }
        let last = self.batch.take();
        let spill = self.open_spill();
        let (sealed, (md5, crc64)) = spill.seal(last).await.map_err(|error| self.failed(error))?;
        Ok(SealedBlob { len: self.len, md5, crc64, body: SealedBody::Blob(sealed) })
    }

    async fn seal_inline(mut self) -> Result<SealedBlob, StageError> {
        let chunks = self.batch.take();
        let (md5, crc64) = if self.len <= HASH_HERE_BYTES || !self.with_md5 {
            let mut digests = self.digests();
            digests.update_all(&chunks);
            digests.finish()
        } else {
            let hashing = spawn_hash(Box::new(self.digests()), Arc::new(chunks.clone()));
            hashing.await.map_err(|_| StageError::WorkerLost)?.finish()
        };
        Ok(SealedBlob { len: self.len, md5, crc64, body: SealedBody::Inline(chunks) })
    }

    /// Has what was received hashed and written, and waits for room for the next.
    async fn hand_over(&mut self) -> Result<(), StageError> {
        self.refuse_when_unhealthy()?;
        let chunks = self.batch.take();
        let mut spill = self.open_spill();
        let taken = spill.take_in(chunks).await;
        taken.map_err(|error| self.failed(error))?;
        self.spill = Some(spill);
        Ok(())
    }

    fn open_spill(&mut self) -> Spill {
        self.spill.take().unwrap_or_else(|| {
            Spill::new(self.blobs.stage(self.expected_bytes), self.digests(), self.quotas.own())
        })
    }

    fn digests(&self) -> Digests {
        if self.with_md5 { Digests::new() } else { Digests::without_md5() }
    }

    fn refuse_when_unhealthy(&self) -> Result<(), StageError> {
        match self.health.refusal() {
            None => Ok(()),
            Some(reason) => Err(StageError::Unhealthy { reason: reason.to_owned() }),
        }
    }

    fn failed(&self, error: StageError) -> StageError {
        if let StageError::Blob(BlobError::SyncFailed(reason)) = &error {
            self.health.refuse_writes(format!("a blob could not be synced: {reason}"));
        }
        error
    }
}

fn spawn_hash(mut digests: Box<Digests>, chunks: Chunks) -> JoinHandle<Box<Digests>> {
    tokio::task::spawn_blocking(move || {
        digests.update_all(&chunks);
        digests
    })
}

/// The whole bytes of an upload with their digests, not yet visible. Dropping it discards them.
#[derive(Debug)]
pub struct SealedBlob {
    len: u64,
    md5: Option<[u8; 16]>,
    crc64: u64,
    body: SealedBody,
}

/// Where sealed bytes wait for their commit.
#[derive(Debug)]
pub(crate) enum SealedBody {
    /// In memory, to go inline.
    Inline(Vec<Bytes>),
    /// Durable, without a name.
    Blob(Box<dyn SealedBytes>),
}

impl SealedBlob {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// MD5 of the bytes; `None` where it was not wanted.
    pub fn md5(&self) -> Option<[u8; 16]> {
        self.md5
    }

    /// CRC-64 (ECMA-182 as in XZ) of the bytes.
    pub fn crc64(&self) -> u64 {
        self.crc64
    }

    /// Reads at most `len` bytes from `offset`, fewer only at the end (for image headers and the like).
    ///
    /// # Errors
    /// When the bytes cannot be read.
    pub async fn read_at(&self, offset: u64, len: usize) -> Result<Bytes, BlobError> {
        match &self.body {
            SealedBody::Inline(chunks) => Ok(slice_of(chunks, offset, len)),
            SealedBody::Blob(sealed) => sealed.read_at(offset, len).await,
        }
    }

    pub(crate) fn into_parts(self) -> (u64, Option<[u8; 16]>, u64, SealedBody) {
        (self.len, self.md5, self.crc64, self.body)
    }
}

fn slice_of(chunks: &[Bytes], offset: u64, len: usize) -> Bytes {
    let mut skip = usize::try_from(offset).unwrap_or(usize::MAX);
    let mut slice = BytesMut::new();
    for chunk in chunks {
        let from = skip.min(chunk.len());
        skip -= from;
        let rest = chunk.slice(from..);
        let take = rest.len().min(len - slice.len());
        if slice.is_empty() && take == len {
            return rest.slice(..take);
        }
        slice.extend_from_slice(&rest.slice(..take));
    }
    slice.freeze()
}
