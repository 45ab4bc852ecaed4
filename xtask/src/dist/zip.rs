//! Writes zip archives in which the same files give the same bytes: one fixed time, the order in which they are added.

use std::io::Write as _;

use anyhow::Context as _;
use flate2::{Compression, Crc, write::DeflateEncoder};

/// The first moment that the format has, 1980-01-01: installers set times of their own.
const DATE: u16 = (1 << 5) | 1;
/// Version 2.0 of the format, which has deflate.
const VERSION: u16 = 20;
/// Made on Unix: only then are the permissions believed.
const MADE_ON_UNIX: u16 = (3 << 8) | VERSION;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
const DEFLATED: u16 = 8;
const REGULAR_FILE: u32 = 0o100_000;

/// An archive under way, in memory.
#[derive(Debug, Default)]
pub(super) struct ZipArchive {
    files: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

impl ZipArchive {
    /// Adds a file with its permissions (`0o644`). Sizes are limited to what 32 bits hold.
    pub(super) fn add(&mut self, name: &str, permissions: u32, data: &[u8]) -> anyhow::Result<()> {
        let mut crc = Crc::new();
        crc.update(data);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(data)?;
        let packed = encoder.finish()?;
        let offset = u32::try_from(self.files.len()).context("the archive is too large")?;

        // What the file's own head and its entry in the directory have in common.
        let mut fields = Vec::new();
        for number in [VERSION, FLAGS, DEFLATED, 0, DATE] {
            fields.extend(number.to_le_bytes());
        }
        fields.extend(crc.sum().to_le_bytes());
        fields.extend(u32::try_from(packed.len()).context("a file is too large")?.to_le_bytes());
        fields.extend(u32::try_from(data.len()).context("a file is too large")?.to_le_bytes());
        fields.extend(u16::try_from(name.len()).context("a name is too long")?.to_le_bytes());
        fields.extend(0_u16.to_le_bytes());

        self.files.extend(b"PK\x03\x04");
        self.files.extend(&fields);
        self.files.extend(name.as_bytes());
        self.files.extend(packed);

        self.directory.extend(b"PK\x01\x02");
        self.directory.extend(MADE_ON_UNIX.to_le_bytes());
        self.directory.extend(fields);
        // No comment, the first disk, nothing internal.
        self.directory.extend([0; 6]);
        self.directory.extend(((REGULAR_FILE | permissions) << 16).to_le_bytes());
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.count = self.count.checked_add(1).context("the archive has too many files")?;
        Ok(())
    }

    /// The whole archive.
    pub(super) fn finish(mut self) -> anyhow::Result<Vec<u8>> {
        let start = u32::try_from(self.files.len()).context("the archive is too large")?;
        let length = u32::try_from(self.directory.len()).context("the directory is too large")?;
        self.files.extend(self.directory);
        self.files.extend(b"PK\x05\x06\0\0\0\0");
        self.files.extend(self.count.to_le_bytes());
        self.files.extend(self.count.to_le_bytes());
        self.files.extend(length.to_le_bytes());
        self.files.extend(start.to_le_bytes());
        self.files.extend(0_u16.to_le_bytes());
        Ok(self.files)
    }
}
