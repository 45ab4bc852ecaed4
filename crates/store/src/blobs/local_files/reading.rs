//! Reading blobs. An open file stays readable when its name is deleted, so a reader needs no other protection.

use super::{BlobError, failed, off_thread};
use crate::blobs::{BlobReader, OpenedBlob, Work};
use bytes::Bytes;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// Opens a published blob and reads its first bytes.
pub(super) fn open(path: &Path, offset: u64, len: usize) -> Result<OpenedBlob, BlobError> {
    let file = File::open(path).map_err(failed("opening a blob"))?;
    let first = read_at(&file, offset, len)?;
    Ok(OpenedBlob { reader: Arc::new(FileReader(Arc::new(file))), first })
}

/// Reads at most `len` bytes, fewer only at the file's end.
pub(super) fn read_at(file: &File, offset: u64, len: usize) -> Result<Bytes, BlobError> {
    let mut buffer = Vec::with_capacity(len);
    while buffer.len() < len {
        let at = offset.saturating_add(buffer.len() as u64);
        match rustix::io::pread(file, rustix::buffer::spare_capacity(&mut buffer), at) {
            Ok(0) => break,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(failed("reading a blob")(errno.into())),
        }
    }
    buffer.truncate(len);
    Ok(Bytes::from(buffer))
}

#[derive(Debug)]
struct FileReader(Arc<File>);

impl BlobReader for FileReader {
    fn read_at(&self, offset: u64, len: usize) -> Work<Result<Bytes, BlobError>> {
        let file = Arc::clone(&self.0);
        off_thread(move || read_at(&file, offset, len))
    }
}
