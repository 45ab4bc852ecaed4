//! Notices that the catalog's files were removed or replaced while they are open. What is written to such a file is
//! gone when the process ends, so that it must not be acknowledged.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Where each file lies and which file it is.
pub(super) struct InPlace(Vec<(PathBuf, FileNumber)>);

/// Device and inode.
type FileNumber = (u64, u64);

impl InPlace {
    /// The database in this file and its log, as they are now.
    pub(super) fn of(database: &Path) -> InPlace {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        let files = [database.to_owned(), log.into()];
        let known = files.into_iter().filter_map(|path| number(&path).ok().map(|number| (path, number)));
        InPlace(known.collect())
    }

    /// The name of one that is not where it was. That this cannot be seen, for want of rights, says nothing.
    pub(super) fn missing(&self) -> Option<String> {
        let gone = self.0.iter().find(|(path, known)| match number(path) {
            Ok(found) => found != *known,
            Err(error) => matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
        });
        gone.map(|(path, _)| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
    }
}

fn number(path: &Path) -> io::Result<FileNumber> {
    fs::metadata(path).map(|file| (file.dev(), file.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_gone_or_another_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (database, log) = (folder.path().join("c.sqlite"), folder.path().join("c.sqlite-wal"));
        fs::write(&database, "").unwrap();
        fs::write(&log, "").unwrap();
        let files = InPlace::of(&database);
        assert_eq!(files.missing(), None);
        let other = folder.path().join("other");
        fs::write(&other, "").unwrap();
        fs::hard_link(&log, folder.path().join("kept")).unwrap();
        fs::remove_file(&log).unwrap();
        assert_eq!(files.missing().as_deref(), Some("c.sqlite-wal"));
        fs::hard_link(&other, &log).unwrap();
        assert_eq!(files.missing().as_deref(), Some("c.sqlite-wal"), "another file");
        drop(folder);
        assert_eq!(files.missing().as_deref(), Some("c.sqlite"));
    }
}
