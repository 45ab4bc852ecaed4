//! Reads a folder as a seed: which buckets there are, what each is set to, and which file is which object.
//!
//! Everything is checked before anything is stored, so that a folder which is refused changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;

use countersign_protocol::{BucketName, ObjectKey};
use crc_fast::{CrcAlgorithm, Digest};

use super::folder::{Folder, Kind, join, misplaced};
use super::manifest::{self, FileDigest, MANIFEST};
use super::seed_error::SeedError;
use super::sidecar::Sidecar;

/// What ends the name of a sidecar.
pub(super) const SIDECAR_ENDING: &str = ".toml";
/// What ends the name of the folder with the files of keys that are no paths.
pub(super) const FILES_ENDING: &str = ".files";
/// The longest sidecar and manifest; both are read whole.
const TEXT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// What a repository has at its top beside what it is about.
const PASSED_OVER: [&str; 2] = ["README", "LICENSE"];

/// A folder that was read and checked.
#[derive(Debug)]
pub(super) struct Seed {
    pub(super) folder: Folder,
    pub(super) buckets: Vec<SeedBucket>,
}

/// A bucket of a seed.
#[derive(Debug)]
pub(super) struct SeedBucket {
    pub(super) name: String,
    pub(super) sidecar: Sidecar,
    pub(super) settings: BTreeMap<String, Vec<u8>>,
    pub(super) objects: Vec<SeedObject>,
}

/// An object of a seed.
#[derive(Debug)]
pub(super) struct SeedObject {
    pub(super) key: String,
    /// The path of its file in the folder.
    pub(super) path: String,
    /// What an export says of the file.
    pub(super) summed: Option<FileDigest>,
}

/// What lies at the top of a folder.
#[derive(Debug, Default)]
struct Top {
    buckets: BTreeSet<String>,
    sidecars: BTreeSet<String>,
    files: BTreeSet<String>,
    manifest: bool,
}

impl Seed {
    /// Reads the folder at this path. Blocks.
    pub(super) fn read(path: &Path) -> Result<Seed, SeedError> {
        let folder = Folder::open(path)?;
        let top = Top::of(&folder)?;
        let mut exported = match top.manifest {
            true => Some(manifest::parse(&text_of(&folder, MANIFEST)?)?),
            false => None,
        };
        let names: BTreeSet<&String> = top.buckets.iter().chain(&top.sidecars).collect();
        if let Some(stray) = top.files.iter().find(|name| !top.sidecars.contains(*name)) {
            let problem =
                format!("is there and {stray}{SIDECAR_ENDING}, which would say what its files are, is not");
            return Err(misplaced(format!("{stray}{FILES_ENDING}"), problem));
        }
        let mut buckets = Vec::new();
        for name in names {
            let sidecar = match top.sidecars.contains(name) {
                true => sidecar(&folder, name, exported.as_mut())?,
                false => Sidecar::default(),
            };
            let paths = Paths {
                plain: if top.buckets.contains(name) { walk(&folder, name)? } else { Vec::new() },
                others: match top.files.contains(name) {
                    true => walk(&folder, &format!("{name}{FILES_ENDING}"))?,
                    false => Vec::new(),
                },
            };
            buckets.push(bucket(&folder, name, sidecar, paths, exported.as_mut())?);
        }
        match exported.and_then(|left| left.into_keys().next()) {
            Some(path) => Err(SeedError::NotAsExported { path, difference: "it is not there".to_owned() }),
            None => Ok(Seed { folder, buckets }),
        }
    }
}

impl Top {
    fn of(folder: &Folder) -> Result<Top, SeedError> {
        let mut top = Top::default();
        for (name, kind) in folder.names("")? {
            let bucket = |name: &str| match BucketName::parse(name) {
                Ok(bucket) => Ok(bucket.into_string()),
                Err(error) => Err(misplaced(name, format!("is no name of a bucket: {error}"))),
            };
            match kind {
                Kind::File if name == MANIFEST => top.manifest = true,
                Kind::File if PASSED_OVER.iter().any(|usual| name.split('.').next() == Some(*usual)) => {}
                Kind::File => match name.strip_suffix(SIDECAR_ENDING) {
                    Some(stem) => drop(top.sidecars.insert(bucket(stem)?)),
                    None => {
                        return Err(misplaced(
                            name,
                            "lies in no bucket: the folders at the top are the buckets",
                        ));
                    }
                },
                Kind::Folder => match name.strip_suffix(FILES_ENDING) {
                    Some(stem) => drop(top.files.insert(bucket(stem)?)),
                    None => drop(top.buckets.insert(bucket(&name)?)),
                },
            }
        }
        Ok(top)
    }
}

/// The files of a bucket by their paths.
struct Paths {
    /// In `BUCKET`, in order.
    plain: Vec<String>,
    /// In `BUCKET.files`.
    others: Vec<String>,
}

/// All files in a folder and its folders, in the order of their paths.
fn walk(folder: &Folder, top: &str) -> Result<Vec<String>, SeedError> {
    let (mut files, mut folders) = (Vec::new(), vec![top.to_owned()]);
    while let Some(within) = folders.pop() {
        for (name, kind) in folder.names(&within)? {
            match kind {
                Kind::File => files.push(join(&within, &name)),
                Kind::Folder => folders.push(join(&within, &name)),
            }
        }
    }
    files.sort();
    Ok(files)
}

fn text_of(folder: &Folder, path: &str) -> Result<String, SeedError> {
    let mut text = String::new();
    let shown = folder.path().join(path);
    let read = folder.read(path)?.take(TEXT_BYTES_MAX).read_to_string(&mut text);
    read.map_err(SeedError::file("read", &shown))?;
    Ok(text)
}

type Exported = BTreeMap<String, FileDigest>;

/// What an export says of a file, which is taken out of its list.
fn listed(path: &str, exported: Option<&mut Exported>) -> Result<Option<FileDigest>, SeedError> {
    let Some(exported) = exported else { return Ok(None) };
    let unlisted =
        || SeedError::NotAsExported { path: path.to_owned(), difference: "it was not there".to_owned() };
    exported.remove(path).map(Some).ok_or_else(unlisted)
}

fn compare(
    path: &str,
    summed: Option<FileDigest>,
    found: impl FnOnce() -> Result<FileDigest, SeedError>,
) -> Result<(), SeedError> {
    let Some(summed) = summed else { return Ok(()) };
    match summed.difference(found()?) {
        Some(difference) => Err(SeedError::NotAsExported { path: path.to_owned(), difference }),
        None => Ok(()),
    }
}

fn sidecar(folder: &Folder, bucket: &str, exported: Option<&mut Exported>) -> Result<Sidecar, SeedError> {
    let path = format!("{bucket}{SIDECAR_ENDING}");
    let text = text_of(folder, &path)?;
    compare(&path, listed(&path, exported)?, || Ok(FileDigest::of(text.as_bytes())))?;
    Sidecar::parse(&text).map_err(|(line, problem)| SeedError::Sidecar { sidecar: path, line, problem })
}

fn bucket(
    folder: &Folder,
    name: &str,
    sidecar: Sidecar,
    paths: Paths,
    mut exported: Option<&mut Exported>,
) -> Result<SeedBucket, SeedError> {
    let refused = |problem: String| SeedError::Sidecar {
        sidecar: format!("{name}{SIDECAR_ENDING}"),
        line: None,
        problem,
    };
    let settings = sidecar.settings().map_err(refused)?;
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for path in paths.plain {
        let key = path.strip_prefix(name).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
        ObjectKey::parse(key).map_err(|error| misplaced(&path, format!("is no key: {error}")))?;
        files.insert(key.to_owned(), path.clone());
    }
    let mut others: BTreeSet<String> = paths.others.into_iter().collect();
    let mut taken = BTreeSet::new();
    for (key, table) in &sidecar.objects {
        ObjectKey::parse(key).map_err(|error| refused(format!("{key:?} is no key: {error}")))?;
        sidecar
            .attributes(key)
            .and_then(|_| sidecar.with_md5(key))
            .map_err(|error| refused(format!("{key:?}: {error}")))?;
        let Some(file) = &table.file else {
            if files.contains_key(key) {
                continue;
            }
            return Err(refused(format!(
                "{key:?} has no file: there is no {name}/{key}, and no `file` is named"
            )));
        };
        let path = format!("{name}{FILES_ENDING}/{file}");
        if !others.contains(&path) {
            return Err(refused(format!("{key:?}: there is no file {path}")));
        }
        if let Some(other) = files.insert(key.clone(), path.clone()) {
            return Err(refused(format!("{key:?} has two files, {path} and {other}")));
        }
        taken.insert(path);
    }
    others.retain(|path| !taken.contains(path));
    if let Some(stray) = others.pop_first() {
        return Err(misplaced(
            stray,
            format!("is the file of no object: nothing in {name}{SIDECAR_ENDING} names it"),
        ));
    }
    let mut objects = Vec::new();
    let mut known: BTreeMap<String, Option<FileDigest>> = BTreeMap::new();
    for (key, path) in files {
        // A file may be named by several keys, and is in the list once.
        let summed = match known.get(&path) {
            Some(summed) => *summed,
            None => {
                let summed = listed(&path, exported.as_deref_mut())?;
                compare(&path, summed, || sum_file(folder, &path))?;
                known.insert(path.clone(), summed);
                summed
            }
        };
        objects.push(SeedObject { key, path, summed });
    }
    Ok(SeedBucket { name: name.to_owned(), sidecar, settings, objects })
}

fn sum_file(folder: &Folder, path: &str) -> Result<FileDigest, SeedError> {
    let shown = folder.path().join(path);
    let mut file = folder.read(path)?;
    let (mut crc64, mut len) = (Digest::new(CrcAlgorithm::Crc64Xz), 0);
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file.read(&mut buffer).map_err(SeedError::file("read", &shown))?;
        let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else { break };
        crc64.update(chunk);
        len += chunk.len() as u64;
    }
    Ok(FileDigest { len, crc64: crc64.finalize() })
}

impl SeedBucket {
    /// A refusal of what the sidecar says of a key.
    pub(super) fn refusal(&self, key: &str, problem: &str) -> SeedError {
        let sidecar = format!("{}{SIDECAR_ENDING}", self.name);
        SeedError::Sidecar { sidecar, line: None, problem: format!("{key:?}: {problem}") }
    }
}
