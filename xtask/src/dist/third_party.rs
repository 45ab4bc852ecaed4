//! Makes the notices of third parties: every crate that is linked into the binary, its licence, and the texts of licences
//! and notices that its sources bring. A binary with a crate in it that the notices do not name is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::output_of;

/// What the file is called in each package.
pub(super) const FILE_NAME: &str = "THIRD-PARTY-NOTICES.txt";
/// The package whose binary it is.
const PACKAGE: &str = "countersign";
/// What stands before the name of a crate in a path to its sources, which a binary keeps for its panics.
const REGISTRY: &[u8] = b"/registry/src/";
/// What the names of files with licences begin with, in capitals.
const NAMES: &[&str] = &["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];
/// What of such names is no text to be passed on: programs and settings about licences.
const NO_TEXTS: &[&str] = &["rs", "toml", "json", "html", "yml", "py", "go", "sh"];
const RULE: &str = "================================================================================";

/// One crate, as its name and version, `serde 1.0.1`.
type CrateName = String;

/// A crate that is linked.
#[derive(Debug)]
struct LinkedCrate {
    licence: String,
    repository: String,
    authors: Vec<String>,
    /// Each text once, whatever its file is called.
    texts: Vec<String>,
}

/// What `cargo metadata` says.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    #[serde(default)]
    authors: Vec<String>,
    license: Option<String>,
    repository: Option<String>,
    manifest_path: PathBuf,
    source: Option<String>,
}

/// The notices for this binary, which must have no crate inside that they lack.
pub(super) fn notices(root: &Path, binary: &Path) -> anyhow::Result<String> {
    let crates = linked(root)?;
    let bytes = std::fs::read(binary).with_context(|| format!("reading {}", binary.display()))?;
    refuse_unnamed(&crates, &crates_inside(&bytes))?;
    Ok(written(&crates))
}

/// The crates of others that the program is linked from: no build scripts, no macros, no tests.
fn linked(root: &Path) -> anyhow::Result<BTreeMap<CrateName, LinkedCrate>> {
    let tree = output_of(Command::new("cargo").current_dir(root).args([
        "tree",
        "--locked",
        "--package",
        PACKAGE,
        "--edges",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]))?;
    let compiler = output_of(Command::new("rustc").arg("-vV"))?;
    let host =
        compiler.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    // Else what only other systems need would be fetched.
    let metadata = output_of(Command::new("cargo").current_dir(root).args([
        "metadata",
        "--locked",
        "--format-version",
        "1",
        "--filter-platform",
        host,
    ]))?;
    let metadata: Metadata = serde_json::from_str(&metadata)?;
    let linked: BTreeSet<CrateName> = tree.lines().filter_map(crate_of_line).collect();
    let of_others = metadata.packages.iter().filter(|package| package.source.is_some());
    let named = of_others.map(|package| (format!("{} {}", package.name, package.version), package));
    named
        .filter(|(name, _)| linked.contains(name))
        .map(|(name, package)| Ok((name, read(package)?)))
        .collect()
}

/// `serde v1.0.1 (*)` is `serde 1.0.1`.
fn crate_of_line(line: &str) -> Option<CrateName> {
    let mut words = line.split_whitespace();
    let (name, version) = (words.next()?, words.next()?);
    Some(format!("{name} {}", version.strip_prefix('v')?))
}

fn read(package: &Package) -> anyhow::Result<LinkedCrate> {
    let folder = package.manifest_path.parent().context("a manifest has a folder")?;
    let licence = package.license.clone();
    let licence = licence.with_context(|| format!("{} names no licence", package.name))?;
    let mut texts = Vec::new();
    for path in licence_files(folder)? {
        let text = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let text = plain(&String::from_utf8_lossy(&text));
        if !text.is_empty() && !texts.contains(&text) {
            texts.push(text);
        }
    }
    let (repository, authors) = (package.repository.clone().unwrap_or_default(), package.authors.clone());
    Ok(LinkedCrate { licence, repository, authors, texts })
}

/// A text without what does not show: the ends of lines, and empty lines at both ends.
fn plain(text: &str) -> String {
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// Also those of what a crate brings in folders of its own, a library in C for instance.
fn licence_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let name = entry.file_name().to_string_lossy().to_uppercase();
        let is_text = path.extension().is_none_or(|ending| !NO_TEXTS.iter().any(|other| ending == *other));
        if kind.is_dir() {
            found.extend(licence_files(&path)?);
        } else if kind.is_file() && is_text && NAMES.iter().any(|begin| name.starts_with(begin)) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The crates whose sources a binary names in the places of its panics, stripped or not.
fn crates_inside(binary: &[u8]) -> BTreeSet<CrateName> {
    let mut found = BTreeSet::new();
    for at in memory_positions(binary, REGISTRY) {
        let after = binary.get(at + REGISTRY.len()..).unwrap_or_default();
        // The registry's own name, then the crate's with its version.
        let mut parts = after.split(|byte| *byte == b'/').skip(1);
        let Some(Ok(part)) = parts.next().map(std::str::from_utf8) else { continue };
        let version = part.match_indices('-').find(|(at, _)| {
            let rest = part.get(at + 1..).unwrap_or_default();
            let number = rest.trim_start_matches(|sign: char| sign.is_ascii_digit());
            number.len() < rest.len() && number.starts_with('.')
        });
        if let Some((name, version)) = version.and_then(|(at, _)| part.split_at_checked(at)) {
            found.insert(format!("{name} {}", version.trim_start_matches('-')));
        }
    }
    found
}

/// Where these bytes begin.
fn memory_positions<'a>(bytes: &'a [u8], wanted: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    bytes.windows(wanted.len()).enumerate().filter(move |(_, window)| *window == wanted).map(|(at, _)| at)
}

fn refuse_unnamed(
    crates: &BTreeMap<CrateName, LinkedCrate>,
    inside: &BTreeSet<CrateName>,
) -> anyhow::Result<()> {
    let unnamed: Vec<&str> =
        inside.iter().map(String::as_str).filter(|name| !crates.contains_key(*name)).collect();
    ensure!(
        unnamed.is_empty(),
        "the binary has crates inside that are not linked here: {}",
        unnamed.join(", ")
    );
    Ok(())
}

fn written(crates: &BTreeMap<CrateName, LinkedCrate>) -> String {
    let mut text = format!(
        "The program countersign is under the Apache License, version 2.0 (LICENSE). It is linked with the Rust standard\n\
         library (Copyright The Rust Project Contributors; MIT OR Apache-2.0) and with these {} packages of others.\n\
         The texts that their sources bring follow below, each once, under the names of those that bring it.\n\n",
        crates.len()
    );
    // Texts that differ in their line breaks and indents are one.
    let mut texts: BTreeMap<String, (&str, Vec<&str>)> = BTreeMap::new();
    for (name, linked) in crates {
        let authors = &linked.authors;
        let without = format!("; its sources bring no text, and name as authors {}", authors.join(", "));
        let without = if linked.texts.is_empty() { without.as_str() } else { "" };
        text.push_str(&format!("* {name}: {}{without}  {}\n", linked.licence, linked.repository));
        for licence in &linked.texts {
            let words: Vec<&str> = licence.split_whitespace().collect();
            let (_, names) = texts.entry(words.join(" ")).or_insert((licence, Vec::new()));
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    let mut texts: Vec<(&str, Vec<&str>)> = texts.into_values().collect();
    texts.sort_by(|(one, of_one), (other, of_other)| (of_one, one).cmp(&(of_other, other)));
    for (licence, names) in texts {
        text.push_str(&format!("\n{RULE}\n{}\n{RULE}\n\n{licence}\n", names.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_linked_is_named_with_its_texts_and_nothing_else_is() {
        let crates = linked(&crate::repository_root().unwrap()).unwrap();
        let text = written(&crates);
        for (name, words) in [
            ("aws-lc-sys", "OpenSSL"),
            ("tikv-jemalloc-sys", "Jason Evans"),
            ("rusqlite", "The rusqlite developers"),
            ("tokio", "Tokio Contributors"),
            ("serde_json", "MIT OR Apache-2.0"),
        ] {
            assert!(text.contains(&format!("\n* {name} ")), "{name}");
            assert!(text.contains(words), "{name}: {words}");
        }
        // A macro, a tool of the build, a tool of the tests, and what is our own.
        for name in ["serde_derive", "cc", "proptest", "countersign-store"] {
            assert!(!text.contains(&format!("\n* {name} ")), "{name}");
        }
        assert!(crates.len() > 100 && crates.values().all(|linked| !linked.licence.is_empty()));
    }

    #[test]
    fn a_crate_in_the_binary_that_is_not_named_is_refused() {
        let binary = b"\0/home/a/.cargo/registry/src/index.crates.io-1f/serde-json-x-1.0.2-rc.1/src/lib.rs\0\
            /rustc/x/library/core/src/a.rs/registry/src/reg/md-5-0.10.6/src/b.rs";
        let inside = crates_inside(binary);
        let names: Vec<&str> = inside.iter().map(String::as_str).collect();
        assert_eq!(names, ["md-5 0.10.6", "serde-json-x 1.0.2-rc.1"]);
        let linked = || LinkedCrate {
            licence: "MIT".into(),
            repository: String::new(),
            authors: Vec::new(),
            texts: vec!["A text".into(), "A\n  text".into()],
        };
        let mut crates = BTreeMap::from([("md-5 0.10.6".to_owned(), linked())]);
        let refused = refuse_unnamed(&crates, &inside).unwrap_err().to_string();
        assert!(refused.ends_with(": serde-json-x 1.0.2-rc.1"), "{refused}");
        crates.insert("serde-json-x 1.0.2-rc.1".into(), linked());
        refuse_unnamed(&crates, &inside).unwrap();
        assert_eq!(written(&crates).matches("A text").count(), 1, "one text is written once");
        assert!(written(&crates).contains("md-5 0.10.6, serde-json-x 1.0.2-rc.1\n"));
    }
}
