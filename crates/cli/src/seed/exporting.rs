//! `countersign export`: writes what a data folder holds at one moment as a folder of files, beside a store that may
//! be running on it. Nothing is written outside that folder.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write as _};
use std::path::Path;

use countersign_server::object::attributes::ObjectAttributes;
use countersign_store::{BackupError, Clock, Entry, ListQuery, ObjectRecord, ReadError, Store};
use crc_fast::{CrcAlgorithm, checksum};
use futures_util::StreamExt as _;

use super::folder::Folder;
use super::key_path;
use super::manifest::{FileDigest, MANIFEST, ManifestLines};
use super::reading::{FILES_ENDING, SIDECAR_ENDING};
use super::seed_error::SeedError;
use super::sidecar::Sidecar;

/// Where the catalog's copy lies while an export is made. It holds what the store owes, so it is its owner's alone.
const DRAFT: &str = ".draft";
/// Keeps Git from changing the ends of lines, which would be other bytes.
const GIT_ATTRIBUTES: (&str, &str) = (".gitattributes", "* -text\n");
/// Names to a page.
const PAGE_NAMES: usize = 500;
/// How many names are tried for a file whose name is taken on a system without letter case.
const NAMES_MAX: usize = 1000;

/// What an export holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Exported {
    /// Buckets.
    pub(crate) buckets: u64,
    /// Objects.
    pub(crate) objects: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
}

/// Exports a data folder into an empty or new folder. `told` hears how far it is.
///
/// # Errors
/// [`SeedError`]. What was written by then is no whole export, and is refused as a seed.
pub(crate) async fn export(
    data: &Path,
    target: &Path,
    clock: &Clock,
    mut told: impl FnMut(&Exported),
) -> Result<Exported, SeedError> {
    Store::must_be_in(data).map_err(BackupError::from)?;
    refuse_within(data, target)?;
    let folder = Folder::open_empty(target)?;
    let lines = ManifestLines::begin();
    write_text(&folder, MANIFEST, lines.text())?;
    folder.make(DRAFT)?;
    let draft = target.join(DRAFT);
    let outcome = match Store::snapshot(data, &draft.join("catalog.sqlite"), clock).await {
        Ok(store) => {
            let mut export =
                Export { folder: &folder, store, lines, exported: Exported::default(), damaged: Vec::new() };
            let outcome = export.buckets(&mut told).await;
            export.store.shutdown().await;
            outcome.map(|()| export)
        }
        Err(error) => Err(error.into()),
    };
    std::fs::remove_dir_all(&draft).map_err(SeedError::file("removed", &draft))?;
    let Export { lines, exported, damaged, .. } = outcome?;
    if !damaged.is_empty() {
        return Err(SeedError::Damaged { objects: damaged });
    }
    write_text(&folder, GIT_ATTRIBUTES.0, GIT_ATTRIBUTES.1)?;
    folder.replace(MANIFEST, &lines.end())?;
    Ok(exported)
}

/// The store would take files in its folder for its own.
fn refuse_within(data: &Path, target: &Path) -> Result<(), SeedError> {
    let data = data.canonicalize().map_err(SeedError::file("read", data))?;
    let absolute = std::path::absolute(target).map_err(SeedError::file("read", target))?;
    // What is not there yet lies where the folder above it does.
    let above = absolute.ancestors().find_map(|above| above.canonicalize().ok());
    match above {
        Some(above) if above.starts_with(&data) => Err(SeedError::WithinData { path: target.to_path_buf() }),
        _ => Ok(()),
    }
}

fn write_text(folder: &Folder, path: &str, text: &str) -> Result<(), SeedError> {
    let shown = folder.path().join(path);
    let written = folder.create(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(SeedError::file("written", &shown))
}

struct Export<'a> {
    folder: &'a Folder,
    store: Store,
    lines: ManifestLines,
    exported: Exported,
    damaged: Vec<String>,
}

impl Export<'_> {
    async fn buckets(&mut self, told: &mut impl FnMut(&Exported)) -> Result<(), SeedError> {
        let mut after = String::new();
        loop {
            let page = self.store.buckets("", &after, PAGE_NAMES).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(&last.name);
            for bucket in &page {
                let unexportable = |problem| SeedError::Unexportable {
                    what: format!("the bucket {}", bucket.name),
                    problem,
                };
                let mut sidecar = Sidecar::of_bucket(bucket).map_err(unexportable)?;
                self.objects(&bucket.name, &mut sidecar, told).await?;
                let text = sidecar.to_text().map_err(unexportable)?;
                let path = format!("{}{SIDECAR_ENDING}", bucket.name);
                write_text(self.folder, &path, &text)?;
                self.lines.add(&path, FileDigest::of(text.as_bytes()));
                self.exported.buckets += 1;
            }
        }
    }

    async fn objects(
        &mut self,
        bucket: &str,
        sidecar: &mut Sidecar,
        told: &mut impl FnMut(&Exported),
    ) -> Result<(), SeedError> {
        let mut names = TakenNames::default();
        let mut query = ListQuery { limit: PAGE_NAMES, ..ListQuery::default() };
        loop {
            let page = self.store.list(bucket, query.clone()).await?;
            for entry in &page.entries {
                if let Entry::Object(object) = entry {
                    self.object(bucket, object, sidecar, &mut names).await?;
                }
            }
            told(&self.exported);
            match page.next {
                Some(next) => query.after = next.to_vec(),
                None => return Ok(()),
            }
        }
    }

    async fn object(
        &mut self,
        bucket: &str,
        object: &ObjectRecord,
        sidecar: &mut Sidecar,
        names: &mut TakenNames,
    ) -> Result<(), SeedError> {
        let name = format!("{bucket}/{}", String::from_utf8_lossy(&object.key));
        let unexportable = |problem: &str| SeedError::Unexportable {
            what: format!("{name:?}"),
            problem: problem.to_owned(),
        };
        let key = std::str::from_utf8(&object.key).map_err(|_| unexportable("its key is not UTF-8"))?;
        let attributes = ObjectAttributes::read(&object.attributes);
        let attributes = attributes.map_err(|error| unexportable(&format!("its attributes: {error}")))?;
        let made = self.make_file(bucket, key, names).await?;
        match self.copy(made.file, object).await {
            Ok(()) => {}
            Err(CopyError::Read(ReadError::Damaged)) => {
                self.damaged.push(format!("{name:?}"));
                return Ok(());
            }
            Err(CopyError::Read(source)) => {
                return Err(SeedError::Read { object: format!("{name:?}"), source });
            }
            Err(CopyError::Write(source)) => {
                return Err(SeedError::file("written", &self.folder.path().join(&made.path))(source));
            }
        }
        sidecar.note(key, &attributes, object.md5.is_some(), made.told);
        self.lines.add(&made.path, FileDigest { len: object.len, crc64: object.crc64 });
        self.exported.objects += 1;
        self.exported.bytes += object.len;
        Ok(())
    }

    /// Makes the file of a key: under its own name where that can be, else in the folder for all others.
    async fn make_file(
        &self,
        bucket: &str,
        key: &str,
        names: &mut TakenNames,
    ) -> Result<MadeFile, SeedError> {
        let failed = |path: &str, source| SeedError::File {
            what: "written",
            path: self.folder.path().join(path),
            source,
        };
        if key_path::is_plain(key) && !self.has_keys_below(bucket, key).await? && names.take(key) {
            let path = format!("{bucket}/{key}");
            match self.folder.create(&path) {
                Ok(file) => return Ok(MadeFile { file, path, told: None }),
                // The file system takes this name for another's.
                Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotADirectory) => {
                }
                Err(error) => return Err(failed(&path, error)),
            }
        }
        let escaped = key_path::escaped(key.as_bytes(), checksum(CrcAlgorithm::Crc64Xz, key.as_bytes()));
        for number in 1..=NAMES_MAX {
            let name = if number == 1 { escaped.clone() } else { format!("{escaped}~{number}") };
            let path = format!("{bucket}{FILES_ENDING}/{name}");
            match self.folder.create(&path) {
                Ok(file) => return Ok(MadeFile { file, path, told: Some(name) }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < NAMES_MAX => {}
                Err(error) => return Err(failed(&path, error)),
            }
        }
        Err(failed(bucket, ErrorKind::AlreadyExists.into()))
    }

    /// Whether the key would have to be a file and a folder at once.
    async fn has_keys_below(&self, bucket: &str, key: &str) -> Result<bool, SeedError> {
        let prefix = format!("{key}/").into_bytes();
        let page = self.store.list(bucket, ListQuery { prefix, limit: 1, ..ListQuery::default() }).await?;
        Ok(!page.entries.is_empty())
    }

    async fn copy(&self, file: File, object: &ObjectRecord) -> Result<(), CopyError> {
        let mut file = BufWriter::new(file);
        let mut reader = self.store.read(object, 0..object.len).await.map_err(CopyError::Read)?;
        while let Some(chunk) = reader.next().await {
            file.write_all(&chunk.map_err(CopyError::Read)?).map_err(CopyError::Write)?;
        }
        file.flush().map_err(CopyError::Write)
    }
}

struct MadeFile {
    file: File,
    /// Its path in the folder.
    path: String,
    /// What the sidecar has to call it.
    told: Option<String>,
}

enum CopyError {
    Read(ReadError),
    Write(std::io::Error),
}

/// The paths of a bucket that are taken, without their letter case: two that differ in nothing else are one on some
/// systems. Kept as digests, since there may be many; where two agree by chance, one of them is no path.
#[derive(Default)]
struct TakenNames(HashMap<u64, u64>);

impl TakenNames {
    /// Takes the path and the folders above it, if no other has them.
    fn take(&mut self, path: &str) -> bool {
        let digest = |text: &str| checksum(CrcAlgorithm::Crc64Xz, text.as_bytes());
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let all: Vec<(u64, u64)> = ends
            .filter_map(|end| path.get(..end))
            .map(|part| (digest(&part.to_lowercase()), digest(part)))
            .collect();
        let free = all.iter().all(|(folded, exact)| self.0.get(folded).is_none_or(|taken| taken == exact));
        if free {
            self.0.extend(all);
        }
        free
    }
}
