//! The check of one reader: what passes is summed, and what is damaged is noted.

use crate::damage::{Damage, KnownDamage};
use crate::{ObjectRecord, ReadError};
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest as Crc, checksum};

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
    pub(super) fn new(known: &KnownDamage, object: &ObjectRecord, crc64: Option<Crc>) -> Watch {
        Watch {
            known: known.clone(),
            content: object.content.id,
            sequence: object.sequence,
            expected_crc64: object.crc64,
            crc64,
        }
    }

    /// Inline bytes, all at once.
    pub(super) fn compare(&self, object: &ObjectRecord, bytes: &Bytes) -> Result<(), ReadError> {
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
    pub(super) fn pass(&mut self, bytes: &Bytes, last: bool) -> Result<(), ReadError> {
        let Some(crc64) = &mut self.crc64 else { return Ok(()) };
        crc64.update(bytes);
        if last && crc64.finalize() != self.expected_crc64 {
            return Err(self.found(Damage::Crc64));
        }
        Ok(())
    }

    /// A read ended early; notes it when the bytes, and not the machine's state, are the reason.
    pub(super) fn failed(&self, error: ReadError) -> ReadError {
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
