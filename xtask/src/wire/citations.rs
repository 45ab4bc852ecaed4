//! Finds citations that lead nowhere: of a clause that the handbook does not have, of a document that is not in the
//! repository, and of a paragraph of anything but an RFC.

use std::path::Path;

use super::handbook::{FOLDER, Handbook};
use crate::source_tree::CodeFile;
use crate::violation::Violation;

/// Where a page may lie that a comment names by its file name alone.
const PAGE_FOLDERS: &[&str] = &["", "docs", FOLDER, "docs/decisions"];

/// Checks the comments of code, the sources that vectors name, and the documents.
pub(crate) fn check(
    root: &Path,
    handbook: &Handbook,
    files: &[CodeFile],
    found: &mut Vec<Violation>,
) -> anyhow::Result<()> {
    for file in files {
        check_text(root, handbook, &file.path, &file.text, found);
    }
    for folder in ["vectors", "docs", FOLDER, "docs/decisions", "."] {
        for entry in std::fs::read_dir(root.join(folder))? {
            let path = entry?.path();
            if path.is_file() && path.extension().is_some_and(|ending| ending == "md" || ending == "json") {
                let relative = path.strip_prefix(root).unwrap_or(&path);
                check_text(root, handbook, relative, &std::fs::read_to_string(&path)?, found);
            }
        }
    }
    Ok(())
}

fn check_text(root: &Path, handbook: &Handbook, path: &Path, text: &str, found: &mut Vec<Violation>) {
    let mut before = "";
    for (number, line) in text.lines().enumerate() {
        let mut report = |what: String| {
            found.push(Violation { path: path.to_path_buf(), line: Some(number + 1), what });
        };
        for id in ids(handbook, line).filter(|id| handbook.find(id).is_none()) {
            report(format!("{FOLDER} has no clause {id}"));
        }
        if old_style(line) {
            report(format!("cites a protocol by its paragraph: cite a clause of {FOLDER}"));
        }
        if line.trim_start().starts_with("//") {
            if foreign_paragraph(before, line) {
                report("cites a paragraph of a document that is not in the repository".to_owned());
            }
            for page in pages(line).filter(|page| !is_there(root, path, page)) {
                report(format!("names {page}, which is not in the repository"));
            }
        }
        before = line;
    }
}

/// Words of the form of a clause's id, with a prefix that a page of the handbook has.
fn ids<'t>(handbook: &'t Handbook, line: &'t str) -> impl Iterator<Item = &'t str> {
    let words = line.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '-' && sign != '_');
    words.filter(|word| {
        word.split_once('-').is_some_and(|(prefix, number)| {
            handbook.prefixes.contains_key(prefix)
                && !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit())
        })
    })
}

/// `protocol 0N`, in any letter case.
fn old_style(line: &str) -> bool {
    let lower = line.to_lowercase();
    let word = ["protocol ", "0"].concat();
    lower
        .match_indices(&word)
        .any(|(at, _)| lower.as_bytes().get(at + word.len()).is_some_and(|byte| (b'1'..=b'9').contains(byte)))
}

/// A paragraph sign that no RFC stands in front of, on this line or the one before.
fn foreign_paragraph(before: &str, line: &str) -> bool {
    line.split_once('§').is_some_and(|(front, _)| !front.contains("RFC ") && !before.contains("RFC "))
}

/// Names of documents.
fn pages(line: &str) -> impl Iterator<Item = &str> {
    let words =
        line.split(|sign: char| !sign.is_ascii_alphanumeric() && !matches!(sign, '.' | '/' | '-' | '_'));
    words.map(|word| word.trim_end_matches('.')).filter(|word| word.len() > 3 && word.ends_with(".md"))
}

fn is_there(root: &Path, citing: &Path, page: &str) -> bool {
    let beside = citing.parent().map(|folder| root.join(folder).join(page));
    beside.is_some_and(|path| path.exists())
        || PAGE_FOLDERS.iter().any(|folder| root.join(folder).join(page).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found_in(text: &str) -> Vec<String> {
        let mut handbook = Handbook::default();
        handbook.prefixes.insert("POST".to_owned(), "docs/wire/a.md".to_owned());
        let root = crate::repository_root().unwrap();
        let mut found = Vec::new();
        check_text(&root, &handbook, Path::new("crates/a.rs"), text, &mut found);
        found.into_iter().map(|violation| violation.to_string()).collect()
    }

    #[test]
    fn a_clause_that_is_not_there_is_found_and_other_words_with_hyphens_are_not() {
        assert_eq!(found_in("//! (POST-1, UTF-8)"), ["crates/a.rs:1: docs/wire has no clause POST-1"]);
        assert!(found_in("POST-form XPOST-1 POST-1a").is_empty());
    }

    #[test]
    fn a_paragraph_of_a_document_from_elsewhere_is_found() {
        let old = ["//! (protocol ", "01 ", "§2)"].concat();
        assert_eq!(found_in(&old).len(), 2);
        assert_eq!(found_in("\n// see the design §2").len(), 1);
        assert!(found_in("// RFC 9110 §2 and §3\n//! §4").is_empty());
    }

    #[test]
    fn a_page_that_is_not_in_the_repository_is_found() {
        let page = ["no_such", ".md"].concat();
        assert_eq!(found_in(&format!("// see {page}.")).len(), 1);
        assert!(found_in("// see docs/semantics.md, ARCHITECTURE.md and errors.md.").is_empty());
    }
}
