//! Checks an object while it is read, so that a damaged one is never served as good.
//!
//! A read from the first byte to the last gets its last bytes only if the CRC-64 of all of them is the record's; what
//! is at hand at once (inline objects, and blobs of one chunk) is checked before anything is answered. A part of a
//! blob is not checked: its record has no digest of parts. What is known to be damaged is refused in any part.

use crate::engine::Inner;
use crate::object_reader::watch::Watch;
use crate::object_reader::{ObjectReader, resolve};
use crate::{ObjectRecord, Place, ReadError};
use crc_fast::{CrcAlgorithm, Digest as Crc};
use std::ops::Range;
use std::sync::Arc;

/// Opens a range of an object for reading, and watches over it.
pub(crate) async fn read(
    inner: &Arc<Inner>,
    object: &ObjectRecord,
    range: Range<u64>,
) -> Result<ObjectReader, ReadError> {
    if inner.damaged.holds(object.content.id) {
        return Err(ReadError::Damaged);
    }
    if let Place::Inline { bytes: Some(bytes), .. } = &object.content.place {
        let watch = Watch::new(&inner.damaged, object, None);
        watch.compare(object, bytes)?;
        return resolve::read(inner, object, range).await;
    }
    let whole = range.start == 0 && range.end == object.len && object.len > 0;
    let crc64 = whole.then(|| Crc::new(CrcAlgorithm::Crc64Xz));
    let watch = Watch::new(&inner.damaged, object, crc64);
    match resolve::read(inner, object, range).await {
        Ok(reader) => reader.watched(watch),
        Err(error) => Err(watch.failed(error)),
    }
}
