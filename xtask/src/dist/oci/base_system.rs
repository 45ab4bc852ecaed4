//! Takes from Debian packages what the binary needs of a system: the C library, the certificate authorities and a few
//! lines of `/etc`. There is no shell and no package manager. Times are UTC everywhere, so there are no time zones.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use super::super::file_tree::FileTree;
use super::super::linked_libraries::Needs;
use super::super::{Ingredients, output_of, run_command};

/// Brings the authorities that `app --forward` and others trust; nothing links to it.
const AUTHORITIES: &str = "ca-certificates";
/// Where that package keeps one file for each.
const AUTHORITIES_FOLDER: &str = "usr/share/ca-certificates/mozilla";

const PASSWD: &str = "root:x:0:0:root:/:/usr/sbin/nologin\n\
    countersign:x:65532:65532:countersign:/data:/usr/sbin/nologin\n";
const GROUP: &str = "root:x:0:\ncountersign:x:65532:\n";
/// Both modules are part of the C library itself.
const NAME_SERVICES: &str = "passwd: files\ngroup: files\nhosts: files dns\n";

/// The files, and the system that they are of, as in `debian 12`.
pub(super) struct BaseSystem {
    pub(super) tree: FileTree,
    pub(super) of: String,
}

/// Puts together what a binary with these needs must find.
pub(super) fn build(ingredients: &Ingredients, needs: &Needs) -> anyhow::Result<BaseSystem> {
    let unpacked = ingredients.work.join("packages");
    let tree = FileTree::new(ingredients.work.join("base-tree"))?;
    let cache = ingredients.work.with_file_name("debian-packages");
    std::fs::create_dir_all(&cache)?;
    for package in needs.packages.keys().copied().chain([AUTHORITIES]) {
        let file = fetch(package, &cache)?;
        let to = unpacked.join(package);
        std::fs::create_dir_all(&to)?;
        run_command(Command::new("dpkg-deb").arg("--extract").args([&file, &to]))?;
        put_licence_and_status(&tree, package, &file, &to)?;
    }
    for library in &needs.libraries {
        put_library(&tree, library, &unpacked)?;
    }
    // Where programs say that the loader is.
    for folder in ["lib", "lib64"] {
        tree.link(folder, &format!("usr/{folder}"))?;
    }
    tree.put("etc/ssl/certs/ca-certificates.crt", 0o644, &authorities(&unpacked.join(AUTHORITIES))?)?;
    tree.put("etc/passwd", 0o644, PASSWD.as_bytes())?;
    tree.put("etc/group", 0o644, GROUP.as_bytes())?;
    tree.put("etc/nsswitch.conf", 0o644, NAME_SERVICES.as_bytes())?;
    let release = std::fs::read_to_string("/etc/os-release").context("the name of this system")?;
    tree.put("etc/os-release", 0o644, release.as_bytes())?;
    tree.make_folder("tmp", 0o1777)?;
    Ok(BaseSystem { tree, of: name_of(&release) })
}

/// A package of this system's own archive in its newest version; one that was fetched before is used again.
fn fetch(package: &str, cache: &Path) -> anyhow::Result<PathBuf> {
    let uri = output_of(Command::new("apt-get").args(["download", "--print-uris", package]).current_dir("/"))
        .with_context(|| format!("where the package {package} is (apt-get update may be needed)"))?;
    let name = uri.split_whitespace().nth(1).with_context(|| format!("no file in {uri:?}"))?;
    let file = cache.join(name);
    if !file.is_file() {
        // apt writes what is under way into a folder of its own.
        run_command(Command::new("apt-get").args(["--quiet=2", "download", package]).current_dir(cache))?;
        ensure!(file.is_file(), "{name} did not come");
    }
    Ok(file)
}

/// What its licence demands, and its entry in the form in which scanners look for known weaknesses in such images.
fn put_licence_and_status(
    tree: &FileTree,
    package: &str,
    file: &Path,
    unpacked: &Path,
) -> anyhow::Result<()> {
    let licence = format!("usr/share/doc/{package}/copyright");
    // Packages of one source may have one folder and links to it.
    if let Ok(text) = std::fs::read(unpacked.join(&licence)) {
        tree.put(&licence, 0o644, &text)?;
    } else {
        let installed = std::fs::read(Path::new("/").join(&licence));
        tree.put(&licence, 0o644, &installed.with_context(|| format!("the licence of {package}"))?)?;
    }
    let control = output_of(Command::new("dpkg-deb").arg("--field").arg(file))?;
    let status = control.replacen('\n', "\nStatus: install ok installed\n", 1);
    tree.put(&format!("var/lib/dpkg/status.d/{package}"), 0o644, status.as_bytes())
}

/// Puts a library under the very path at which its package has it; the program's loader must be where its path says.
fn put_library(tree: &FileTree, library: &str, unpacked: &Path) -> anyhow::Result<()> {
    let found = output_of(Command::new("find").current_dir(unpacked).args([".", "-name", library]))?;
    // The architecture's own folder before `lib64`, where the loader has a link only.
    for path in found.lines().filter_map(|line| line.strip_prefix("./")) {
        let (_, inside) = path.split_once('/').context("below a package's folder")?;
        let inside = if inside.starts_with("usr/") { inside.to_owned() } else { format!("usr/{inside}") };
        tree.copy(&unpacked.join(path), &inside, 0o755)?;
    }
    if found.trim().is_empty() {
        bail!("{library} is in none of the packages");
    }
    Ok(())
}

/// All authorities behind one another, as `update-ca-certificates` would write them.
fn authorities(unpacked: &Path) -> anyhow::Result<Vec<u8>> {
    let folder = unpacked.join(AUTHORITIES_FOLDER);
    let mut files = std::fs::read_dir(&folder)
        .with_context(|| format!("{}", folder.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    files.sort();
    let mut all = Vec::new();
    for file in files {
        all.extend(std::fs::read(file)?);
        if !all.ends_with(b"\n") {
            all.push(b'\n');
        }
    }
    Ok(all)
}

/// `debian 12` of the file that says so.
fn name_of(release: &str) -> String {
    let value = |name: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches('"').to_owned()
    };
    format!("{} {}", value("ID"), value("VERSION_ID"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_named_by_its_own_file() {
        assert_eq!(name_of("PRETTY_NAME=\"x\"\nVERSION_ID=\"12\"\nID=debian\n"), "debian 12");
    }

    #[test]
    fn the_user_of_the_image_has_a_name_there() {
        let user = format!("countersign:x:{0}:{0}:", super::super::USER);
        assert!(PASSWD.contains(&user), "{PASSWD}");
    }
}
