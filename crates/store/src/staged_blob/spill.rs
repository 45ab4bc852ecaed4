//! The way of an upload's bytes to a blob, once they are more than fit inline.
//!
//! Hashing and writing go at their own paces. Bytes are held until both have them; when too many are, whoever
//! brings more waits until about half of them are gone, and not for each batch, since every waking costs.

use super::digest::Digests;
use super::hash_line::HashLine;
use super::lead::Lead;
use crate::StageError;
use crate::blobs::{BlobError, BlobWriter, Chunks, SealedBytes, Work};
use bytes::Bytes;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// How much is written at once.
const WRITE_BYTES: u64 = 128 * 1024;

/// The digests of an upload.
pub(super) type Digested = (Option<[u8; 16]>, u64);

/// A blob that is being filled.
pub(super) struct Spill {
    writer: Box<dyn BlobWriter>,
    writing: Option<Work<Result<(), BlobError>>>,
    hashing: HashLine,
    lead: Lead,
    /// What the writer does not have yet.
    waiting: Vec<Bytes>,
    received: u64,
    /// How much the writer has been given.
    given: u64,
    /// How much the writer has done with.
    written: u64,
}

impl Spill {
    /// An empty one.
    pub(super) fn new(writer: Box<dyn BlobWriter>, digests: Digests, lead: Lead) -> Spill {
        Spill {
            writer,
            writing: None,
            hashing: HashLine::new(digests),
            lead,
            waiting: Vec::new(),
            received: 0,
            given: 0,
            written: 0,
        }
    }

    /// Takes in the next bytes; ready when there is room for more.
    pub(super) async fn take_in(&mut self, chunks: Vec<Bytes>) -> Result<(), StageError> {
        self.hash(chunks);
        poll_fn(|context| self.poll_room(context)).await
    }

    /// Takes in the last bytes and makes all of them durable.
    pub(super) async fn seal(
        mut self,
        last: Vec<Bytes>,
    ) -> Result<(Box<dyn SealedBytes>, Digested), StageError> {
        self.hash(last);
        // Nothing more is received, so nothing runs ahead.
        drop(self.lead);
        if let Some(writing) = self.writing.take() {
            writing.await?;
        }
        let sealed = self.writer.seal(Arc::new(self.waiting)).await?;
        let digests: Box<Digests> = poll_fn(|context| self.hashing.poll_finish(context)).await?;
        Ok((sealed, digests.finish()))
    }

    fn hash(&mut self, chunks: Vec<Bytes>) {
        self.received += chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
        self.waiting.extend(chunks.iter().cloned());
        self.hashing.push(Arc::new(chunks));
    }

    fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<Result<(), StageError>> {
        self.poll_written(context)?;
        if self.writing.is_none() && self.received - self.given >= WRITE_BYTES {
            self.write(context)?;
        }
        if self.lead.allows(self.received - self.written.min(self.hashing.hashed())) {
            return Poll::Ready(Ok(()));
        }
        let enough = self.received - self.lead.bytes_low();
        ready!(self.hashing.poll_hashed(context, enough))?;
        while self.written < enough {
            if self.writing.is_none() {
                self.write(context)?;
            }
            if self.writing.is_some() {
                return Poll::Pending;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Gives the writer all that it does not have.
    fn write(&mut self, context: &mut Context<'_>) -> Result<(), StageError> {
        let chunks: Chunks = Arc::new(std::mem::take(&mut self.waiting));
        self.given = self.received;
        self.writing = Some(self.writer.append(chunks));
        self.poll_written(context)
    }

    /// Looks whether the writer is done, and is woken when it is not.
    fn poll_written(&mut self, context: &mut Context<'_>) -> Result<(), StageError> {
        let Some(writing) = &mut self.writing else { return Ok(()) };
        if let Poll::Ready(outcome) = writing.as_mut().poll(context) {
            self.writing = None;
            self.written = self.given;
            outcome?;
        }
        Ok(())
    }
}
