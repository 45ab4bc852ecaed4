//! Writes a blob: a file without a name, filled in order and in whole pages, its write-back started every 8 MiB,
//! synced at the end.

use super::failures::{failed, off_thread, sync_failed};
use super::options::{LocalFilesOptions, RANDOM_BYTES};
use super::publisher::Publisher;
use super::reading;
use super::staged_file::StagedFile;
use crate::Random;
use crate::blobs::BlobError;
use crate::blobs::device::{Device, DeviceFile};
use crate::blobs::{BlobId, BlobWriter, Chunks, SealedBytes, Work};
use bytes::Bytes;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How much is written before its write-back is started. Without it, the closing fdatasync has it all to do.
const WRITE_BACK_BYTES: u64 = 8 * 1024 * 1024;
/// What is written is a multiple of this, but for the end: a page that is written in two parts is written twice.
const PAGE_BYTES: usize = 4096;
/// Announced lengths from here on are checked against the free space first.
const CHECKED_BYTES: u64 = 1024 * 1024;

/// Where and how blobs are staged.
#[derive(Debug)]
pub(super) struct Staging {
    device: Arc<dyn Device>,
    folder: PathBuf,
    random: Random,
    durable: bool,
    unnamed: bool,
}

impl Staging {
    /// Makes the folder, and finds out whether files without a name can be used there.
    pub(super) fn open(options: &LocalFilesOptions) -> Result<Staging, BlobError> {
        let staging = Staging::untouched(options);
        super::folders::make_folder(&*staging.device, &staging.folder, staging.durable)?;
        let unnamed = options.unnamed_files && can_link_unnamed(&*staging.device, &staging.folder);
        Ok(Staging { unnamed, ..staging })
    }

    /// For whoever does not stage anything.
    pub(super) fn untouched(options: &LocalFilesOptions) -> Staging {
        let (device, folder) = (Arc::clone(&options.device), options.folder.join("staged"));
        let random = options.random.clone();
        Staging { device, folder, random, durable: options.durable, unnamed: false }
    }

    /// Discards what a crash left staged.
    pub(super) fn sweep(&self) -> Result<(), BlobError> {
        for name in self.device.names_in(&self.folder).map_err(failed("reading the staged blobs"))? {
            self.device.remove(&self.folder.join(name)).map_err(failed("sweeping a staged blob"))?;
        }
        Ok(())
    }

    pub(super) fn create(&self, expected_bytes: Option<u64>) -> Result<StagedFile, BlobError> {
        if expected_bytes.is_some_and(|bytes| bytes >= CHECKED_BYTES && !self.has_space(bytes)) {
            return Err(BlobError::Full);
        }
        if self.unnamed {
            let file = self.device.create_unnamed(&self.folder).map_err(failed("staging a blob"))?;
            return Ok(self.staged(file, None));
        }
        let random = self.random.bytes::<RANDOM_BYTES>().map_err(failed("drawing a random name"))?;
        let path = self.folder.join(random.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        let file = self.device.create(&path).map_err(failed("staging a blob"))?;
        Ok(self.staged(file, Some(path)))
    }

    fn staged(&self, file: Arc<dyn DeviceFile>, path: Option<PathBuf>) -> StagedFile {
        StagedFile { device: Arc::clone(&self.device), file, path }
    }

    fn has_space(&self, bytes: u64) -> bool {
        self.device.free_bytes(&self.folder).map_or(true, |free| free > bytes)
    }
}

/// Tries it: some file systems have no such files, and without /proc they cannot be given a name.
fn can_link_unnamed(device: &dyn Device, folder: &Path) -> bool {
    let Ok(file) = device.create_unnamed(folder) else { return false };
    let trial = folder.join("trial");
    let linked = file.link(&trial);
    let _swept_later = device.remove(&trial);
    match linked {
        Ok(()) => true,
        Err(error) => {
            tracing::info!(%error, "blobs are staged under names, since unnamed files cannot be linked here");
            false
        }
    }
}

/// A blob that is being written.
pub(super) struct FileWriter {
    staging: Arc<Staging>,
    publisher: Arc<Publisher>,
    expected_bytes: Option<u64>,
    progress: Arc<Mutex<Progress>>,
}

/// Whether a blob's last bytes are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    ToCome,
    Come,
}

#[derive(Default)]
struct Progress {
    staged: Option<StagedFile>,
    /// The begun page behind what is written.
    rest: Vec<u8>,
    written: u64,
    write_back_started: u64,
}

impl FileWriter {
    /// Touches nothing before the first bytes.
    pub(super) fn new(
        staging: Arc<Staging>,
        publisher: Arc<Publisher>,
        expected_bytes: Option<u64>,
    ) -> FileWriter {
        FileWriter { staging, publisher, expected_bytes, progress: Arc::default() }
    }
}

impl Progress {
    fn append(
        &mut self,
        staging: &Staging,
        expected_bytes: Option<u64>,
        chunks: &[Bytes],
        end: End,
    ) -> Result<&StagedFile, BlobError> {
        let staged = match self.staged.take() {
            Some(staged) => staged,
            None => staging.create(expected_bytes)?,
        };
        let staged = self.staged.insert(staged);
        let bytes = self.rest.len() + chunks.iter().map(Bytes::len).sum::<usize>();
        let left = if end == End::Come { 0 } else { bytes % PAGE_BYTES };
        let (mut slices, rest) = split_behind(&self.rest, chunks, bytes - left);
        write_all(&*staged.file, &mut slices, self.written).map_err(failed("writing a blob"))?;
        self.rest = rest;
        self.written += (bytes - left) as u64;
        let pending = self.written - self.write_back_started;
        if staging.durable && pending >= WRITE_BACK_BYTES {
            let start = self.write_back_started;
            if let Err(error) = staged.file.start_write_back(start, pending) {
                tracing::debug!(%error, "write-back was not started early");
            }
            self.write_back_started = self.written;
        }
        Ok(staged)
    }
}

/// The first bytes of what is there, to be written, and a copy of those behind them.
fn split_behind<'a>(begun: &'a [u8], chunks: &'a [Bytes], first: usize) -> (Vec<IoSlice<'a>>, Vec<u8>) {
    let (mut slices, mut rest, mut room) = (Vec::with_capacity(chunks.len() + 1), Vec::new(), first);
    for bytes in std::iter::once(begun).chain(chunks.iter().map(|chunk| &chunk[..])) {
        let (now, later) = bytes.split_at(bytes.len().min(room));
        room -= now.len();
        slices.push(IoSlice::new(now));
        rest.extend_from_slice(later);
    }
    (slices, rest)
}

/// Writes all slices, many to a call.
fn write_all(file: &dyn DeviceFile, mut slices: &mut [IoSlice<'_>], mut offset: u64) -> io::Result<()> {
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match file.write_at(slices, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                offset += written as u64;
                IoSlice::advance_slices(&mut slices, written);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl BlobWriter for FileWriter {
    fn append(&mut self, chunks: Chunks) -> Work<Result<(), BlobError>> {
        let (staging, progress) = (Arc::clone(&self.staging), Arc::clone(&self.progress));
        let expected_bytes = self.expected_bytes;
        off_thread(move || {
            let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
            progress.append(&staging, expected_bytes, &chunks, End::ToCome).map(|_| ())
        })
    }

    fn seal(self: Box<Self>, last: Chunks) -> Work<Result<Box<dyn SealedBytes>, BlobError>> {
        off_thread(move || {
            let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
            let staged = progress.append(&self.staging, self.expected_bytes, &last, End::Come)?;
            if self.staging.durable {
                staged.file.sync_data().map_err(sync_failed)?;
            }
            let staged = progress.staged.take().ok_or(BlobError::WorkerLost)?;
            Ok(Box::new(SealedFile { staged, publisher: Arc::clone(&self.publisher) })
                as Box<dyn SealedBytes>)
        })
    }
}

/// Durable bytes whose file has no lasting name yet.
#[derive(Debug)]
struct SealedFile {
    staged: StagedFile,
    publisher: Arc<Publisher>,
}

impl SealedBytes for SealedFile {
    fn read_at(&self, offset: u64, len: usize) -> Work<Result<Bytes, BlobError>> {
        let file = Arc::clone(&self.staged.file);
        off_thread(move || reading::read_at(&*file, offset, len))
    }

    fn publish(self: Box<Self>) -> Work<Result<BlobId, BlobError>> {
        self.publisher.publish(self.staged)
    }
}
