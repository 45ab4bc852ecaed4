//! Compares one object's bytes with its record.

use super::pace::Pace;
use super::scrubbed::Scrubbed;
use crate::blobs::{BlobError, BlobId};
use crate::catalog::{CatalogError, Piece};
use crate::damage::Damage;
use crate::staged_blob::digest::Digests;
use crate::{ObjectRecord, Place};
use std::sync::atomic::Ordering;

/// How much is read at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// What the bytes of an object are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// What was acknowledged.
    Whole,
    /// Something else, or nothing.
    Damaged(Damage),
    /// Unknown: the scrub is to end.
    Stopped,
    /// Unknown: they could not be read, for a reason that is not theirs.
    Unread(String),
}

/// The digests of what was read so far.
struct Sum {
    len: u64,
    /// More than this is not read.
    len_max: u64,
    digests: Digests,
}

/// Why reading ended.
enum Ended {
    Stopped,
    Damaged(Damage),
    Unread(String),
}

/// Reads all bytes of an object, and says how many there were.
pub(super) async fn object(scrubbed: &Scrubbed, object: &ObjectRecord, pace: &mut Pace) -> (Verdict, u64) {
    let mut sum = Sum { len: 0, len_max: object.len, digests: digests_like(object) };
    let ended = read(scrubbed, object, &mut sum, pace).await;
    pace.object().await;
    let bytes = sum.len;
    let verdict = match ended {
        Err(Ended::Stopped) => Verdict::Stopped,
        Err(Ended::Unread(reason)) => Verdict::Unread(reason),
        Err(Ended::Damaged(damage)) => Verdict::Damaged(damage),
        Ok(()) => compare(sum, object),
    };
    (verdict, bytes)
}

fn digests_like(object: &ObjectRecord) -> Digests {
    if object.md5.is_some() { Digests::new() } else { Digests::without_md5() }
}

fn compare(sum: Sum, object: &ObjectRecord) -> Verdict {
    if sum.len != object.len {
        return Verdict::Damaged(Damage::Length { expected: object.len, found: sum.len });
    }
    let (md5, crc64) = sum.digests.finish();
    match (md5 == object.md5, crc64 == object.crc64) {
        (true, true) => Verdict::Whole,
        (true, false) => Verdict::Damaged(Damage::Crc64),
        (false, true) => Verdict::Damaged(Damage::Md5),
        (false, false) => Verdict::Damaged(Damage::Digests),
    }
}

async fn read(
    scrubbed: &Scrubbed,
    object: &ObjectRecord,
    sum: &mut Sum,
    pace: &mut Pace,
) -> Result<(), Ended> {
    match &object.content.place {
        Place::Empty => Ok(()),
        Place::Inline { row, .. } => read_piece(scrubbed, Piece::Inline(*row), sum, pace).await,
        Place::Blob(id) => read_piece(scrubbed, Piece::Blob(*id), sum, pace).await,
        Place::Extents => {
            for extent in scrubbed.catalog.extents(object.content.id).await? {
                read_piece(scrubbed, extent.piece, sum, pace).await?;
            }
            Ok(())
        }
    }
}

async fn read_piece(scrubbed: &Scrubbed, piece: Piece, sum: &mut Sum, pace: &mut Pace) -> Result<(), Ended> {
    let _pin = scrubbed.pins.pin(piece);
    match piece {
        Piece::Inline(row) => match scrubbed.catalog.inline_bytes(row).await? {
            None => Err(Ended::Damaged(Damage::Missing)),
            Some(bytes) => {
                sum.take(&bytes);
                pace.bytes(bytes.len() as u64).await;
                Ok(())
            }
        },
        Piece::Blob(id) => read_blob(scrubbed, id, sum, pace).await,
    }
}

async fn read_blob(scrubbed: &Scrubbed, id: BlobId, sum: &mut Sum, pace: &mut Pace) -> Result<(), Ended> {
    let opened = scrubbed.blobs.open(id, 0, CHUNK_BYTES).await?;
    let (mut chunk, mut offset) = (opened.first, 0u64);
    // Up to the file's end, to see whether it is too long; but not on and on when it is.
    while !chunk.is_empty() && sum.len <= sum.len_max {
        if scrubbed.ending.load(Ordering::Relaxed) {
            return Err(Ended::Stopped);
        }
        offset += chunk.len() as u64;
        sum.take(&chunk);
        pace.bytes(chunk.len() as u64).await;
        chunk = opened.reader.read_at(offset, CHUNK_BYTES).await?;
    }
    Ok(())
}

impl Sum {
    fn take(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        self.digests.update(bytes);
    }
}

impl From<CatalogError> for Ended {
    fn from(error: CatalogError) -> Ended {
        Ended::Unread(error.to_string())
    }
}

impl From<BlobError> for Ended {
    fn from(error: BlobError) -> Ended {
        match error {
            BlobError::NotFound => Ended::Damaged(Damage::Missing),
            BlobError::Io { source, .. } if is_the_disks(&source) => {
                Ended::Damaged(Damage::Unreadable { reason: source.to_string() })
            }
            other => Ended::Unread(other.to_string()),
        }
    }
}

/// Whether the disk or its file system, and not a limit of this process, refused to read.
fn is_the_disks(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let refusals = [Errno::IO, Errno::UCLEAN, Errno::BADMSG, Errno::NODATA];
    refusals.iter().any(|refusal| error.raw_os_error() == Some(refusal.raw_os_error()))
}
