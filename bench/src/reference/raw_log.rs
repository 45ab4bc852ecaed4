//! A write-ahead log: records of key and bytes one after the other, and one committer that writes all that has
//! gathered with one write and one fdatasync (group commit). An append returns when its record is on the disk.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rustix::fs::FallocateFlags;

/// Space is taken from the file system in steps of this size, so that a commit changes no file size.
pub(super) const STEP_BYTES: u64 = 2 << 30;
/// A buffer that a burst made larger than this is given back.
const SPARE_BYTES_MAX: usize = 64 << 20;

/// The log.
pub(super) struct RawLog {
    file: File,
    step_bytes: u64,
    gathered: Mutex<Gathered>,
    something_gathered: Condvar,
    committed: Condvar,
}

#[derive(Default)]
struct Gathered {
    /// Records that no commit has taken yet.
    buffer: Vec<u8>,
    /// Where in the file they will be.
    begins_at: u64,
    /// How many records were ever appended, and how many of them are on the disk.
    appended: u64,
    durable: u64,
}

impl RawLog {
    /// Makes an empty log that takes space in such steps.
    pub(super) fn create(path: &Path, step_bytes: u64) -> io::Result<RawLog> {
        let file = OpenOptions::new().create(true).read(true).write(true).truncate(true).open(path)?;
        rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, step_bytes)?;
        let (gathered, condition) = (Mutex::default(), Condvar::new);
        Ok(RawLog { file, step_bytes, gathered, something_gathered: condition(), committed: condition() })
    }

    /// Appends a record, waits until it is on the disk, and says where in the file its bytes are.
    pub(super) fn append(&self, key: &str, bytes: &[u8]) -> u64 {
        let mut gathered = self.lock();
        gathered.buffer.extend_from_slice(&(key.len() as u32).to_le_bytes());
        gathered.buffer.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        gathered.buffer.extend_from_slice(key.as_bytes());
        let at = gathered.begins_at + gathered.buffer.len() as u64;
        gathered.buffer.extend_from_slice(bytes);
        gathered.appended += 1;
        let mine = gathered.appended;
        self.something_gathered.notify_one();
        while gathered.durable < mine {
            gathered = self.committed.wait(gathered).unwrap_or_else(PoisonError::into_inner);
        }
        at
    }

    /// Fills a buffer from what was appended.
    pub(super) fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(bytes, offset)
    }

    /// The file, for `sendfile`.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Commits what gathers, for ever.
    pub(super) fn commit_forever(&self) -> io::Result<()> {
        let mut spare = Vec::new();
        let mut allocated = self.step_bytes;
        loop {
            let mut gathered = self.lock();
            while gathered.buffer.is_empty() {
                gathered = self.something_gathered.wait(gathered).unwrap_or_else(PoisonError::into_inner);
            }
            let batch = std::mem::replace(&mut gathered.buffer, std::mem::take(&mut spare));
            let (offset, last) = (gathered.begins_at, gathered.appended);
            gathered.begins_at += batch.len() as u64;
            drop(gathered);
            while offset + batch.len() as u64 > allocated {
                rustix::fs::fallocate(&self.file, FallocateFlags::empty(), allocated, self.step_bytes)?;
                allocated += self.step_bytes;
            }
            self.file.write_all_at(&batch, offset)?;
            self.file.sync_data()?;
            self.lock().durable = last;
            self.committed.notify_all();
            if batch.capacity() <= SPARE_BYTES_MAX {
                spare = batch;
                spare.clear();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn every_record_is_where_its_append_said() {
        let folder = tempfile::tempdir().unwrap();
        let log = Arc::new(RawLog::create(&folder.path().join("log"), 4096).unwrap());
        let committer = Arc::clone(&log);
        std::thread::spawn(move || committer.commit_forever());
        let appenders: Vec<_> = (0..4u8)
            .map(|writer| {
                let log = Arc::clone(&log);
                std::thread::spawn(move || {
                    (0..20).map(|_| log.append("key", &[writer; 100])).collect::<Vec<u64>>()
                })
            })
            .collect();
        for (writer, appender) in appenders.into_iter().enumerate() {
            for at in appender.join().unwrap() {
                let mut bytes = [0; 100];
                log.read_at(&mut bytes, at).unwrap();
                assert_eq!(bytes, [writer as u8; 100]);
            }
        }
    }
}
