//! The error reference agrees with the codes and with its committed pages.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;
use crate::ErrorCode;
use crate::language::Language;

/// The committed files. With `COUNTERSIGN_REGENERATE=1` the test writes them instead of comparing.
const FILES: [(Language, &str); 2] =
    [(Language::English, "errors.md"), (Language::Chinese, "errors.zh-CN.md")];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_documents_in_the_repository_are_made_from_the_rows() {
    for (language, name) in FILES {
        let (path, page) = (repository().join("docs").join(name), markdown(language));
        if std::env::var_os("COUNTERSIGN_REGENERATE").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == page, "docs/{name} is stale; run this test with COUNTERSIGN_REGENERATE=1");
    }
}

/// Each `ErrorCode::Name` in the sources of a folder, without its tests.
fn codes_used_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            codes_used_in(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path.file_stem().is_some_and(|stem| stem != "tests")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            for piece in text.split("ErrorCode::").skip(1) {
                found.insert(piece.chars().take_while(char::is_ascii_alphanumeric).collect());
            }
        }
    }
}

#[test]
fn every_code_that_the_sources_name_is_explained() {
    let mut used = BTreeSet::new();
    for crate_folder in ["crates/protocol/src", "crates/server/src"] {
        codes_used_in(&repository().join(crate_folder), &mut used);
    }
    let missing: Vec<&ErrorCode> = ErrorCode::ALL
        .iter()
        .filter(|code| used.contains(code.as_str()) && !ROWS.iter().any(|row| row.code == **code))
        .filter(|code| **code != ErrorCode::NotModified)
        .collect();
    assert!(used.len() > 30, "the sources were not found");
    assert!(missing.is_empty(), "without a row in error_reference/rows.rs: {missing:?}");
}

#[test]
fn the_rows_are_in_order_and_each_says_something_in_both_languages() {
    let names: Vec<&str> = ROWS.iter().map(|row| row.code.as_str()).collect();
    assert!(names.is_sorted_by(|left, right| left < right));
    for row in ROWS {
        assert!(row.english.cause.is_ascii() && row.english.remedy.is_ascii(), "{}", row.code);
        assert!(!row.chinese.cause.is_ascii() && !row.chinese.remedy.is_ascii(), "{}", row.code);
        for text in [row.english.cause, row.english.remedy, row.chinese.cause, row.chinese.remedy] {
            assert!(text.chars().count() > 3 && !text.contains('|'), "{}: {text}", row.code);
        }
    }
}

#[test]
fn a_topic_is_found_by_the_name_that_it_gives() {
    for topic in Topic::all() {
        assert_eq!(Topic::find(topic.name()), Some(topic));
    }
    assert_eq!(Topic::find("NoSuchThing"), None);
    assert_eq!(Topic::find(""), None);
}
