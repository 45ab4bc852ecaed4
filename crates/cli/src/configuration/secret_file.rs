//! Reads secrets from files: `COUNTERSIGN_TOKEN_FILE=/run/secrets/token` for `COUNTERSIGN_TOKEN`, and so for every
//! secret.
//!
//! A file that others may write is refused, for they would choose the secret. One that others may read is read with a
//! warning: container engines mount secrets so, and within a container there may be no other user.
//!
//! A file that others may write is refused, for they would choose the secret. One that others may read is read and
//! warned of: container engines mount secrets so, and within a container there may be nobody else.

use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// The longest secret.
const BYTES_MAX: u64 = 64 * 1024;

/// A secret that was read.
pub(super) struct Secret {
    pub(super) value: std::ffi::OsString,
    /// Whether every user of the machine may read the file.
    pub(super) open: bool,
}

/// Reads a secret; one line break at its end does not belong to it.
///
/// # Errors
/// What is wrong with the file, to stand behind its name.
pub(super) fn read(path: &Path) -> Result<Secret, String> {
    let mut file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let metadata = file.metadata().map_err(|error| format!("cannot be read: {error}"))?;
    if metadata.is_dir() {
        return Err("is a folder".to_owned());
    }
    if metadata.is_file() && metadata.permissions().mode() & 0o002 != 0 {
        return Err("may be written by every user of this machine; run chmod o-w on it".to_owned());
    }
    let mut bytes = Vec::new();
    file.by_ref()
        .take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err("is longer than a secret can be".to_owned());
    }
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    if bytes.is_empty() {
        return Err("is empty".to_owned());
    }
    Ok(Secret { value: std::ffi::OsString::from_vec(bytes), open: is_open(&metadata) })
}

/// Whether every user of the machine may read this file.
pub(super) fn is_open(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.permissions().mode() & 0o004 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &[u8], mode: u32) -> Result<(String, bool), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        read(&path).map(|secret| (secret.value.into_string().unwrap(), secret.open))
    }

    #[test]
    fn one_line_break_at_the_end_is_not_part_of_a_secret() {
        assert_eq!(with(b"abc\n", 0o600), Ok(("abc".to_owned(), false)));
        assert_eq!(with(b"abc\r\n", 0o640), Ok(("abc".to_owned(), false)));
        assert_eq!(with(b" abc \n\n", 0o444), Ok((" abc \n".to_owned(), true)));
    }

    #[test]
    fn refuses_secret_files_that_others_can_write_and_malformed_secrets() {
        assert!(with(b"abc", 0o602).unwrap_err().contains("chmod"));
        assert!(with(b"\n", 0o600).unwrap_err().contains("empty"));
        assert!(with(&vec![b'a'; 65 * 1024], 0o600).is_err());
        assert!(read(Path::new("/")).err().unwrap().contains("folder"));
        assert!(read(Path::new("/nonexistent/secret")).err().unwrap().contains("cannot be read"));
    }
}
