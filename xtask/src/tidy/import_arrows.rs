//! Checks which package may import which, from the packages' own `Cargo.toml`. Only `[dependencies]` and the build
//! dependencies count: a test may look at more than the code it tests.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::house_rules::{ARROWS, Arrow, MAY_BE_UNSAFE, MayImport, TEST_ONLY};
use crate::violation::Violation;

/// Folders that hold packages, or are one.
const PACKAGE_PLACES: &[&str] = &["crates", "examples", "conformance", "bench", "xtask", "fuzz"];

/// Checks every package of the workspace against the table of arrows.
pub(crate) fn check(root: &Path, found: &mut Vec<Violation>) -> anyhow::Result<()> {
    for manifest in manifests(root)? {
        let text =
            std::fs::read_to_string(&manifest).with_context(|| format!("reading {}", manifest.display()))?;
        let shown = manifest.strip_prefix(root).unwrap_or(&manifest);
        check_manifest(shown, &text, found)
            .with_context(|| format!("{} is not a manifest", manifest.display()))?;
    }
    Ok(())
}

fn manifests(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut manifests = Vec::new();
    for place in PACKAGE_PLACES {
        let folder = root.join(place);
        if folder.join("Cargo.toml").is_file() {
            manifests.push(folder.join("Cargo.toml"));
        } else if folder.is_dir() {
            for entry in std::fs::read_dir(&folder)? {
                let manifest = entry?.path().join("Cargo.toml");
                if manifest.is_file() {
                    manifests.push(manifest);
                }
            }
        }
    }
    Ok(manifests)
}

fn check_manifest(path: &Path, text: &str, found: &mut Vec<Violation>) -> anyhow::Result<()> {
    let manifest: toml::Table = text.parse()?;
    let name = manifest
        .get("package")
        .and_then(|package| package.get("name"))
        .and_then(toml::Value::as_str)
        .context("no package name")?;
    let Some(arrow) = ARROWS.iter().find(|arrow| arrow.package == name) else {
        found.push(Violation::of_file(
            path,
            format!("package `{name}` has no row in the table of import arrows"),
        ));
        return Ok(());
    };
    if !forbids_unsafe(&manifest) && !MAY_BE_UNSAFE.contains(&name) {
        let what = format!("`{name}` does not forbid unsafe code");
        found.push(Violation::of_file(path, what));
    }
    for section in ["dependencies", "build-dependencies"] {
        let Some(dependencies) = manifest.get(section).and_then(toml::Value::as_table) else { continue };
        for (key, value) in dependencies {
            let imported = value.get("package").and_then(toml::Value::as_str).unwrap_or(key);
            if !permits(arrow, imported) {
                found.push(Violation::of_file(path, format!("`{name}` must not import `{imported}`")));
            }
        }
    }
    Ok(())
}

/// Whether a package has the workspace's lints, or forbids unsafe code by its own.
fn forbids_unsafe(manifest: &toml::Table) -> bool {
    let Some(lints) = manifest.get("lints") else { return false };
    let own = lints.get("rust").and_then(|rust| rust.get("unsafe_code")).and_then(toml::Value::as_str);
    lints.get("workspace").and_then(toml::Value::as_bool) == Some(true) || own == Some("forbid")
}

/// Whether the arrow allows this import. What is not ours is always allowed here; licences and bans have
/// their own check.
fn permits(arrow: &Arrow, imported: &str) -> bool {
    let ours = ARROWS.iter().any(|arrow| arrow.package == imported);
    match arrow.may_import {
        _ if !ours => true,
        MayImport::Only(names) => names.contains(&imported) && !TEST_ONLY.contains(&imported),
        MayImport::Anything => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let text = format!("lints.workspace = true\n{text}");
        check_manifest(Path::new("Cargo.toml"), &text, &mut found).unwrap();
        found.into_iter().map(|violation| violation.what).collect()
    }

    #[test]
    fn protocol_may_import_nothing_of_ours() {
        let found = check_text(
            "[package]\nname = \"countersign-protocol\"\n[dependencies]\ncountersign-sys.workspace = true\n",
        );
        assert_eq!(found, ["`countersign-protocol` must not import `countersign-sys`"]);
    }

    #[test]
    fn a_renamed_import_is_seen_under_its_real_name() {
        let found = check_text(
            "[package]\nname = \"countersign-app\"\n[dependencies]\ninner = { package = \"countersign-store\", path = \"../store\" }\n",
        );
        assert_eq!(found, ["`countersign-app` must not import `countersign-store`"]);
    }

    #[test]
    fn test_crates_are_for_dev_dependencies_only() {
        let shipped = check_text(
            "[package]\nname = \"countersign-store\"\n[dependencies]\ncountersign-testkit.workspace = true\n",
        );
        assert_eq!(shipped, ["`countersign-store` must not import `countersign-testkit`"]);
        let tested = check_text(
            "[package]\nname = \"countersign-store\"\n[dev-dependencies]\ncountersign-testkit.workspace = true\n",
        );
        assert!(tested.is_empty());
    }

    #[test]
    fn unsafe_code_has_its_places() {
        let lints_of = |name: &str| {
            let (mut found, text) = (Vec::new(), format!("[package]\nname = \"{name}\"\n"));
            check_manifest(Path::new("Cargo.toml"), &text, &mut found).unwrap();
            found.len()
        };
        assert_eq!((lints_of("countersign-crashfs"), lints_of("countersign-store")), (0, 1));
    }

    #[test]
    fn a_package_without_a_row_is_refused() {
        let found = check_text("[package]\nname = \"countersign-extra\"\n");
        assert_eq!(found, ["package `countersign-extra` has no row in the table of import arrows"]);
    }

    #[test]
    fn foreign_crates_are_not_our_business() {
        assert!(
            check_text("[package]\nname = \"countersign-sys\"\n[dependencies]\nbytes = \"1\"\n").is_empty()
        );
    }
}
