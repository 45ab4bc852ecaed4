//! Checks an object while it is read, so that a damaged one is never served as good.
//!
//! A read from the first byte to the last gets its last bytes only if the CRC-64 of all of them is the record's; what
//! is at hand at once (inline objects, and blobs of one chunk) is checked before anything is answered. A part of a
//! blob is not checked: its record has no digest of parts. What is known to be damaged is refused in any part.

use crate::damage::{Damage, KnownDamage};
use crate::object_reader::{ObjectReader, resolve};
use crate::store::Inner;
use crate::{ObjectRecord, Place, ReadError};
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest as Crc, checksum};
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

/// The check of one reader.
pub(crate) struct Watch {
    known: KnownDamage,
    content: u64,
    sequence: u64,
    expected_crc64: u64,
    /// Of what has passed; `None` when a part is read.
    crc64: Option<Crc>,
}

impl Watch {
    fn new(known: &KnownDamage, object: &ObjectRecord, crc64: Option<Crc>) -> Watch {
        Watch {
            known: known.clone(),
            content: object.content.id,
            sequence: object.sequence,
            expected_crc64: object.crc64,
            crc64,
        }
    }

    /// Inline bytes, all at once.
    fn compare(&self, object: &ObjectRecord, bytes: &Bytes) -> Result<(), ReadError> {
        let damage = if bytes.len() as u64 != object.len {
            Damage::Length { expected: object.len, found: bytes.len() as u64 }
        } else if checksum(CrcAlgorithm::Crc64Xz, bytes) != self.expected_crc64 {
            Damage::Crc64
        } else {
            return Ok(());
        };
        Err(self.found(damage))
    }

    /// The next bytes on their way out; `last` says that the object ends with them.
    pub(crate) fn pass(&mut self, bytes: &Bytes, last: bool) -> Result<(), ReadError> {
        let Some(crc64) = &mut self.crc64 else { return Ok(()) };
        crc64.update(bytes);
        if last && crc64.finalize() != self.expected_crc64 {
            return Err(self.found(Damage::Crc64));
        }
        Ok(())
    }

    /// A read ended early; notes it when the bytes, and not the machine's state, are the reason.
    pub(crate) fn failed(&self, error: ReadError) -> ReadError {
        match &error {
            ReadError::Short => self.found(Damage::Short),
            _ => error,
        }
    }

    fn found(&self, damage: Damage) -> ReadError {
        self.known.found(self.content, self.sequence, damage.to_string());
        ReadError::Damaged
    }
}
