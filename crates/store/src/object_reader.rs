//! Reads an object as a stream of chunks, at most one chunk ahead of its consumer where the disk has to be waited
//! for.

pub(crate) mod resolve;
pub(crate) mod verified;
mod watch;

use crate::ReadError;
use crate::blobs::{BlobError, BlobReader, OpenedBlob, Work, chunk_bytes};
use crate::pins::Pin;
use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::BoxStream;
use std::pin::Pin as Pinned;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use watch::Watch;

/// The bytes of (a range of) an object. While it lives, the sweeper leaves them alone.
pub struct ObjectReader {
    remaining: u64,
    source: Source,
    watch: Option<Watch>,
    _pin: Option<Pin>,
}

enum Source {
    /// All there is, at hand.
    Whole(Bytes),
    /// A blob, read chunk by chunk.
    Blob(BlobSource),
    /// Several pieces, one after the other.
    Pieces(BoxStream<'static, Result<Bytes, ReadError>>),
}

struct BlobSource {
    reader: Arc<dyn BlobReader>,
    ready: Option<Bytes>,
    ahead: Option<Work<Result<Bytes, BlobError>>>,
    /// A chunk was not at hand, so the next is read while this one is sent.
    waits: bool,
    next_offset: u64,
    end: u64,
}

impl std::fmt::Debug for ObjectReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectReader").field("remaining", &self.remaining).finish_non_exhaustive()
    }
}

impl ObjectReader {
    /// Bytes that are still to come.
    pub fn remaining(&self) -> u64 {
        self.remaining
    }

    pub(crate) fn whole(bytes: Bytes) -> ObjectReader {
        ObjectReader { remaining: bytes.len() as u64, source: Source::Whole(bytes), watch: None, _pin: None }
    }

    pub(crate) fn pieces(
        remaining: u64,
        pieces: BoxStream<'static, Result<Bytes, ReadError>>,
    ) -> ObjectReader {
        ObjectReader { remaining, source: Source::Pieces(pieces), watch: None, _pin: None }
    }

    /// From an opened blob, of which the first chunk is read already.
    pub(crate) fn blob(opened: OpenedBlob, offset: u64, len: u64, pin: Pin) -> ObjectReader {
        let source = BlobSource {
            reader: opened.reader,
            next_offset: offset + opened.first.len() as u64,
            ready: Some(opened.first),
            ahead: None,
            waits: false,
            end: offset + len,
        };
        ObjectReader { remaining: len, source: Source::Blob(source), watch: None, _pin: Some(pin) }
    }

    /// With a check of what passes; what is at hand and is all of it is checked now.
    pub(crate) fn watched(mut self, mut watch: Watch) -> Result<ObjectReader, ReadError> {
        let at_hand = match &self.source {
            Source::Whole(bytes) => Some(bytes),
            Source::Blob(blob) => blob.ready.as_ref(),
            Source::Pieces(_) => None,
        };
        match at_hand {
            Some(bytes) if bytes.len() as u64 >= self.remaining => watch.pass(bytes, true)?,
            _ => self.watch = Some(watch),
        }
        Ok(self)
    }
}

impl BlobSource {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, ReadError>>> {
        if let Some(first) = self.ready.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        let Some(mut next) = self.ahead.take().or_else(|| self.read_next()) else { return Poll::Ready(None) };
        let Poll::Ready(outcome) = next.as_mut().poll(context) else {
            self.waits = true;
            self.ahead = Some(next);
            return Poll::Pending;
        };
        if let Ok(bytes) = &outcome {
            self.next_offset += bytes.len() as u64;
            if self.waits && !bytes.is_empty() {
                self.ahead = self.read_next();
            }
        }
        Poll::Ready(Some(outcome.map_err(ReadError::from)))
    }

    fn read_next(&self) -> Option<Work<Result<Bytes, BlobError>>> {
        let len = chunk_bytes().min(self.end.saturating_sub(self.next_offset));
        (len > 0).then(|| self.reader.read_at(self.next_offset, len as usize))
    }
}

impl Stream for ObjectReader {
    type Item = Result<Bytes, ReadError>;

    fn poll_next(mut self: Pinned<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.remaining == 0 {
            return Poll::Ready(None);
        }
        let next = match &mut self.source {
            Source::Whole(bytes) => Some(Ok(std::mem::take(bytes))),
            Source::Blob(blob) => ready!(blob.poll(context)),
            Source::Pieces(pieces) => ready!(pieces.as_mut().poll_next(context)),
        };
        let error = match next {
            Some(Ok(bytes)) if !bytes.is_empty() => {
                self.remaining = self.remaining.saturating_sub(bytes.len() as u64);
                let last = self.remaining == 0;
                match self.watch.as_mut().map_or(Ok(()), |watch| watch.pass(&bytes, last)) {
                    Ok(()) => return Poll::Ready(Some(Ok(bytes))),
                    Err(error) => error,
                }
            }
            Some(Err(error)) => error,
            _ => ReadError::Short,
        };
        self.remaining = 0;
        Poll::Ready(Some(Err(match &self.watch {
            Some(watch) => watch.failed(error),
            None => error,
        })))
    }
}
