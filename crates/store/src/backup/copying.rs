//! Brings blobs into a backup: cloned or linked where data and backup share a file system, copied where not, left
//! alone where an older backup has them already.
//!
//! A blob never changes, so a second name for the same file is as good as a copy against a deletion, though not
//! against rot. It gets its name in the backup by a link or a rename, after its bytes are durable: a file under
//! its name is a whole one.

use super::backup_error::{BackupError, failed};
use super::files::{self, Poured};
use super::manifest::Summed;
use super::names;
use crate::blobs::{BlobId, blob_path};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How a blob was taken along.
pub(super) enum Taken {
    /// An older backup had it.
    There,
    /// Its bytes are shared with the data folder.
    Shared,
    /// So many bytes were copied.
    Copied(u64),
    /// It was taken as it lies, which is not as it was acknowledged.
    Damaged { bytes: u64, what: String },
    /// It could not be taken.
    Not(String),
}

/// Takes blobs from one folder to another.
pub(super) struct Copier {
    from: PathBuf,
    to: PathBuf,
    copy: bool,
    touched: BTreeSet<PathBuf>,
}

impl Copier {
    /// `copy` shares no bytes.
    pub(super) fn new(from: &Path, to: PathBuf, copy: bool) -> Copier {
        Copier { from: from.to_path_buf(), to, copy, touched: BTreeSet::new() }
    }

    /// Where a blob lies in the data folder.
    pub(super) fn source_of(&self, id: BlobId) -> PathBuf {
        blob_path(&self.from, id)
    }

    /// Takes one along.
    pub(super) fn take(&mut self, id: BlobId, expected: Option<&Summed>) -> Result<Taken, BackupError> {
        let (from, to) = (self.source_of(id), blob_path(&self.to, id));
        let there = fs::metadata(&to).ok().map(|there| there.len());
        if there.is_some() && there == expected.map(|expected| expected.len) {
            // Whole there, whatever has become of it in the data folder.
            self.touched.extend(to.parent().map(Path::to_path_buf));
            return Ok(Taken::There);
        }
        let len = match fs::metadata(&from) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Taken::Not("it is missing".into()));
            }
            Err(error) => return Ok(Taken::Not(error.to_string())),
        };
        if expected.is_none() && there == Some(len) {
            self.touched.extend(to.parent().map(Path::to_path_buf));
            return Ok(Taken::There);
        }
        if let Some(folder) = to.parent()
            && self.touched.insert(folder.to_path_buf())
        {
            files::make_folder(folder)?;
        }
        let draft = self.to.join("draft");
        names::remove(&draft)?;
        names::remove(&to)?;
        if !self.copy && (clone(&from, &draft).is_ok() || link(&from, &draft)) {
            names::rename(&draft, &to)?;
            return Ok(match expected.filter(|expected| expected.len != len) {
                None => Taken::Shared,
                Some(expected) => Taken::Damaged {
                    bytes: 0,
                    what: format!("{len} bytes are there of what were {}", expected.len),
                },
            });
        }
        self.copy_bytes(&from, &draft, &to, expected)
    }

    fn copy_bytes(
        &self,
        from: &Path,
        draft: &Path,
        to: &Path,
        expected: Option<&Summed>,
    ) -> Result<Taken, BackupError> {
        let mut source = match File::open(from) {
            Ok(source) => source,
            Err(error) => return Ok(Taken::Not(error.to_string())),
        };
        let mut target = create(draft).map_err(failed("written", draft))?;
        let summed = match files::pour(&mut source, Some(&mut target)) {
            Ok(summed) => summed,
            Err(Poured::Read(error)) => return Ok(Taken::Not(error.to_string())),
            Err(Poured::Write(error)) => return Err(failed("written", draft)(error)),
        };
        target.sync_all().map_err(failed("written", draft))?;
        names::rename(draft, to)?;
        let bytes = summed.len;
        Ok(match expected.and_then(|expected| expected.difference(&summed)) {
            None => Taken::Copied(bytes),
            Some(what) => Taken::Damaged { bytes, what },
        })
    }

    /// Makes the names of all that were taken durable.
    pub(super) fn sync_folders(&self) -> Result<(), BackupError> {
        self.touched.iter().try_for_each(|folder| files::sync_folder(folder))?;
        files::sync_folder(&self.to)
    }
}

fn create(path: &Path) -> std::io::Result<File> {
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

/// A file of its own that shares its bytes until one of them is changed; few file systems can.
fn clone(from: &Path, to: &Path) -> std::io::Result<()> {
    let (source, target) = (File::open(from)?, create(to)?);
    match rustix::fs::ioctl_ficlone(&target, &source) {
        Ok(()) => target.sync_all(),
        Err(errno) => {
            fs::remove_file(to)?;
            Err(errno.into())
        }
    }
}

fn link(from: &Path, to: &Path) -> bool {
    fs::hard_link(from, to).is_ok()
}
