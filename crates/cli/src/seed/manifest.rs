//! The manifest of an export: its files with their lengths and digests. A folder with a manifest is an export, and
//! must be complete; a folder without one was made by hand.
//!
//! Its last line has the number and the CRC-64 of the lines before it, so that an export which did not come to its
//! end is known by that. File names are escaped, so that each has a line to itself whatever is in it.

use std::collections::BTreeMap;

use crc_fast::{CrcAlgorithm, checksum};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};

use super::seed_error::SeedError;

/// Its name in the folder. No bucket is called so.
pub(super) const MANIFEST: &str = "MANIFEST";
const HEADING: &str = "countersign-export 1";
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%').add(b'\\');

/// What an export says of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileDigest {
    pub(super) len: u64,
    pub(super) crc64: u64,
}

impl FileDigest {
    /// Of bytes at hand.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { len: bytes.len() as u64, crc64: checksum(CrcAlgorithm::Crc64Xz, bytes) }
    }

    /// How what was found differs from this, in words.
    pub(super) fn difference(self, found: FileDigest) -> Option<String> {
        if found.len != self.len {
            return Some(format!("{} bytes are there of {}", found.len, self.len));
        }
        (found.crc64 != self.crc64).then(|| "its bytes are others".to_owned())
    }
}

/// The lines of a manifest in the making.
#[derive(Debug)]
pub(super) struct ManifestLines {
    text: String,
    count: u64,
}

impl ManifestLines {
    /// With the heading, which says what the folder is as long as there is nothing else.
    pub(super) fn begin() -> Self {
        Self { text: format!("{HEADING}\n"), count: 0 }
    }

    /// Adds a file by its path in the folder.
    pub(super) fn add(&mut self, path: &str, summed: FileDigest) {
        let escaped = percent_encode(path.as_bytes(), ESCAPED);
        self.text.push_str(&format!("{:016x} {} {escaped}\n", summed.crc64, summed.len));
        self.count += 1;
    }

    /// What was written so far.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Ends it.
    pub(super) fn end(mut self) -> String {
        let crc64 = checksum(CrcAlgorithm::Crc64Xz, self.text.as_bytes());
        self.text.push_str(&format!("end {} {crc64:016x}\n", self.count));
        self.text
    }
}

/// Reads a manifest: every file by its path.
///
/// # Errors
/// [`SeedError::HalfExport`] without an end; [`SeedError::Manifest`] when it is not what was written.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, FileDigest>, SeedError> {
    let damaged = |line: usize| SeedError::Manifest { line };
    let heading = format!("{HEADING}\n");
    let Some(rest) = text.strip_prefix(&heading) else {
        return Err(if heading.starts_with(text) { SeedError::HalfExport } else { damaged(1) });
    };
    let mut files = BTreeMap::new();
    let mut bytes = heading.len();
    for (index, line) in rest.split_inclusive('\n').enumerate() {
        let number = index + 2;
        let Some(line) = line.strip_suffix('\n') else { return Err(SeedError::HalfExport) };
        if let Some(end) = line.strip_prefix("end ") {
            let before = text.get(..bytes).unwrap_or_default();
            let crc64 = checksum(CrcAlgorithm::Crc64Xz, before.as_bytes());
            let right =
                end == format!("{} {crc64:016x}", files.len()) && bytes + line.len() + 1 == text.len();
            return if right { Ok(files) } else { Err(damaged(number)) };
        }
        bytes += line.len() + 1;
        let (path, summed) = entry(line).ok_or_else(|| damaged(number))?;
        if files.insert(path, summed).is_some() {
            return Err(damaged(number));
        }
    }
    Err(SeedError::HalfExport)
}

fn entry(line: &str) -> Option<(String, FileDigest)> {
    let mut words = line.splitn(3, ' ');
    let crc64 = u64::from_str_radix(words.next()?, 16).ok()?;
    let len = words.next()?.parse().ok()?;
    let path = percent_decode_str(words.next()?).decode_utf8().ok()?.into_owned();
    Some((path, FileDigest { len, crc64 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> String {
        let mut lines = ManifestLines::begin();
        lines.add("demo/a\nb %.txt", FileDigest::of(b"a"));
        lines.add("demo.toml", FileDigest::of(b""));
        lines.end()
    }

    #[test]
    fn reads_back_what_it_wrote_for_any_file_name() {
        let files = parse(&whole()).unwrap();
        assert_eq!(files["demo/a\nb %.txt"], FileDigest::of(b"a"));
        assert_eq!(files.len(), 2);
        assert_eq!(parse(&ManifestLines::begin().end()).unwrap().len(), 0);
    }

    #[test]
    fn refuses_a_manifest_that_ends_early() {
        let whole = whole();
        for end in 0..whole.len() {
            let refused = parse(&whole[..end]).unwrap_err();
            assert!(
                matches!(refused, SeedError::HalfExport | SeedError::Manifest { .. }),
                "{end}: {refused}"
            );
        }
        assert!(matches!(parse(&ManifestLines::begin().text), Err(SeedError::HalfExport)));
    }

    #[test]
    fn refuses_a_manifest_with_any_character_changed() {
        let whole = whole();
        for at in 0..whole.len() {
            let mut changed = whole.clone().into_bytes();
            changed[at] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            assert!(parse(&changed).is_err(), "{at}: {changed}");
        }
        assert!(parse(&format!("{whole}\n")).is_err());
    }
}
