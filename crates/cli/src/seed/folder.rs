//! Reads and writes a seed's folder through its descriptor, a name at a time, and never through a symbolic link:
//! nothing outside it is read or written, whatever is put there meanwhile.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, mkdirat, openat, statat};

use super::seed_error::SeedError;

/// The longest path of a file that could be a key's, with the bucket in front.
const PATH_BYTES_MAX: usize = 1023 + 1 + 63;
const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::RDONLY).union(OFlags::CLOEXEC);

/// An opened folder.
#[derive(Debug)]
pub(super) struct Folder {
    root: OwnedFd,
    path: PathBuf,
}

/// Something in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    File,
    Folder,
}

impl Folder {
    /// Opens a folder; it may itself be a symbolic link, which whoever names it has chosen.
    pub(super) fn open(path: &Path) -> Result<Folder, SeedError> {
        let root = openat(CWD, path, FOLDER, Mode::empty());
        let root = root.map_err(|errno| SeedError::file("read", path)(errno.into()))?;
        Ok(Folder { root, path: path.to_path_buf() })
    }

    /// Makes a folder, or opens an empty one.
    pub(super) fn open_empty(path: &Path) -> Result<Folder, SeedError> {
        std::fs::create_dir_all(path).map_err(SeedError::file("made", path))?;
        let folder = Folder::open(path)?;
        let mut entries = std::fs::read_dir(path).map_err(SeedError::file("read", path))?;
        if entries.next().is_none() {
            Ok(folder)
        } else {
            Err(SeedError::NotEmpty { path: path.to_path_buf() })
        }
    }

    /// The path that it was opened by.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The names in a folder in it (`""` for itself), sorted, with what each is. At the top, hidden names are what
    /// other programs keep there and are passed over.
    ///
    /// # Errors
    /// [`SeedError::Kind`] for what is neither file nor folder, [`SeedError::Misplaced`] for a name that is no text
    /// or too long for a key.
    pub(super) fn names(&self, within: &str) -> Result<Vec<(String, Kind)>, SeedError> {
        let path = self.path.join(within);
        let failed = |errno: rustix::io::Errno| SeedError::file("read", &path)(errno.into());
        let opened = self.descend(within).map_err(SeedError::file("read", &path))?;
        let mut names = Vec::new();
        for entry in Dir::read_from(&opened).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_owned();
            let bytes = name.to_bytes();
            if matches!(bytes, b"." | b"..") || (within.is_empty() && bytes.starts_with(b".")) {
                continue;
            }
            let shown = join(within, &name.to_string_lossy());
            let Ok(text) = name.to_str() else {
                return Err(misplaced(shown, "has a name that is not UTF-8, which no key can be"));
            };
            if shown.len() > PATH_BYTES_MAX {
                return Err(misplaced(shown, "is longer than a key can be"));
            }
            let found = statat(&opened, &*name, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
            names.push((text.to_owned(), kind(FileType::from_raw_mode(found.st_mode), shown)?));
        }
        names.sort();
        Ok(names)
    }

    /// Opens a file to be read.
    pub(super) fn read(&self, path: &str) -> Result<File, SeedError> {
        let shown = self.path.join(path);
        let opened = self.within(path, |folder, name| {
            // A pipe that took the file's place would be waited for.
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
            Ok(File::from(openat(folder, name, flags, Mode::empty())?))
        });
        let file = opened.map_err(SeedError::file("read", &shown))?;
        let metadata = file.metadata().map_err(SeedError::file("read", &shown))?;
        if metadata.is_file() { Ok(file) } else { Err(SeedError::Changed { path: path.to_owned() }) }
    }

    /// Makes a file that is not there, and the folders above it that are not.
    pub(super) fn create(&self, path: &str) -> io::Result<File> {
        let mut above = String::new();
        for name in path.rsplit_once('/').map(|(above, _)| above.split('/')).into_iter().flatten() {
            let within = above.clone();
            above = join(&within, name);
            match mkdirat(self.descend(&within)?, name, Mode::RWXU) {
                Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        self.within(path, |folder, name| {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            Ok(File::from(openat(folder, name, flags, Mode::RUSR | Mode::WUSR)?))
        })
    }

    /// Makes a folder that only its owner may look into.
    pub(super) fn make(&self, name: &str) -> Result<(), SeedError> {
        let made = mkdirat(&self.root, name, Mode::RWXU);
        made.map_err(|errno| SeedError::file("made", &self.path.join(name))(errno.into()))
    }

    /// Writes a file at the top that is there anew.
    pub(super) fn replace(&self, name: &str, text: &str) -> Result<(), SeedError> {
        let flags = OFlags::WRONLY | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = openat(&self.root, name, flags, Mode::empty()).map(File::from).map_err(io::Error::from);
        let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(SeedError::file("written", &self.path.join(name)))
    }

    fn within<T>(&self, path: &str, of: impl FnOnce(&OwnedFd, &str) -> io::Result<T>) -> io::Result<T> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        of(&self.descend(folder)?, name)
    }

    /// The folder at this path in it, none of which is a link.
    fn descend(&self, path: &str) -> io::Result<OwnedFd> {
        let mut at = openat(&self.root, ".", FOLDER, Mode::empty())?;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if name == ".." {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "it leads out of its folder"));
            }
            at = openat(&at, name, FOLDER | OFlags::NOFOLLOW, Mode::empty())?;
        }
        Ok(at)
    }
}

/// A path in the folder.
pub(super) fn join(within: &str, name: &str) -> String {
    if within.is_empty() { name.to_owned() } else { format!("{within}/{name}") }
}

/// A refusal of something that lies where it cannot be.
pub(super) fn misplaced(path: impl Into<String>, problem: impl Into<String>) -> SeedError {
    SeedError::Misplaced { path: path.into(), problem: problem.into() }
}

fn kind(found: FileType, path: String) -> Result<Kind, SeedError> {
    let what = match found {
        FileType::RegularFile => return Ok(Kind::File),
        FileType::Directory => return Ok(Kind::Folder),
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        _ => "a device",
    };
    Err(SeedError::Kind { path, what })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn no_link_is_followed_for_reading_or_writing() {
        let (outside, inside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(outside.path().join("secret"), "s").unwrap();
        let folder = Folder::open(inside.path()).unwrap();
        symlink(outside.path(), inside.path().join("away")).unwrap();
        symlink(outside.path().join("secret"), inside.path().join("file")).unwrap();
        assert!(matches!(folder.names(""), Err(SeedError::Kind { what: "a symbolic link", .. })));
        assert!(folder.names("away").is_err());
        for path in ["away/secret", "file", "../secret", "a/../../secret"] {
            assert!(folder.read(path).is_err(), "{path}");
        }
        for path in ["away/new", "file", "away/deeper/new", "../new"] {
            assert!(folder.create(path).is_err(), "{path}");
        }
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_is_made_once_with_the_folders_above_it() {
        let inside = tempfile::tempdir().unwrap();
        let folder = Folder::open_empty(&inside.path().join("new/deeper")).unwrap();
        folder.create("a/b/c.txt").unwrap().write_all(b"x").unwrap();
        assert_eq!(folder.create("a/b/c.txt").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        let mut text = String::new();
        folder.read("a/b/c.txt").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "x");
        assert_eq!(folder.names("a").unwrap(), [("b".to_owned(), Kind::Folder)]);
        assert!(matches!(
            Folder::open_empty(&inside.path().join("new/deeper")),
            Err(SeedError::NotEmpty { .. })
        ));
        assert!(folder.read("a/b").is_err(), "a folder is no file");
    }
}
