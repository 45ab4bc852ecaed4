//! Writes a large body to a file of its own, durable at the end: through the page cache with write-back started every
//! few megabytes, or past it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::{FallocateFlags, OFlags};

/// Write-back is started for every stretch of this size.
const WRITE_BACK_BYTES: u64 = 8 << 20;
/// One write past the page cache; its memory must begin at a multiple of [`ALIGNMENT`].
const DIRECT_BYTES: usize = 1 << 20;
const ALIGNMENT: usize = 4096;

/// A file that is being written.
pub(crate) struct LargeFile {
    file: File,
    written: u64,
    direct: Option<AlignedBuffer>,
}

impl LargeFile {
    /// Makes a file that will be about this long.
    pub(crate) fn create(path: &Path, expected_bytes: u64, direct: bool) -> io::Result<LargeFile> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true);
        if direct {
            options.custom_flags(OFlags::DIRECT.bits().cast_signed());
        }
        let file = options.open(path)?;
        if direct {
            rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, expected_bytes.max(1))?;
        }
        Ok(LargeFile { file, written: 0, direct: direct.then(AlignedBuffer::new) })
    }

    /// Appends.
    pub(crate) fn append(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let Some(buffer) = &mut self.direct else { return self.append_cached(bytes) };
        while !bytes.is_empty() {
            bytes = buffer.fill(bytes);
            if let Some(full) = buffer.take_if_full() {
                self.file.write_all_at(full, self.written)?;
                self.written += full.len() as u64;
            }
        }
        Ok(())
    }

    /// Makes all of it durable and says how long it is.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        if let Some(buffer) = &mut self.direct {
            let (rest, meant) = buffer.take_rest();
            self.file.write_all_at(rest, self.written)?;
            self.written += meant as u64;
            self.file.set_len(self.written)?;
        }
        self.file.sync_all()?;
        Ok(self.written)
    }

    fn append_cached(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.written)?;
        let before = self.written / WRITE_BACK_BYTES;
        self.written += bytes.len() as u64;
        let stretches = self.written / WRITE_BACK_BYTES - before;
        if stretches > 0 {
            let (offset, len) = (before * WRITE_BACK_BYTES, stretches * WRITE_BACK_BYTES);
            countersign_sys::sync_file_range_write(self.file.as_fd(), offset, len)?;
        }
        Ok(())
    }
}

/// Memory that begins where the disk wants it: a part of a larger vector.
struct AlignedBuffer {
    bytes: Vec<u8>,
    begins_at: usize,
    filled: usize,
}

impl AlignedBuffer {
    fn new() -> AlignedBuffer {
        let bytes = vec![0u8; DIRECT_BYTES + ALIGNMENT];
        let begins_at = bytes.as_ptr().align_offset(ALIGNMENT);
        AlignedBuffer { bytes, begins_at, filled: 0 }
    }

    /// Takes what fits and answers what does not.
    fn fill<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (now, later) = bytes.split_at(bytes.len().min(DIRECT_BYTES - self.filled));
        let from = self.begins_at + self.filled;
        if let Some(room) = self.bytes.get_mut(from..from + now.len()) {
            room.copy_from_slice(now);
        }
        self.filled += now.len();
        later
    }

    fn take_if_full(&mut self) -> Option<&[u8]> {
        if self.filled < DIRECT_BYTES {
            return None;
        }
        self.filled = 0;
        self.bytes.get(self.begins_at..self.begins_at + DIRECT_BYTES)
    }

    /// What is left, made up to a whole number of blocks, and how much of it is meant.
    fn take_rest(&mut self) -> (&[u8], usize) {
        let meant = std::mem::take(&mut self.filled);
        let end = self.begins_at + meant.next_multiple_of(ALIGNMENT);
        (self.bytes.get(self.begins_at..end).unwrap_or_default(), meant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_write_the_same_bytes() {
        // Not in memory: a file system there may know no direct writing.
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let bytes: Vec<u8> = (0..3_000_001u32).map(|n| (n % 251) as u8).collect();
        for direct in [false, true] {
            let path = folder.path().join("large");
            let mut file = LargeFile::create(&path, bytes.len() as u64, direct).unwrap();
            bytes.chunks(70_001).for_each(|chunk| file.append(chunk).unwrap());
            assert_eq!(file.finish().unwrap(), bytes.len() as u64, "direct: {direct}");
            assert!(std::fs::read(&path).unwrap() == bytes, "direct: {direct}");
        }
    }
}
