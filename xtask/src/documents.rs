//! Checks that what the documents name exists. A document names a place in backquotes, as a path from the
//! repository's root, and a test as `path::name of the test`; both must be there, so that a table of "which
//! test fails without it" cannot rot. Whether the test proves what the row says is for a reader to judge.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::tidy::Violation;

/// Documents whose every backquoted path is checked.
const CHECKED: &[&str] = &[
    "README.md",
    "README.zh-CN.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/adopt.md",
    "docs/api.md",
    "docs/deploy.md",
    "docs/deploy.zh-CN.md",
    "docs/performance.md",
    "docs/semantics.md",
    "docs/testing.md",
    "docs/testing.zh-CN.md",
    "docs/tutorial-proofs.md",
    "docs/tutorial-proofs.zh-CN.md",
    "examples/README.md",
    "examples/README.zh-CN.md",
];

/// The first part of a path of ours.
const OUR_FOLDERS: &[&str] = &[
    "crates/",
    "uploader/",
    "vectors/",
    "conformance/",
    "bench/",
    "examples/",
    "docs/",
    "xtask/",
    ".ci/",
    "fuzz/",
    "packages/",
    "packaging/",
];

/// Finds every name in the checked documents that leads nowhere.
pub(crate) fn check(root: &Path, found: &mut Vec<Violation>) -> anyhow::Result<()> {
    for document in CHECKED {
        let path = root.join(document);
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {document}"))?;
        for (name, line) in names(&text) {
            if !exists(root, &name) {
                let what = format!("`{name}` does not exist");
                found.push(Violation { path: PathBuf::from(document), line: Some(line), what });
            }
        }
    }
    Ok(())
}

/// The backquoted spans that name a place of ours, with their lines. Fenced blocks are commands, not names.
fn names(text: &str) -> Vec<(String, usize)> {
    let mut names = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let spans = line.split('`').skip(1).step_by(2);
            let ours = spans.filter(|span| OUR_FOLDERS.iter().any(|folder| span.starts_with(folder)));
            names.extend(ours.map(|span| (span.to_owned(), index + 1)));
        }
    }
    names
}

/// Whether the file, or the test in it, is there.
pub(crate) fn exists(root: &Path, name: &str) -> bool {
    let Some((path, test)) = name.split_once("::") else { return root.join(name).exists() };
    let Ok(text) = std::fs::read_to_string(root.join(path)) else { return false };
    let quoted = ['"', '\'', '`'].iter().any(|quote| text.contains(&format!("{quote}{test}{quote}")));
    quoted || text.contains(&format!("fn {test}(")) || text.contains(&format!("def {test}("))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_documents_exists() {
        let mut found = Vec::new();
        check(&crate::repository_root().unwrap(), &mut found).unwrap();
        let lines: Vec<String> = found.iter().map(Violation::to_string).collect();
        assert!(lines.is_empty(), "\n{}", lines.join("\n"));
    }

    #[test]
    fn a_path_that_is_not_there_is_found() {
        let root = crate::repository_root().unwrap();
        assert!(exists(&root, "xtask/src/documents.rs"));
        assert!(!exists(&root, "xtask/src/no_such_file.rs"));
    }

    #[test]
    fn a_test_that_is_not_in_its_file_is_found() {
        let root = crate::repository_root().unwrap();
        assert!(exists(&root, "xtask/src/documents.rs::a_test_that_is_not_in_its_file_is_found"));
        assert!(!exists(&root, "xtask/src/documents.rs::a_test_that_nobody_wrote"));
        assert!(!exists(&root, "xtask/src/no_such_file.rs::a_test_that_is_not_in_its_file_is_found"));
    }

    #[test]
    fn a_test_of_javascript_is_named_by_its_sentence() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("uploader")).unwrap();
        std::fs::write(folder.path().join("uploader/a.test.js"), "test('aborts within 200 ms', () => {})")
            .unwrap();
        assert!(exists(folder.path(), "uploader/a.test.js::aborts within 200 ms"));
        assert!(!exists(folder.path(), "uploader/a.test.js::aborts within"));
    }

    #[test]
    fn only_backquoted_places_of_ours_are_names() {
        let text = "see `crates/cli` and `Cargo.toml`\n```\n`crates/none`\n```\n| `docs/a.md::b c` |\n";
        assert_eq!(names(text), [("crates/cli".to_owned(), 1), ("docs/a.md::b c".to_owned(), 5)]);
    }
}
