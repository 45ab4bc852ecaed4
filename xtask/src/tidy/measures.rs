//! Measures how easily the code is changed and followed, beside what it was before the rooms were laid out. The
//! figures are printed by tidy and kept in `ARCHITECTURE.md`; none of them is judged here.

use std::path::Path;

use super::house_rules::TEST_PLACES;
use super::{examples, rooms, rust_source};
use crate::source_tree::CodeFile;

/// The files that the bytes of a small form pass, from the socket to the disk: they end in the catalog.
const SMALL_FORM: &[&str] = &[
    "crates/server/src/listen/read_room.rs",
    "crates/server/src/request/request_body.rs",
    "crates/server/src/upload/form_head.rs",
    "crates/server/src/upload/ingest.rs",
    "crates/store/src/staged_blob.rs",
    "crates/store/src/store/commit.rs",
    "crates/store/src/catalog/sqlite.rs",
    "crates/store/src/catalog/sqlite/commit_queue.rs",
    "crates/store/src/catalog/sqlite/writer.rs",
    "crates/store/src/catalog/sqlite/transaction.rs",
];
/// The same for a large form, whose bytes end in a file of their own.
const LARGE_FORM: &[&str] = &[
    "crates/server/src/listen/read_room.rs",
    "crates/server/src/request/request_body.rs",
    "crates/server/src/upload/form_head.rs",
    "crates/server/src/upload/ingest.rs",
    "crates/store/src/staged_blob.rs",
    "crates/store/src/staged_blob/spill.rs",
    "crates/store/src/blobs/local_files/writing.rs",
    "crates/store/src/blobs/device/direct_writes.rs",
];
/// The patch that adds a bucket sub-resource, and the one that adds an operation on objects.
const PATCHES: [&str; 2] = ["docs/patches/bucket-sub-resource.patch", "docs/patches/put-object-acl.patch"];

/// A figure before and now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Figure {
    what: &'static str,
    before: &'static str,
    now: String,
}

/// All figures.
pub(crate) fn measures(root: &Path, files: &[CodeFile]) -> Vec<Figure> {
    let measure = |what, before, now: String| Figure { what, before, now };
    let [sub_resource, operation] = PATCHES.map(|patch| files_touched(root, patch));
    let lengths = function_lengths(files);
    let in_circles: usize = rooms::files_in_circles(files);
    let examples: usize = examples::counts(files).iter().map(|(_, count)| count).sum();
    vec![
        measure("files touched by a new bucket sub-resource", "9", sub_resource),
        measure("files touched by PutObjectAcl, an operation on objects", "13", operation),
        measure(
            "files of a package that use each other in circles",
            BEFORE_IN_CIRCLES,
            in_circles.to_string(),
        ),
        measure("files that a small form's bytes pass from socket to disk", "13", hops(root, SMALL_FORM)),
        measure("the same for a large form", "10", hops(root, LARGE_FORM)),
        measure("lines of the 95th of 100 functions", BEFORE_P95, percentile_95(&lengths).to_string()),
        measure("examples in documentation that assert", "1", examples.to_string()),
    ]
}

/// What they were at the commit 88d2662, by the same measure.
const BEFORE_IN_CIRCLES: &str = "179";
const BEFORE_P95: &str = "28";

/// The table as Markdown.
pub(crate) fn table(measures: &[Figure]) -> String {
    let rows = measures.iter().map(|row| format!("| {} | {} | {} |\n", row.what, row.before, row.now));
    format!("| | before | now |\n|---|---|---|\n{}", rows.collect::<String>())
}

/// How many files a patch touches.
fn files_touched(root: &Path, patch: &str) -> String {
    let text = std::fs::read_to_string(root.join(patch)).unwrap_or_default();
    let count = text.lines().filter(|line| line.starts_with("diff --git ")).count();
    if count == 0 { "no patch".to_owned() } else { count.to_string() }
}

/// How many files are passed; one that is not there is named instead.
fn hops(root: &Path, files: &[&str]) -> String {
    match files.iter().find(|file| !root.join(file).is_file()) {
        Some(missing) => format!("{missing} is not there"),
        None => files.len().to_string(),
    }
}

/// The lengths of all functions of the crates that ship, sorted.
fn function_lengths(files: &[CodeFile]) -> Vec<usize> {
    let ships = |file: &&CodeFile| {
        let path = &file.path;
        file.is_rust()
            && !file.is_test()
            && path.starts_with("crates")
            && !TEST_PLACES.iter().any(|place| path.starts_with(place))
    };
    let measured = files.iter().filter(ships).map(|file| rust_source::measure(&file.text));
    let mut lengths: Vec<usize> =
        measured.flat_map(|file| file.functions).map(|function| function.line_count()).collect();
    lengths.sort_unstable();
    lengths
}

fn percentile_95(sorted: &[usize]) -> usize {
    sorted.get((sorted.len() * 95).div_ceil(100).saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_95th_of_100_is_counted_from_the_short_end() {
        let hundred: Vec<usize> = (1..=100).collect();
        assert_eq!(percentile_95(&hundred), 95);
        assert_eq!((percentile_95(&[7]), percentile_95(&[])), (7, 0));
    }

    #[test]
    fn a_way_through_a_file_that_moved_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.rs"), "").unwrap();
        assert_eq!(hops(folder.path(), &["a.rs"]), "1");
        assert_eq!(hops(folder.path(), &["a.rs", "b.rs"]), "b.rs is not there");
    }

    #[test]
    fn a_patch_touches_as_many_files_as_it_names() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("p"), "diff --git a/x b/x\n+y\ndiff --git a/z b/z\n").unwrap();
        assert_eq!(
            (files_touched(folder.path(), "p"), files_touched(folder.path(), "q")),
            ("2".into(), "no patch".into())
        );
    }
}
