//! Marks a data folder whose records are in a shared catalog, with the random id that the catalog knows it by.
//!
//! Without the mark, a start that does not name the catalog would make an empty one in the folder, take every blob for
//! left over, and delete it. So a folder has either a catalog of its own or the mark.

use super::{BLOBS_FOLDER, CATALOG_FILE};
use crate::OpenError;
use crate::Random;
use crate::catalog::BlobFolder;
use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

/// The mark's name in the folder.
const MARK: &str = "SHARED-CATALOG";

/// Refuses a folder whose records are elsewhere.
pub(crate) fn refuse_bound(folder: &Path) -> Result<(), OpenError> {
    match folder.join(MARK).exists() {
        true => Err(OpenError::RecordsElsewhere { path: folder.to_owned() }),
        false => Ok(()),
    }
}

/// Why there is no catalog in a folder.
pub(crate) fn without_catalog(folder: &Path) -> OpenError {
    match refuse_bound(folder) {
        Err(elsewhere) => elsewhere,
        Ok(()) => OpenError::NoStore { path: folder.to_owned() },
    }
}

/// The id of the folder, which must be locked; it gets one when it holds nothing yet. Blocks.
pub(crate) fn bind(folder: &Path, random: &Random) -> Result<BlobFolder, OpenError> {
    if folder.join(CATALOG_FILE).exists() {
        return Err(OpenError::RecordsHere { path: folder.to_owned() });
    }
    let path = folder.join(MARK);
    let failed = |source| OpenError::Folder { path: path.clone(), source };
    let is_new = !holds_a_file(&folder.join(BLOBS_FOLDER)).map_err(failed)?;
    let id = match std::fs::read_to_string(&path) {
        Ok(text) => parse(text.trim()),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    let id = match id {
        Some(id) => id,
        // None yet, or half of one that was being written when the machine stopped: nothing was bound to it then.
        None if is_new => make(folder, &path, random).map_err(failed)?,
        None => return Err(failed(io::Error::other("it is no id, and the folder holds blobs"))),
    };
    Ok(BlobFolder { id, is_new })
}

fn make(folder: &Path, path: &Path, random: &Random) -> io::Result<[u8; 16]> {
    let id: [u8; 16] = random.bytes()?;
    let text: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut file = File::create(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    File::open(folder)?.sync_all()?;
    Ok(id)
}

fn parse(text: &str) -> Option<[u8; 16]> {
    let digits = (text.len() == 32).then_some(text)?;
    u128::from_str_radix(digits, 16).ok().map(u128::to_be_bytes)
}

fn holds_a_file(folder: &Path) -> io::Result<bool> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        if !entry.file_type()?.is_dir() || holds_a_file(&entry.path())? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_id_and_is_new_until_it_holds_a_blob() {
        let folder = tempfile::tempdir().unwrap();
        let first = bind(folder.path(), &Random::system()).unwrap();
        assert!(first.is_new);
        let blobs = folder.path().join(BLOBS_FOLDER).join("00000001");
        std::fs::create_dir_all(&blobs).unwrap();
        assert_eq!(bind(folder.path(), &Random::system()).unwrap(), first);
        File::create(blobs.join("blob")).unwrap();
        let then = bind(folder.path(), &Random::system()).unwrap();
        assert_eq!((then.id, then.is_new), (first.id, false));
    }

    #[test]
    fn a_folder_has_either_a_catalog_or_the_mark() {
        let folder = tempfile::tempdir().unwrap();
        refuse_bound(folder.path()).unwrap();
        bind(folder.path(), &Random::system()).unwrap();
        assert!(matches!(refuse_bound(folder.path()), Err(OpenError::RecordsElsewhere { .. })));
        File::create(folder.path().join(CATALOG_FILE)).unwrap();
        assert!(matches!(bind(folder.path(), &Random::system()), Err(OpenError::RecordsHere { .. })));
    }

    #[test]
    fn half_a_mark_is_made_anew_only_in_an_empty_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(MARK), "0123").unwrap();
        let id = bind(folder.path(), &Random::system()).unwrap().id;
        assert_eq!(bind(folder.path(), &Random::system()).unwrap().id, id);
        std::fs::write(folder.path().join(MARK), "0123").unwrap();
        std::fs::create_dir(folder.path().join(BLOBS_FOLDER)).unwrap();
        File::create(folder.path().join(BLOBS_FOLDER).join("blob")).unwrap();
        assert!(matches!(bind(folder.path(), &Random::system()), Err(OpenError::Folder { .. })));
    }
}
