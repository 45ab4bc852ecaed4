//! Collects a folder that becomes a package: files are put into it with their modes, whatever the umask is.

use std::fs::{DirBuilder, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use flate2::{Compression, GzBuilder};

/// See above.
#[derive(Debug)]
pub(super) struct FileTree(PathBuf);

impl FileTree {
    /// An empty one at a path where nothing is.
    pub(super) fn new(root: PathBuf) -> anyhow::Result<FileTree> {
        let tree = FileTree(root);
        tree.make_folders(Path::new(""))?;
        Ok(tree)
    }

    /// Where it lies.
    pub(super) fn root(&self) -> &Path {
        &self.0
    }

    /// Writes a file at a path below the root.
    pub(super) fn put(&self, path: &str, mode: u32, content: &[u8]) -> anyhow::Result<()> {
        let full = self.place(path)?;
        std::fs::write(&full, content).with_context(|| format!("{} cannot be written", full.display()))?;
        std::fs::set_permissions(&full, Permissions::from_mode(mode))?;
        Ok(())
    }

    /// Copies a file to a path below the root.
    pub(super) fn copy(&self, from: &Path, path: &str, mode: u32) -> anyhow::Result<()> {
        let full = self.place(path)?;
        std::fs::copy(from, &full).with_context(|| format!("{} cannot be copied", from.display()))?;
        std::fs::set_permissions(&full, Permissions::from_mode(mode))?;
        Ok(())
    }

    /// Writes a file for everybody to read, compressed without name and time.
    pub(super) fn put_gzipped(&self, path: &str, content: &[u8]) -> anyhow::Result<()> {
        self.put(path, 0o644, &gzipped(content)?)
    }

    /// Makes an empty folder at a path below the root.
    pub(super) fn make_folder(&self, path: &str, mode: u32) -> anyhow::Result<()> {
        self.make_folders(Path::new(path))?;
        std::fs::set_permissions(self.0.join(path), Permissions::from_mode(mode))?;
        Ok(())
    }

    /// Makes a link at a path below the root.
    pub(super) fn link(&self, path: &str, target: &str) -> anyhow::Result<()> {
        Ok(std::os::unix::fs::symlink(target, self.place(path)?)?)
    }

    /// What its files take when they are installed, each in whole kibibytes.
    pub(super) fn kibibytes(&self) -> anyhow::Result<u64> {
        fn below(folder: &Path) -> std::io::Result<u64> {
            let mut sum = 1;
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                let metadata = entry.metadata()?;
                sum += if metadata.is_dir() { below(&entry.path())? } else { metadata.len().div_ceil(1024) };
            }
            Ok(sum)
        }
        Ok(below(&self.0)?)
    }

    fn place(&self, path: &str) -> anyhow::Result<PathBuf> {
        let path = Path::new(path);
        self.make_folders(path.parent().context("a file has a folder")?)?;
        Ok(self.0.join(path))
    }

    fn make_folders(&self, path: &Path) -> anyhow::Result<()> {
        let mut folder = self.0.clone();
        for part in std::iter::once(None).chain(path.components().map(Some)) {
            folder.extend(part.map(|part| part.as_os_str()));
            if !folder.is_dir() {
                DirBuilder::new()
                    .mode(0o755)
                    .recursive(true)
                    .create(&folder)
                    .with_context(|| format!("{} cannot be made", folder.display()))?;
                // The caller's umask may have taken something away.
                std::fs::set_permissions(&folder, Permissions::from_mode(0o755))?;
            }
        }
        Ok(())
    }
}

/// Compressed as well as it goes, without name and time, so that the same bytes give the same bytes.
pub(super) fn gzipped(content: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}
