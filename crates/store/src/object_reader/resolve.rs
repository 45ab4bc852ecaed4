//! Finds the bytes of a record: which pieces a range touches, each opened, pinned and read.

use crate::blobs::chunk_bytes;
use crate::catalog::{Extent, Piece};
use crate::engine::Inner;
use crate::object_reader::ObjectReader;
use crate::{ObjectRecord, Place, ReadError};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// A part of a piece.
#[derive(Clone, Copy)]
struct Segment {
    piece: Piece,
    offset: u64,
    len: u64,
}

/// Opens a range of an object for reading.
pub(crate) async fn read(
    inner: &Arc<Inner>,
    object: &ObjectRecord,
    range: Range<u64>,
) -> Result<ObjectReader, ReadError> {
    if range.start > range.end || range.end > object.len {
        return Err(ReadError::OutsideObject { len: object.len });
    }
    let (offset, len) = (range.start, range.end - range.start);
    let piece = match &object.content.place {
        _ if len == 0 => return Ok(ObjectReader::whole(Bytes::new())),
        Place::Empty => return Err(ReadError::Short),
        Place::Inline { bytes: Some(bytes), .. } => {
            return part_of(bytes, offset, len).map(ObjectReader::whole);
        }
        Place::Inline { row, bytes: None } => Piece::Inline(*row),
        Place::Blob(id) => Piece::Blob(*id),
        Place::Extents => {
            let extents = inner.catalog.extents(object.content.id).await?;
            return pieces(inner, segments(&extents, &range), len).await;
        }
    };
    open(inner, Segment { piece, offset, len }).await
}

async fn open(inner: &Arc<Inner>, segment: Segment) -> Result<ObjectReader, ReadError> {
    let Segment { piece, offset, len } = segment;
    let pin = inner.pins.pin(piece);
    match piece {
        Piece::Inline(row) => {
            let bytes = inner.catalog.inline_bytes(row).await?.ok_or(ReadError::Gone)?;
            part_of(&bytes, offset, len).map(ObjectReader::whole)
        }
        Piece::Blob(id) => {
            let opened = inner.blobs.open(id, offset, len.min(chunk_bytes()) as usize).await?;
            Ok(ObjectReader::blob(opened, offset, len, pin))
        }
    }
}

/// The first piece is opened now, the others when their turn comes; all are pinned until the reader goes.
async fn pieces(
    inner: &Arc<Inner>,
    mut segments: VecDeque<Segment>,
    len: u64,
) -> Result<ObjectReader, ReadError> {
    let first = segments.pop_front().ok_or(ReadError::Gone)?;
    let pins: Vec<_> = segments.iter().map(|segment| inner.pins.pin(segment.piece)).collect();
    let first = open(inner, first).await?;
    let inner = Arc::clone(inner);
    let rest = stream::unfold((segments, pins), move |(mut segments, pins)| {
        let inner = Arc::clone(&inner);
        async move {
            let segment = segments.pop_front()?;
            Some((open(&inner, segment).await, (segments, pins)))
        }
    });
    Ok(ObjectReader::pieces(len, first.chain(rest.try_flatten()).boxed()))
}

fn segments(extents: &[Extent], range: &Range<u64>) -> VecDeque<Segment> {
    let mut begin = 0;
    let mut touched = VecDeque::new();
    for extent in extents {
        let (from, to) = (range.start.max(begin), range.end.min(extent.end));
        if from < to {
            touched.push_back(Segment { piece: extent.piece, offset: from - begin, len: to - from });
        }
        begin = extent.end;
    }
    touched
}

fn part_of(bytes: &Bytes, offset: u64, len: u64) -> Result<Bytes, ReadError> {
    let (Ok(from), Ok(len)) = (usize::try_from(offset), usize::try_from(len)) else {
        return Err(ReadError::Short);
    };
    match from.checked_add(len) {
        Some(to) if to <= bytes.len() => Ok(bytes.slice(from..to)),
        _ => Err(ReadError::Short),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_touches_only_the_extents_it_lies_in() {
        let extents: Vec<Extent> =
            [(4, 1), (10, 2), (12, 3)].map(|(end, row)| Extent { end, piece: Piece::Inline(row) }).into();
        let touched: Vec<(Piece, u64, u64)> =
            segments(&extents, &(3..11)).into_iter().map(|s| (s.piece, s.offset, s.len)).collect();
        let row = Piece::Inline;
        assert_eq!(touched, [(row(1), 3, 1), (row(2), 0, 6), (row(3), 0, 1)]);
        assert!(segments(&extents, &(4..4)).is_empty());
    }
}
