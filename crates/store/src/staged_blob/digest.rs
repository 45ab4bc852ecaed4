//! MD5 and CRC-64 of a stream in one pass.

use bytes::Bytes;
use countersign_sys::Md5;
use crc_fast::{CrcAlgorithm, Digest as Crc};

/// The two digests of bytes that come in pieces.
pub(crate) struct Digests {
    md5: Md5,
    crc64: Crc,
}

impl Digests {
    /// Of no bytes yet.
    pub(crate) fn new() -> Digests {
        Digests { md5: Md5::new(), crc64: Crc::new(CrcAlgorithm::Crc64Xz) }
    }

    /// Takes in the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.crc64.update(bytes);
    }

    /// Takes in chunks in their order.
    pub(crate) fn update_all(&mut self, chunks: &[Bytes]) {
        chunks.iter().for_each(|chunk| self.update(chunk));
    }

    /// MD5 and CRC-64 of all the bytes.
    pub(crate) fn finish(self) -> ([u8; 16], u64) {
        (self.md5.finish(), self.crc64.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_check_values() {
        let mut digests = Digests::new();
        digests.update(b"1234");
        digests.update(b"56789");
        let (md5, crc64) = digests.finish();
        assert_eq!(crc64, 0x995d_c9bb_df19_39fa);
        assert_eq!(md5[..4], [0x25, 0xf9, 0xe7, 0x94]);
    }
}
