//! How to open a folder of blobs.

use crate::Random;
use crate::blobs::device::{Device, LocalDisk};
use std::path::PathBuf;
use std::sync::Arc;

/// Random bytes in a blob's name, behind the number of its folder; those of one without a folder yet are all its name.
pub(super) const RANDOM_BYTES: usize = 12;

/// How to open a folder of blobs.
#[derive(Debug, Clone)]
pub struct LocalFilesOptions {
    /// The folder; made when it is not there.
    pub folder: PathBuf,
    /// Whether files and their names are synced.
    pub durable: bool,
    /// Whether files without a name may be used where the system has them.
    pub unnamed_files: bool,
    /// The file system.
    pub device: Arc<dyn Device>,
    /// What the names of blobs are drawn from.
    pub random: Random,
}

impl LocalFilesOptions {
    /// The defaults, in this folder of the real file system.
    pub fn new(folder: impl Into<PathBuf>) -> LocalFilesOptions {
        LocalFilesOptions {
            folder: folder.into(),
            durable: true,
            unnamed_files: true,
            device: Arc::new(LocalDisk),
            random: Random::system(),
        }
    }
}
