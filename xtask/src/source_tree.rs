//! Finds the code files of the repository and says what each one is: which package it belongs to, whether it
//! is production code or test code. Knows no rule.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Folders that hold code of ours.
const CODE_PLACES: &[&str] =
    &["crates", "xtask", "examples", "conformance", "bench", "uploader", "fuzz", "packages"];
/// Folders never entered: made by tools, not written by us.
const NOT_OURS: &[&str] = &["target", "node_modules", "dist", ".venv", "__pycache__", "artefacts"];
/// Endings of code files.
const CODE_ENDINGS: &[&str] = &["rs", "js", "mjs", "ts", "py"];
/// Folders whose files are tests or measurements, not production code.
const TEST_FOLDERS: &[&str] = &["tests", "test", "benches"];

/// One code file with its text.
#[derive(Debug, Clone)]
pub(crate) struct CodeFile {
    /// Path relative to the repository.
    pub(crate) path: PathBuf,
    /// The whole text.
    pub(crate) text: String,
}

impl CodeFile {
    /// The file's name without its ending.
    pub(crate) fn stem(&self) -> &str {
        self.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("")
    }

    /// Whether this is Rust.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.extension().is_some_and(|ending| ending == "rs")
    }

    /// Whether the file holds only tests: `tests.rs`, or anything in a folder for tests.
    pub(crate) fn is_test(&self) -> bool {
        let in_test_folder = self
            .path
            .parent()
            .is_some_and(|folder| folder.iter().any(|part| TEST_FOLDERS.iter().any(|name| part == *name)));
        in_test_folder || self.stem() == "tests" || self.stem().ends_with(".test")
    }
}

/// Every code file of the repository, in the order of the paths.
pub(crate) fn code_files(root: &Path) -> anyhow::Result<Vec<CodeFile>> {
    let mut files = Vec::new();
    for place in CODE_PLACES {
        let folder = root.join(place);
        if folder.is_dir() {
            walk(root, &folder, &mut files)?;
        }
    }
    files.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(files)
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<CodeFile>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        if path.is_dir() {
            if !NOT_OURS.contains(&name) && !name.starts_with('.') {
                walk(root, &path, files)?;
            }
        } else if path
            .extension()
            .and_then(|ending| ending.to_str())
            .is_some_and(|e| CODE_ENDINGS.contains(&e))
        {
            let text =
                std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            files.push(CodeFile { path: path.strip_prefix(root).unwrap_or(&path).to_path_buf(), text });
        }
    }
    Ok(())
}
