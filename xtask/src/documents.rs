//! Checks that what the documents name exists. A document names a place in backquotes, as a path from the
//! repository's root, and a test as `path::name of the test`; both must be there, so that a table of "which
//! test fails without it" cannot rot. Whether the test proves what the row says is for a reader to judge.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::violation::Violation;

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

/// Folders whose every page is checked like them. What the wire's handbook names is checked with its clauses.
const CHECKED_FOLDERS: &[&str] = &["docs/decisions"];

/// Folders whose links to other pages are checked.
const LINKING_FOLDERS: &[&str] = &["docs", "docs/decisions", "docs/wire"];

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
    let mut checked: Vec<PathBuf> = CHECKED.iter().map(PathBuf::from).collect();
    for folder in CHECKED_FOLDERS {
        checked.extend(pages(root, folder)?);
    }
    for document in checked {
        let text = read(root, &document)?;
        for (name, line) in names(&text) {
            if !exists(root, &name) {
                let what = format!("`{name}` does not exist");
                found.push(Violation { path: document.clone(), line: Some(line), what });
            }
        }
    }
    for folder in LINKING_FOLDERS {
        for page in pages(root, folder)? {
            let text = read(root, &page)?;
            for (target, line) in links(&text) {
                if !root.join(folder).join(&target).exists() {
                    let what = format!("links to {target}, which does not exist");
                    found.push(Violation { path: page.clone(), line: Some(line), what });
                }
            }
        }
    }
    Ok(())
}

/// The pages of a folder, relative to the repository.
fn pages(root: &Path, folder: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(root.join(folder)).with_context(|| format!("reading {folder}"))? {
        let name = PathBuf::from(entry?.file_name());
        if name.extension().is_some_and(|ending| ending == "md") {
            pages.push(Path::new(folder).join(name));
        }
    }
    Ok(pages)
}

fn read(root: &Path, document: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(root.join(document)).with_context(|| format!("reading {}", document.display()))
}

/// The files that links lead to, without places in them, with their lines. Those to elsewhere are not looked at.
fn links(text: &str) -> Vec<(String, usize)> {
    let mut links = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let files = targets.filter_map(|target| target.split('#').next());
        let ours = files.filter(|file| !file.is_empty() && !file.contains(':') && !file.starts_with('/'));
        links.extend(ours.map(|file| (file.to_owned(), index + 1)));
    }
    links
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
    fn links_to_files_are_found_and_those_to_elsewhere_are_not() {
        let text = "[a](b.md#c) [d](https://e.example/f) [g](#h)\n| [i](../j.md) | [k](/l) |";
        assert_eq!(links(text), [("b.md".to_owned(), 1), ("../j.md".to_owned(), 2)]);
    }

    #[test]
    fn only_backquoted_places_of_ours_are_names() {
        let text = "see `crates/cli` and `Cargo.toml`\n```\n`crates/none`\n```\n| `docs/a.md::b c` |\n";
        assert_eq!(names(text), [("crates/cli".to_owned(), 1), ("docs/a.md::b c".to_owned(), 5)]);
    }
}
