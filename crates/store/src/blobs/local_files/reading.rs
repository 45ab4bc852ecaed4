//! Reads blobs. An open file stays readable when its name is deleted, so a reader needs no other protection.

use super::failures::{failed, off_thread};
use super::read_buffer::ReadBuffer;
use crate::blobs::BlobError;
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
    fill(file, offset, ReadBuffer::of(len))
}

fn fill(file: &dyn DeviceFile, offset: u64, mut buffer: ReadBuffer) -> Result<Bytes, BlobError> {
    while !buffer.is_full() {
        let at = offset.saturating_add(buffer.filled() as u64);
        match file.read_at(buffer.room(), at) {
            Ok(0) => break,
            Ok(read) => buffer.advance(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed("reading a blob")(error)),
        }
    }
    Ok(buffer.into_bytes())
}

#[derive(Debug)]
struct FileReader(Arc<dyn DeviceFile>);

impl BlobReader for FileReader {
    fn read_at(&self, offset: u64, len: usize) -> Work<Result<Bytes, BlobError>> {
        let mut buffer = ReadBuffer::of(len);
        // Copying what is in memory takes less time than waking a thread for it. What the system refuses here it
        // refuses again, where it is told.
        if let Ok(Some(read)) = self.0.read_at_hand(buffer.room(), offset) {
            buffer.advance(read);
        }
        if buffer.is_full() {
            return Box::pin(std::future::ready(Ok(buffer.into_bytes())));
        }
        let file = Arc::clone(&self.0);
        off_thread(move || fill(&*file, offset, buffer))
    }
}
