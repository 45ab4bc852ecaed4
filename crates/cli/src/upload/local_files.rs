//! Finds the files to upload: those that were named, and all in the folders that were named.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// One file that is there and can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileToUpload {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// Its name without folders.
    pub(super) name: String,
    /// Its folder as named: `holiday/day 1/` for what was found in `holiday`; empty for a file that was named itself.
    pub(super) folder: String,
    /// Its size.
    pub(super) bytes: u64,
}

/// Finds the files, those of a folder in the order of their names.
pub(super) fn find(named: &[PathBuf]) -> anyhow::Result<Vec<FileToUpload>> {
    let mut found = Vec::new();
    for path in named {
        let data = metadata(path)?;
        if !data.is_dir() {
            found.push(file(path, String::new())?);
            continue;
        }
        let before = found.len();
        // `.` and `..` name their folder too.
        let whole = path.canonicalize().with_context(|| unreadable(path))?;
        search(path, &format!("{}/", name_of(&whole)), &mut found)?;
        if found.len() == before {
            bail!("there is no file in {}", path.display());
        }
    }
    Ok(found)
}

fn search(folder: &Path, named: &str, found: &mut Vec<FileToUpload>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut paths: Vec<PathBuf> =
        entries.with_context(|| unreadable(folder))?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let is_link = std::fs::symlink_metadata(&path).with_context(|| unreadable(&path))?.is_symlink();
        if !metadata(&path)?.is_dir() {
            found.push(file(&path, named.to_owned())?);
        } else if is_link {
            bail!(
                "{} is a link to a folder, which could lead in a circle; name the folder itself",
                path.display()
            );
        } else {
            search(&path, &format!("{named}{}/", name_of(&path)), found)?;
        }
    }
    Ok(())
}

fn file(path: &Path, folder: String) -> anyhow::Result<FileToUpload> {
    let data = metadata(path)?;
    if !data.is_file() {
        bail!("{} is neither a file nor a folder", path.display());
    }
    Ok(FileToUpload { path: path.to_owned(), name: name_of(path), folder, bytes: data.len() })
}

fn metadata(path: &Path) -> anyhow::Result<std::fs::Metadata> {
    std::fs::metadata(path).with_context(|| unreadable(path))
}

fn unreadable(path: &Path) -> String {
    format!("{} cannot be read", path.display())
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_all_files_below_it_with_their_folders() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("holiday");
        std::fs::create_dir_all(root.join("day 1/empty")).unwrap();
        std::fs::write(root.join("b.jpg"), "12").unwrap();
        std::fs::write(root.join("day 1/a.jpg"), "1").unwrap();
        let found = find(&[root.clone(), root.join("b.jpg")]).unwrap();
        let told: Vec<_> =
            found.iter().map(|file| (file.folder.as_str(), file.name.as_str(), file.bytes)).collect();
        assert_eq!(told, [("holiday/", "b.jpg", 2), ("holiday/day 1/", "a.jpg", 1), ("", "b.jpg", 2)]);
        assert!(find(&[root.join("day 1/empty")]).unwrap_err().to_string().contains("no file in"));
        std::os::unix::fs::symlink(&root, root.join("circle")).unwrap();
        assert!(find(&[root]).unwrap_err().to_string().contains("is a link to a folder"));
    }

    #[test]
    fn a_file_that_is_missing_is_named() {
        let error = find(&[PathBuf::from("/nonexistent/photo.jpg")]).unwrap_err().to_string();
        assert_eq!(error, "/nonexistent/photo.jpg cannot be read");
    }
}
