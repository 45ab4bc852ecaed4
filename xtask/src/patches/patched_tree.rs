//! A copy of the repository with one patch applied, and cargo in it.
//!
//! There is one copy, in `target/patched-tree`, and it is brought up to date file by file: what has not changed keeps
//! its time stamp, so that cargo compiles only what a patch touches. It shares the build folder, and with it every
//! dependency that is compiled already; its packages have a version of their own, or cargo would take what it
//! compiled of the copy for the repository's. What a patch is to show is not known here.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// The copy, relative to the repository.
const COPY: &str = "target/patched-tree";
/// Folders that are not copied: made by tools, and read by no compiler.
const NOT_COPIED: &[&str] = &["target", "node_modules", "dist", ".venv", "__pycache__", "artefacts", ".git"];
/// The version of the packages in the copy, which differs from any that the repository has.
const COPY_VERSION: &str = "version = \"0.0.0+patched\"";
/// The profile of this program is the one whose dependencies are compiled already.
const PROFILE: &[&str] = if cfg!(debug_assertions) { &[] } else { &["--release"] };

/// An error of the compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CompilerError {
    /// Its code, as `E0451`; syntax errors have none.
    pub(crate) code: Option<String>,
    /// The file it is in, relative to the repository.
    pub(crate) file: Option<String>,
    /// All that the compiler says of it.
    pub(crate) text: String,
}

/// The copy with a patch applied. Only one exists at a time, across processes.
pub(crate) struct PatchedTree {
    folder: PathBuf,
    build_folder: PathBuf,
    /// Held while the copy is in use.
    _lock: File,
}

impl PatchedTree {
    /// Brings the copy up to date with the repository at `root` and applies `patch` to it. Fails where the patch
    /// does not apply any more.
    pub(crate) fn with(root: &Path, patch: &Path) -> anyhow::Result<Self> {
        let folder = root.join(COPY);
        std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let lock = File::create(folder.with_extension("lock")).context("making the copy's lock")?;
        lock.lock().context("waiting for the copy")?;
        synchronise(root, &folder)?;
        let mut git = Command::new("git");
        // Otherwise git takes the copy for a folder of the repository around it, and the patch for none of its.
        git.env("GIT_CEILING_DIRECTORIES", root.join("target"));
        git.arg("apply").arg(patch).current_dir(&folder);
        let applied = git.output().context("starting git")?;
        ensure!(applied.status.success(), "does not apply:\n{}", String::from_utf8_lossy(&applied.stderr));
        let build_folder = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root.join("target"), |given| root.join(given));
        Ok(Self { folder, build_folder, _lock: lock })
    }

    /// Compiles the library and the binaries of a package, without linking; the errors of the compiler.
    pub(crate) fn check(&self, package: &str) -> anyhow::Result<Vec<CompilerError>> {
        let output = self.cargo(&["check", "--message-format=json", "--quiet", "--package", package])?;
        let errors = compiler_errors(&String::from_utf8_lossy(&output.stdout));
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success() || !errors.is_empty(), "cargo failed:\n{said}");
        Ok(errors)
    }

    /// Runs `cargo test` with these arguments; an error where a test fails or none was run.
    pub(crate) fn test(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let output = self.cargo(&[&["test", "--quiet"], arguments].concat())?;
        let (said, why) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "a test fails in the patched copy:\n{said}{why}");
        let ran = said.lines().any(|line| line.starts_with("test result: ok") && !line.contains(" 0 passed"));
        ensure!(ran, "no test was run in the patched copy:\n{said}{why}");
        Ok(())
    }

    fn cargo(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let (command, rest) = arguments.split_first().context("no command for cargo")?;
        Command::new("cargo")
            .arg(command)
            // Not `--locked`: the copy's lock file is rewritten, with its own version of our packages.
            .arg("--offline")
            .args(PROFILE)
            .args(rest)
            .env("CARGO_TARGET_DIR", &self.build_folder)
            .current_dir(&self.folder)
            .output()
            .context("starting cargo")
    }
}

/// Makes the copy equal to the repository. A file that is equal already is not written.
fn synchronise(root: &Path, copy: &Path) -> anyhow::Result<()> {
    let (wanted, there) = (files(root)?, files(copy)?);
    for path in there.difference(&wanted) {
        std::fs::remove_file(copy.join(path)).with_context(|| format!("removing {}", path.display()))?;
    }
    for path in &wanted {
        let mut content =
            std::fs::read(root.join(path)).with_context(|| format!("reading {}", path.display()))?;
        if path == Path::new("Cargo.toml") {
            content = with_version_of_copy(&content)?;
        }
        let target = copy.join(path);
        if std::fs::read(&target).is_ok_and(|held| held == content) {
            continue;
        }
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        std::fs::write(&target, content).with_context(|| format!("writing {}", target.display()))?;
    }
    Ok(())
}

/// The manifest of the workspace with the version that the packages of the copy have.
fn with_version_of_copy(manifest: &[u8]) -> anyhow::Result<Vec<u8>> {
    let text = std::str::from_utf8(manifest).context("reading Cargo.toml")?;
    let lines = text.lines().filter(|line| line.starts_with("version = ")).count();
    ensure!(lines == 1, "Cargo.toml states {lines} versions, and one was expected");
    let replaced = text.lines().map(|line| if line.starts_with("version = ") { COPY_VERSION } else { line });
    Ok(replaced.collect::<Vec<_>>().join("\n").into_bytes())
}

/// Every file below a folder that is copied, relative to it.
fn files(root: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let (mut found, mut folders) = (BTreeSet::new(), vec![root.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() && !NOT_COPIED.iter().any(|name| entry.file_name() == *name) {
                folders.push(entry.path());
            } else if kind.is_file() && entry.file_name() != ".git" {
                found.insert(entry.path().strip_prefix(root)?.to_path_buf());
            }
        }
    }
    Ok(found)
}

/// The errors among cargo's messages. The lines that only count errors have no place and are none.
fn compiler_errors(messages: &str) -> Vec<CompilerError> {
    let parsed = messages.lines().filter_map(|line| serde_json::from_str::<CargoMessage>(line).ok());
    let diagnostics = parsed.filter_map(|message| message.message);
    let errors = diagnostics.filter(|found| found.level == "error" && !found.spans.is_empty());
    let read = |error: Diagnostic| CompilerError {
        code: error.code.map(|code| code.code),
        file: error.spans.into_iter().find(|span| span.is_primary).map(|span| span.file_name),
        text: error.rendered.unwrap_or_default(),
    };
    errors.map(read).collect()
}

/// A line of `--message-format=json`, as far as it is read.
#[derive(Deserialize)]
struct CargoMessage {
    message: Option<Diagnostic>,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    code: Option<DiagnosticCode>,
    spans: Vec<Span>,
    rendered: Option<String>,
}

#[derive(Deserialize)]
struct DiagnosticCode {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    is_primary: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_becomes_equal_and_what_is_equal_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let (root, copy) = (folder.path().join("root"), folder.path().join("copy"));
        for path in ["src", "target", "src/node_modules"] {
            std::fs::create_dir_all(root.join(path)).unwrap();
        }
        std::fs::create_dir(&copy).unwrap();
        for (path, text) in [
            ("src/a.rs", "a"),
            ("Cargo.toml", "[workspace.package]\nversion = \"1.2.3\""),
            ("target/c", "c"),
            ("src/node_modules/d", "d"),
        ] {
            std::fs::write(root.join(path), text).unwrap();
        }
        std::fs::write(copy.join("of_a_patch.rs"), "").unwrap();
        synchronise(&root, &copy).unwrap();
        let copied: Vec<_> = files(&copy).unwrap().into_iter().collect();
        assert_eq!(copied, [PathBuf::from("Cargo.toml"), PathBuf::from("src/a.rs")]);

        let written = || std::fs::metadata(copy.join("src/a.rs")).unwrap().modified().unwrap();
        let before = written();
        std::fs::write(copy.join("Cargo.toml"), "patched").unwrap();
        synchronise(&root, &copy).unwrap();
        let manifest = std::fs::read_to_string(copy.join("Cargo.toml")).unwrap();
        assert_eq!(manifest, format!("[workspace.package]\n{COPY_VERSION}"));
        assert_eq!(written(), before);
    }

    #[test]
    fn errors_are_read_from_cargos_messages_and_warnings_and_counts_are_not() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact"}"#,
            "\n",
            r#"{"reason":"compiler-message","message":{"level":"warning","code":null,"spans":[{"is_primary":true,"file_name":"a.rs"}],"rendered":"w"}}"#,
            "\n",
            r#"{"reason":"compiler-message","message":{"level":"error","code":{"code":"E0451"},"spans":[{"is_primary":false,"file_name":"b.rs"},{"is_primary":true,"file_name":"a.rs"}],"rendered":"private"}}"#,
            "\n",
            r#"{"reason":"compiler-message","message":{"level":"error","code":null,"spans":[],"rendered":"1 previous error"}}"#,
            "\n",
        );
        let private = CompilerError {
            code: Some("E0451".to_owned()),
            file: Some("a.rs".to_owned()),
            text: "private".to_owned(),
        };
        assert_eq!(compiler_errors(messages), [private]);
    }
}
