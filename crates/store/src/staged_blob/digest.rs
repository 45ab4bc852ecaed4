//! MD5 and CRC-64 of a stream in one pass, or CRC-64 alone.

use bytes::Bytes;
use countersign_sys::Md5;
use crc_fast::{CrcAlgorithm, Digest as Crc};

/// The digests of bytes that come in pieces.
pub(crate) struct Digests {
    md5: Option<Md5>,
    crc64: Crc,
}

impl Digests {
    /// Both, of no bytes yet.
    pub(crate) fn new() -> Digests {
        Digests { md5: Some(Md5::new()), ..Digests::without_md5() }
    }

    /// CRC-64 alone, of no bytes yet.
    pub(crate) fn without_md5() -> Digests {
        Digests { md5: None, crc64: Crc::new(CrcAlgorithm::Crc64Xz) }
    }

    /// Whether there is more to do than a CRC-64.
    pub(crate) fn has_md5(&self) -> bool {
        self.md5.is_some()
    }

    /// Takes in the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        self.crc64.update(bytes);
    }

    /// Takes in chunks in their order.
    pub(crate) fn update_all(&mut self, chunks: &[Bytes]) {
        chunks.iter().for_each(|chunk| self.update(chunk));
    }

    /// MD5, where it was wanted, and CRC-64 of all the bytes.
    pub(crate) fn finish(self) -> (Option<[u8; 16]>, u64) {
        (self.md5.map(Md5::finish), self.crc64.finalize())
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
        assert_eq!(md5.unwrap()[..4], [0x25, 0xf9, 0xe7, 0x94]);
        let mut crc64_alone = Digests::without_md5();
        crc64_alone.update(b"123456789");
        assert_eq!(crc64_alone.finish(), (None, crc64));
    }
}
