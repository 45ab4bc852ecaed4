//! Writes the far part of long files past the page cache (`O_DIRECT`).
//!
//! A video that is stored is seldom read at once, and filling pages with it costs more than hashing it saves: on a
//! machine that lends its free memory, every page is fetched anew. A file's beginning stays with the page cache, so
//! that a photograph is in memory when the application makes a thumbnail of it.
//!
//! The disk takes such a write from aligned memory only. The bytes are copied there, into a buffer that stays in
//! the processor's cache.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::{Mutex, PoisonError};

use rustix::fs::OFlags;

use crate::blobs::spare_pool::SparePool;

/// Up to here a file goes through the page cache.
const THROUGH_CACHE_BYTES: u64 = 4 * 1024 * 1024;
/// Memory, offset and length of a direct write are multiples of this. A disk with larger blocks refuses it.
const BLOCK_BYTES: usize = 4096;
/// The longest direct write.
const BUFFER_BYTES: usize = 256 * 1024;
/// How many buffers are kept when nobody uses them.
const SPARE_BUFFERS_MAX: usize = 4;

static SPARE: SparePool<AlignedBuffer> = SparePool::new(SPARE_BUFFERS_MAX);

/// The second opening of a file, by which it is written past the page cache.
#[derive(Debug, Default)]
pub(super) struct DirectWrites(Mutex<Opening>);

#[derive(Debug, Default)]
enum Opening {
    #[default]
    NotTried,
    Open(File),
    /// The file system has no such thing.
    Refused,
}

impl DirectWrites {
    /// Writes as many whole blocks as fit a buffer and says how many bytes they were; `None` when these bytes are
    /// to go through the page cache.
    ///
    /// # Errors
    /// What the system says of the write.
    pub(super) fn write_at(
        &self,
        file: &File,
        slices: &[IoSlice<'_>],
        offset: u64,
    ) -> io::Result<Option<usize>> {
        let aligned = offset.is_multiple_of(BLOCK_BYTES as u64);
        if offset < THROUGH_CACHE_BYTES || !aligned || total_bytes(slices) < BLOCK_BYTES {
            return Ok(None);
        }
        let mut opening = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*opening, Opening::NotTried) {
            *opening = open(file);
        }
        let Opening::Open(direct) = &*opening else { return Ok(None) };
        let mut buffer = SPARE.take().unwrap_or_else(AlignedBuffer::new);
        let written = direct.write_at(buffer.fill(slices), offset);
        SPARE.give_back(buffer);
        match written {
            Ok(written) => Ok(Some(written)),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                *opening = Opening::Refused;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

fn open(file: &File) -> Opening {
    let flags = OFlags::DIRECT.bits().cast_signed();
    // Through /proc, since the file may have no name.
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    match File::options().write(true).custom_flags(flags).open(path) {
        Ok(direct) => Opening::Open(direct),
        Err(error) => {
            tracing::debug!(%error, "a long file goes through the page cache");
            Opening::Refused
        }
    }
}

fn total_bytes(slices: &[IoSlice<'_>]) -> usize {
    slices.iter().map(|slice| slice.len()).sum()
}

/// Memory that begins where a disk wants it: a part of a larger vector.
#[derive(Debug)]
struct AlignedBuffer {
    bytes: Vec<u8>,
    begins_at: usize,
}

impl AlignedBuffer {
    fn new() -> AlignedBuffer {
        let bytes = vec![0; BUFFER_BYTES + BLOCK_BYTES];
        let begins_at = bytes.as_ptr().align_offset(BLOCK_BYTES);
        AlignedBuffer { bytes, begins_at }
    }

    /// As many whole blocks of these bytes as there is room for.
    fn fill(&mut self, slices: &[IoSlice<'_>]) -> &[u8] {
        let room = self.bytes.get_mut(self.begins_at..self.begins_at + BUFFER_BYTES);
        let room = room.expect("the buffer has a block more than it fills");
        let mut filled = 0;
        for slice in slices {
            let taken = slice.len().min(BUFFER_BYTES - filled);
            let (Some(to), Some(from)) = (room.get_mut(filled..filled + taken), slice.get(..taken)) else {
                break;
            };
            to.copy_from_slice(from);
            filled += taken;
        }
        room.get(..filled - filled % BLOCK_BYTES).expect("no more is filled than there is room")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    const START: u64 = THROUGH_CACHE_BYTES;

    fn file() -> (tempfile::TempDir, File) {
        // Not in memory: a file system there may know no direct writing.
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let path = folder.path().join("file");
        (folder, File::options().read(true).write(true).create_new(true).open(path).unwrap())
    }

    #[test]
    fn whole_blocks_are_written_and_the_rest_is_left() {
        let (_folder, mut file) = file();
        let bytes: Vec<u8> = (0..10_000_u32).map(|n| (n % 251) as u8).collect();
        let (one, two) = bytes.split_at(3_333);
        let written = DirectWrites::default().write_at(&file, &[IoSlice::new(one), IoSlice::new(two)], START);
        assert_eq!(written.unwrap(), Some(8192));
        let mut read = Vec::new();
        file.read_to_end(&mut read).unwrap();
        assert_eq!((read.len() as u64, &read[START as usize..]), (START + 8192, &bytes[..8192]));
    }

    #[test]
    fn no_more_is_written_at_once_than_fits_the_buffer() {
        let (_folder, file) = file();
        let bytes = vec![7; BUFFER_BYTES + 5000];
        let written = DirectWrites::default().write_at(&file, &[IoSlice::new(&bytes)], START);
        assert_eq!(written.unwrap(), Some(BUFFER_BYTES));
    }

    #[test]
    fn a_files_beginning_and_what_is_not_aligned_go_through_the_page_cache() {
        let (_folder, file) = file();
        let direct = DirectWrites::default();
        let bytes = vec![7; 8192];
        for (offset, len) in [(0, 8192), (START - 4096, 8192), (START + 1, 8192), (START, 4095), (START, 0)] {
            let written = direct.write_at(&file, &[IoSlice::new(&bytes[..len])], offset).unwrap();
            assert_eq!(written, None, "{len} bytes at {offset}");
        }
        assert_eq!(file.metadata().unwrap().len(), 0);
    }
}
