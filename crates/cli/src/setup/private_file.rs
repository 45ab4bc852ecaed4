//! Writes files that only their owner may read, whole or not at all.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Writes a file that must not exist yet, with mode 0600. A crash leaves either the whole file or none.
///
/// `durable` is whether it is synced, which what is thrown away with the process need not be.
pub(crate) fn write_new(path: &Path, content: &[u8], durable: bool) -> io::Result<()> {
    written(path, content, durable)
}

/// As [`write_new`], for what matters only while this process runs: nothing is synced.
pub(crate) fn write_new_unsynced(path: &Path, content: &[u8]) -> io::Result<()> {
    written(path, content, false)
}

fn written(path: &Path, content: &[u8], durable: bool) -> io::Result<()> {
    let draft = path.with_extension("draft");
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(content)?;
    if durable {
        file.sync_all()?;
    }
    // A link refuses a name that is taken, where a rename would overwrite it.
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    linked
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn is_for_its_owner_only_and_never_overwrites() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.pem");
        write_new(&path, b"one", true).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(write_new(&path, b"two", true).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
