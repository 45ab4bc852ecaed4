//! Writes one layer of an image: a tar archive of a folder in a fixed order, compressed, and the digests of both
//! forms.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use super::super::file_tree::{FileTree, gzipped};
use super::super::run_command;

/// See above.
#[derive(Debug)]
pub(super) struct Layer {
    /// The compressed archive.
    pub(super) content: Vec<u8>,
    /// The digest of the archive before it was compressed, which the configuration names.
    pub(super) diff_id: String,
}

impl Layer {
    /// Packs a folder; everything is root's but the folders in `owned`, each a name with a user and a group.
    /// `work` is a path at which a file may be written.
    pub(super) fn pack(
        tree: &FileTree,
        owned: &[(&str, u32, u32)],
        work: &Path,
        epoch: u64,
    ) -> anyhow::Result<Layer> {
        let archive = work.with_extension("tar");
        let excluded = owned.iter().map(|(name, _, _)| format!("--exclude=./{name}"));
        run_command(tar(tree, &archive, epoch, 0, 0).args(excluded).args(["--create", "."]))?;
        for (name, user, group) in owned {
            run_command(tar(tree, &archive, epoch, *user, *group).args(["--append", &format!("./{name}")]))?;
        }
        let plain = std::fs::read(&archive).with_context(|| format!("{}", archive.display()))?;
        Ok(Layer { diff_id: digest(&plain), content: gzipped(&plain)? })
    }
}

/// GNU tar with everything fixed that differs from machine to machine.
fn tar(tree: &FileTree, archive: &Path, epoch: u64, user: u32, group: u32) -> Command {
    let mut tar = Command::new("tar");
    tar.env("LC_ALL", "C").arg("--directory").arg(tree.root()).arg("--file").arg(archive).args([
        "--format=ustar".to_owned(),
        "--sort=name".to_owned(),
        "--numeric-owner".to_owned(),
        format!("--mtime=@{epoch}"),
        format!("--owner=:{user}"),
        format!("--group=:{group}"),
    ]);
    tar
}

/// The digest of content, as OCI writes it.
pub(super) fn digest(content: &[u8]) -> String {
    let hexadecimal: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hexadecimal}")
}

/// Packs the files of a folder into one archive, as it is published.
pub(super) fn pack_folder(
    folder: &Path,
    files: &[PathBuf],
    archive: &Path,
    epoch: u64,
) -> anyhow::Result<()> {
    run_command(
        Command::new("tar")
            .env("LC_ALL", "C")
            .arg("--directory")
            .arg(folder)
            .arg("--file")
            .arg(archive)
            .args(["--format=ustar", "--numeric-owner", "--owner=:0", "--group=:0", "--mode=u=rw,go=r"])
            .arg(format!("--mtime=@{epoch}"))
            .arg("--create")
            .args(files),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_sha_256_in_hexadecimal() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest(b""), empty);
    }
}
