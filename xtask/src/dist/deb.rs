//! Makes the Debian package: binary, manual pages and completions that the binary itself prints, the units and the
//! settings of `packaging/deb`. It is put together without debhelper, so that any machine with `dpkg-deb` makes it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use super::file_tree::FileTree;
use super::linked_libraries::{Needs, architecture};
use super::{Ingredients, output_of, run_command, third_party};

/// The revision of the packaging behind the version of the program.
const REVISION: u32 = 1;
/// Nothing is published under an address of somebody's own.
const MAINTAINER: &str = "The Countersign maintainers <maintainers@countersign.invalid>";
/// Where the settings of the package lie in the repository.
const SOURCES: &str = "packaging/deb";
/// The settings, and who may read them: the service's group is given to them when the package is configured.
const SETTINGS: &[(&str, u32)] = &[("countersign.toml", 0o640), ("app.toml", 0o640), ("secrets.env", 0o640)];
const UNITS: &[&str] = &["countersign.service", "countersign-app.service"];
const SCRIPTS: &[&str] = &["preinst", "postinst", "prerm", "postrm"];
/// Shells, and where each looks for what a package brings.
const COMPLETIONS: &[(&str, &str)] = &[
    ("bash", "usr/share/bash-completion/completions/countersign"),
    ("fish", "usr/share/fish/vendor_completions.d/countersign.fish"),
    ("zsh", "usr/share/zsh/vendor-completions/_countersign"),
];
const DESCRIPTION: &str = "object store whose uploads an application countersigns
 Browsers and phones upload straight to the store, with a form that your
 application has signed. When a file is safe, and before its uploader hears
 anything, the store calls the application and relays its answer.
 .
 It speaks the protocol of Alibaba Cloud OSS: PostObject with policy and
 callback, and the bucket and object operations that its SDKs use. This package
 runs the store as a service; the application server is a second one, which is
 not enabled.";

/// Makes it, and gives the files that are published.
pub(super) fn build(ingredients: &Ingredients) -> anyhow::Result<Vec<PathBuf>> {
    let tree = FileTree::new(ingredients.work.join("tree"))?;
    let version = debian_version(&ingredients.version);
    let architecture = architecture(&ingredients.binary)?;
    put_program(&tree, ingredients)?;
    put_settings(&tree, ingredients)?;
    put_documents(&tree, ingredients, &version)?;
    put_control(&tree, ingredients, &version, architecture)?;
    let package = ingredients.output.join(format!("countersign_{version}_{architecture}.deb"));
    run_command(
        Command::new("dpkg-deb")
            .env("SOURCE_DATE_EPOCH", ingredients.source_date_epoch.to_string())
            // One thread: more of them cut the data into other pieces. No zstd: Debian 12 does not unpack it.
            .args(["--root-owner-group", "-Zxz", "--threads-max=1", "--build"])
            .args([tree.root(), &package]),
    )?;
    Ok(vec![package])
}

/// A version as Debian sorts it: a hyphen would begin the revision, and what stands behind a tilde comes before
/// nothing, as a candidate does before its release.
fn debian_version(version: &str) -> String {
    format!("{}-{REVISION}", version.replace('-', "~"))
}

fn put_program(tree: &FileTree, ingredients: &Ingredients) -> anyhow::Result<()> {
    let binary = &ingredients.binary;
    tree.copy(binary, "usr/bin/countersign", 0o755)?;
    for (shell, path) in COMPLETIONS {
        tree.put(path, 0o644, output_of(Command::new(binary).args(["completions", shell]))?.as_bytes())?;
    }
    let pages = ingredients.work.join("man");
    std::fs::create_dir(&pages)?;
    run_command(Command::new(binary).args(["man", "--into"]).arg(&pages))?;
    for page in sorted_files(&pages)? {
        let name = page.file_name().context("a file has a name")?.to_string_lossy();
        tree.put_gzipped(&format!("usr/share/man/man1/{name}.gz"), &std::fs::read(&page)?)?;
    }
    Ok(())
}

fn put_settings(tree: &FileTree, ingredients: &Ingredients) -> anyhow::Result<()> {
    let sources = ingredients.root.join(SOURCES);
    for (name, mode) in SETTINGS {
        tree.copy(&sources.join(name), &format!("etc/countersign/{name}"), *mode)?;
    }
    for unit in UNITS {
        tree.copy(&sources.join(unit), &format!("lib/systemd/system/{unit}"), 0o644)?;
    }
    Ok(())
}

fn put_documents(tree: &FileTree, ingredients: &Ingredients, version: &str) -> anyhow::Result<()> {
    let folder = "usr/share/doc/countersign";
    let sources = ingredients.root.join(SOURCES);
    tree.copy(&sources.join("copyright"), &format!("{folder}/copyright"), 0o644)?;
    tree.copy(&sources.join("README.Debian"), &format!("{folder}/README.Debian"), 0o644)?;
    tree.copy(&sources.join("lintian-overrides"), "usr/share/lintian/overrides/countersign", 0o644)?;
    let notices = ingredients.third_party_notices.as_bytes();
    tree.put_gzipped(&format!("{folder}/{}.gz", third_party::FILE_NAME), notices)?;
    let changes = std::fs::read(ingredients.root.join("CHANGELOG.md"))?;
    tree.put_gzipped(&format!("{folder}/changelog.gz"), &changes)?;
    let moment = format!("@{}", ingredients.source_date_epoch);
    let date = output_of(Command::new("date").args(["--utc", "--rfc-email", "--date", &moment]))?;
    let entry = format!(
        "countersign ({version}) stable; urgency=medium\n\n  * Packed from the sources; changelog.gz says what changed.\n\n \
         -- {MAINTAINER}  {}\n",
        date.trim()
    );
    tree.put_gzipped(&format!("{folder}/changelog.Debian.gz"), entry.as_bytes())
}

fn put_control(
    tree: &FileTree,
    ingredients: &Ingredients,
    version: &str,
    architecture: &str,
) -> anyhow::Result<()> {
    let sums = output_of(
        Command::new("sh")
            .current_dir(tree.root())
            .args(["-c", "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 md5sum"]),
    )?;
    let control = format!(
        "Package: countersign\n\
         Version: {version}\n\
         Architecture: {architecture}\n\
         Maintainer: {MAINTAINER}\n\
         Installed-Size: {}\n\
         Depends: adduser, {}\n\
         Recommends: ca-certificates\n\
         Section: httpd\n\
         Priority: optional\n\
         Description: {DESCRIPTION}\n",
        tree.kibibytes()?,
        Needs::of(&ingredients.binary)?.as_depends(),
    );
    let sources = ingredients.root.join(SOURCES);
    for script in SCRIPTS {
        tree.copy(&sources.join(script), &format!("DEBIAN/{script}"), 0o755)?;
    }
    let conffiles: String = SETTINGS.iter().map(|(name, _)| format!("/etc/countersign/{name}\n")).collect();
    tree.put("DEBIAN/conffiles", 0o644, conffiles.as_bytes())?;
    tree.put("DEBIAN/md5sums", 0o644, sums.as_bytes())?;
    tree.put("DEBIAN/control", 0o644, control.as_bytes())
}

fn sorted_files(folder: &std::path::Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_sorts_before_its_release() {
        assert_eq!(debian_version("0.1.0"), "0.1.0-1");
        assert_eq!(debian_version("0.2.0-rc.1"), "0.2.0~rc.1-1");
    }

    /// The lines of a unit's service that say what it may do; paths and users differ on purpose.
    fn hardening(unit: &str) -> Vec<String> {
        let path = crate::repository_root().unwrap().join("packaging").join(unit);
        let text = std::fs::read_to_string(path).unwrap();
        let differing = [
            "ExecStart=",
            "User=",
            "Group=",
            "DynamicUser=",
            "EnvironmentFile=",
            "Description=",
            "Documentation=",
            // Only the store has a catalog to bring to a new schema.
            "TimeoutStartSec=",
        ];
        let kept = |line: &&str| {
            !line.starts_with('#')
                && !line.is_empty()
                && !differing.iter().any(|start| line.starts_with(start))
        };
        text.lines().filter(kept).map(str::to_owned).collect()
    }

    #[test]
    fn the_units_of_the_package_and_the_one_for_other_systems_permit_the_same() {
        let own = hardening("countersign.service");
        assert!(own.contains(&"NoNewPrivileges=yes".to_owned()), "{own:?}");
        for unit in UNITS {
            assert_eq!(hardening(&format!("deb/{unit}")), own, "{unit}");
        }
    }
}
