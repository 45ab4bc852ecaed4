//! Reading blobs. An open file stays readable when its name is deleted, so a reader needs no other protection.

use super::spare_buffer::SpareBuffer;
use super::{BlobError, failed, off_thread};
use crate::blobs::device::DeviceFile;
use crate::blobs::{BlobReader, OpenedBlob, Work};
use bytes::Bytes;
use std::io;
use std::sync::Arc;

/// Reads the first bytes of a published blob that was opened.
pub(super) fn open(file: Arc<dyn DeviceFile>, offset: u64, len: usize) -> Result<OpenedBlob, BlobError> {
    let first = read_at(&*file, offset, len)?;
    Ok(OpenedBlob { reader: Arc::new(FileReader(file)), first })
}

/// Reads at most `len` bytes, fewer only at the file's end.
pub(super) fn read_at(file: &dyn DeviceFile, offset: u64, len: usize) -> Result<Bytes, BlobError> {
    let mut buffer = Vec::with_capacity(len);
    while buffer.len() < len {
        let at = offset.saturating_add(buffer.len() as u64);
        match file.read_at(&mut buffer, at) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed("reading a blob")(error)),
        }
    }
    buffer.truncate(len);
    Ok(Bytes::from(buffer))
}

/// All of these bytes, if they are in memory: copying them takes less time than waking a thread for it.
fn at_hand(file: &dyn DeviceFile, offset: u64, len: usize) -> Option<Bytes> {
    let mut buffer = SpareBuffer::take(len)?;
    match file.read_at_hand(buffer.room(), offset) {
        Ok(Some(read)) if read == len => Some(Bytes::from_owner(buffer)),
        // What the system refuses it refuses again, where it is told.
        _ => None,
    }
}

#[derive(Debug)]
struct FileReader(Arc<dyn DeviceFile>);

impl BlobReader for FileReader {
    fn read_at(&self, offset: u64, len: usize) -> Work<Result<Bytes, BlobError>> {
        if let Some(bytes) = at_hand(&*self.0, offset, len) {
            return Box::pin(std::future::ready(Ok(bytes)));
        }
        let file = Arc::clone(&self.0);
        off_thread(move || read_at(&*file, offset, len))
    }
}
