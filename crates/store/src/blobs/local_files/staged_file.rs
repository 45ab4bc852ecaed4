//! A file that no name in the store leads to yet; dropping it removes it.

use crate::blobs::device::{Device, DeviceFile};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that is not published; dropping it discards its bytes.
#[derive(Debug)]
pub(super) struct StagedFile {
    pub(super) device: Arc<dyn Device>,
    pub(super) file: Arc<dyn DeviceFile>,
    /// Its path where it has a name.
    pub(super) path: Option<PathBuf>,
}

impl StagedFile {
    /// Gives it its lasting name, which is not durable yet.
    pub(super) fn publish(mut self, to: &Path) -> io::Result<()> {
        match &self.path {
            None => self.file.link(to)?,
            Some(path) => self.device.rename(path, to)?,
        }
        // Its old name is gone already.
        self.path = None;
        Ok(())
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // What stays behind is swept at the next start.
            let _swept_later = self.device.remove(path);
        }
    }
}
