//! The manifest of a backup: a line for each file, with length and digests. Its last line has the number and the
//! CRC-64 of the lines before it, so that a manifest which ends early or was changed is noticed.

use super::backup_error::{BackupError, failed};
use crate::blobs::BlobId;
use crate::staged_blob::digest::Digests;
use crc_fast::{CrcAlgorithm, Digest as Crc};
use jiff::Timestamp;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Its name in the folder of its backup.
pub(super) const MANIFEST_FILE: &str = "manifest";
/// The first line.
const HEADING: &str = "countersign-backup 1";

/// What stands for a digest that is not there.
const NO_DIGEST: &str = "-";

/// Length and digests of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Summed {
    pub(super) len: u64,
    pub(super) crc64: u64,
    /// Not of every blob.
    pub(super) md5: Option<[u8; 16]>,
}

/// A file's length and digests in the making.
pub(super) struct Summing {
    len: u64,
    digests: Digests,
}

impl Summing {
    pub(super) fn new() -> Summing {
        Summing { len: 0, digests: Digests::new() }
    }

    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        self.digests.update(bytes);
    }

    pub(super) fn finish(self) -> Summed {
        let (md5, crc64) = self.digests.finish();
        Summed { len: self.len, crc64, md5 }
    }
}

impl Summed {
    /// How another differs from this, in words.
    pub(super) fn difference(&self, found: &Summed) -> Option<String> {
        if found.len != self.len {
            return Some(format!("{} bytes are there of what were {}", found.len, self.len));
        }
        let differs = found.crc64 != self.crc64 || (self.md5.is_some() && found.md5 != self.md5);
        differs.then(|| "its digests differ".to_owned())
    }

    fn words(&self) -> String {
        let md5 = self.md5.map_or(NO_DIGEST.to_owned(), |md5| format!("{:032x}", u128::from_be_bytes(md5)));
        format!("{} {:016x} {md5}", self.len, self.crc64)
    }

    fn parse(words: &[&str]) -> Option<Summed> {
        let [len, crc64, md5] = words else { return None };
        let md5 = match *md5 {
            NO_DIGEST => None,
            hex => Some(u128::from_str_radix(hex, 16).ok()?.to_be_bytes()),
        };
        Some(Summed { len: len.parse().ok()?, crc64: u64::from_str_radix(crc64, 16).ok()?, md5 })
    }
}

/// A line of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// A file of this backup alone.
    File { name: String, summed: Summed },
    /// A blob, which other backups may name too. One of several pieces has no digests of its own.
    Blob { id: BlobId, summed: Option<Summed> },
}

impl Entry {
    fn line(&self) -> String {
        match self {
            Entry::File { name, summed } => format!("file {} {name}\n", summed.words()),
            Entry::Blob { id, summed: Some(summed) } => format!("blob {id:?} {}\n", summed.words()),
            Entry::Blob { id, summed: None } => format!("piece {id:?}\n"),
        }
    }

    fn parse(line: &str) -> Option<Entry> {
        let words: Vec<&str> = line.splitn(5, ' ').collect();
        match words.as_slice() {
            ["file", len, crc64, md5, name] => {
                let summed = Summed::parse(&[len, crc64, md5])?;
                // A name is a file's in the backup's own folder, and nothing else.
                let plain = !name.contains('/') && !name.starts_with('.');
                plain.then(|| Entry::File { name: (*name).to_owned(), summed })
            }
            ["blob", id, len, crc64, md5] => {
                Some(Entry::Blob { id: blob_id(id)?, summed: Some(Summed::parse(&[len, crc64, md5])?) })
            }
            ["piece", id] => Some(Entry::Blob { id: blob_id(id)?, summed: None }),
            _ => None,
        }
    }
}

fn blob_id(hex: &str) -> Option<BlobId> {
    if hex.len() != 32 {
        return None;
    }
    Some(BlobId(u128::from_str_radix(hex, 16).ok()?.to_be_bytes()))
}

/// A manifest that is being written.
pub(super) struct Manifest {
    path: PathBuf,
    file: BufWriter<File>,
    crc64: Crc,
    entries: u64,
}

impl Manifest {
    /// In the folder of its backup.
    pub(super) fn begin(generation: &Path, taken: Timestamp) -> Result<Manifest, BackupError> {
        let path = generation.join(MANIFEST_FILE);
        let file = File::create(&path).map_err(failed("written", &path))?;
        let (file, crc64) = (BufWriter::new(file), Crc::new(CrcAlgorithm::Crc64Xz));
        let mut manifest = Manifest { path, file, crc64, entries: 0 };
        manifest.write(&format!("{HEADING}\ntaken {taken}\n"))?;
        Ok(manifest)
    }

    /// Adds a line.
    pub(super) fn add(&mut self, entry: &Entry) -> Result<(), BackupError> {
        self.entries += 1;
        self.write(&entry.line())
    }

    /// Ends it, durably.
    pub(super) fn end(mut self) -> Result<(), BackupError> {
        let end = format!("end {} {:016x}\n", self.entries, self.crc64.finalize());
        let written = self.file.write_all(end.as_bytes()).and_then(|()| self.file.flush());
        written.and_then(|()| self.file.get_ref().sync_all()).map_err(failed("written", &self.path))
    }

    fn write(&mut self, lines: &str) -> Result<(), BackupError> {
        self.crc64.update(lines.as_bytes());
        self.file.write_all(lines.as_bytes()).map_err(failed("written", &self.path))
    }
}

/// Reads a whole manifest.
pub(super) fn read(generation: &Path) -> Result<Vec<Entry>, BackupError> {
    let path = generation.join(MANIFEST_FILE);
    let file = File::open(&path).map_err(failed("read", &path))?;
    parse(BufReader::new(file)).map_err(|reason| BackupError::Manifest { path, reason })
}

fn parse(lines: impl BufRead) -> Result<Vec<Entry>, String> {
    let (mut crc64, mut entries) = (Crc::new(CrcAlgorithm::Crc64Xz), Vec::new());
    for (number, line) in lines.lines().enumerate() {
        let line = line.map_err(|error| error.to_string())?;
        if let Some(end) = line.strip_prefix("end ") {
            let expected = format!("{} {:016x}", entries.len(), crc64.finalize());
            return if end == expected { Ok(entries) } else { Err("its own digest differs".to_owned()) };
        }
        match (number, Entry::parse(&line)) {
            (0, _) if line != HEADING => return Err(format!("it begins with {line:?}")),
            (0 | 1, _) => {}
            (_, Some(entry)) => entries.push(entry),
            (_, None) => return Err(format!("line {} cannot be understood", number + 1)),
        }
        crc64.update(line.as_bytes());
        crc64.update(b"\n");
    }
    Err("it has no end".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        let summed = Summed { len: 7, crc64: 8, md5: Some([9; 16]) };
        vec![
            Entry::File { name: "a name with spaces".to_owned(), summed },
            Entry::Blob { id: BlobId([1; 16]), summed: Some(summed) },
            Entry::Blob { id: BlobId([2; 16]), summed: Some(Summed { md5: None, ..summed }) },
            Entry::Blob { id: BlobId([0xab; 16]), summed: None },
        ]
    }

    fn written(folder: &Path) -> String {
        let mut manifest = Manifest::begin(folder, Timestamp::UNIX_EPOCH).unwrap();
        entries().iter().for_each(|entry| manifest.add(entry).unwrap());
        manifest.end().unwrap();
        std::fs::read_to_string(folder.join(MANIFEST_FILE)).unwrap()
    }

    #[test]
    fn what_was_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path());
        assert_eq!(read(folder.path()).unwrap(), entries());
    }

    #[test]
    fn a_manifest_that_ends_early_or_was_changed_anywhere_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        let text = written(folder.path());
        for len in 0..text.len() - 1 {
            assert!(parse(&text.as_bytes()[..len]).is_err(), "{len}");
        }
        for at in 0..text.len() - 1 {
            let mut changed = text.clone().into_bytes();
            changed[at] ^= 1;
            assert!(parse(&changed[..]).is_err(), "{at}");
        }
    }

    #[test]
    fn a_file_lies_in_its_backups_folder_and_nowhere_else() {
        for name in ["../x", "/etc/passwd", "a/b", ".."] {
            assert_eq!(Entry::parse(&format!("file 1 0 0 {name}")), None, "{name}");
        }
    }
}
