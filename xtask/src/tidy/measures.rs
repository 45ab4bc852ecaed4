//! Measures how easily the code is changed and followed, beside what it was before the rooms were laid out. The
//! figures are printed by tidy and kept in `ARCHITECTURE.md`, and none of them is judged; only the ways of a form's
//! bytes, which are listed by hand, are held against the code.

use std::path::Path;

use super::house_rules::TEST_PLACES;
use super::rust_source::{self, Token};
use super::{examples, rooms};
use crate::source_tree::CodeFile;
use crate::violation::Violation;

/// A file that a form's bytes pass, and how they come to it from the file before: by the name of a function or a type
/// that one of the two defines and the other uses. None where a library stands between.
#[derive(Debug, Clone, Copy)]
struct Hop {
    file: &'static str,
    by: Option<&'static str>,
}

const fn hop(file: &'static str, by: &'static str) -> Hop {
    Hop { file, by: Some(by) }
}

/// The files that the bytes of a small form pass, from the socket to the disk: they end in the catalog.
const SMALL_FORM: &[Hop] = &[
    Hop { file: "crates/server/src/listen/read_room.rs", by: None },
    Hop { file: "crates/server/src/request/request_body.rs", by: None },
    hop("crates/server/src/upload/form_head.rs", "chunk"),
    hop("crates/server/src/upload/ingest.rs", "FormFile"),
    hop("crates/store/src/staged_blob.rs", "write"),
    hop("crates/store/src/store/commit.rs", "SealedBody"),
    hop("crates/store/src/catalog/sqlite.rs", "apply"),
    hop("crates/store/src/catalog/sqlite/commit_queue.rs", "push"),
    hop("crates/store/src/catalog/sqlite/writer.rs", "take"),
    hop("crates/store/src/catalog/sqlite/transaction.rs", "apply"),
];
/// The same for a large form, whose bytes end in a file of their own.
const LARGE_FORM: &[Hop] = &[
    Hop { file: "crates/server/src/listen/read_room.rs", by: None },
    Hop { file: "crates/server/src/request/request_body.rs", by: None },
    hop("crates/server/src/upload/form_head.rs", "chunk"),
    hop("crates/server/src/upload/ingest.rs", "FormFile"),
    hop("crates/store/src/staged_blob.rs", "write"),
    hop("crates/store/src/staged_blob/spill.rs", "take_in"),
    hop("crates/store/src/blobs/local_files/writing.rs", "append"),
    hop("crates/store/src/blobs/device/direct_writes.rs", "write_at"),
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
        measure("files that a small form's bytes pass from socket to disk", "13", hops(SMALL_FORM)),
        measure("the same for a large form", "10", hops(LARGE_FORM)),
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

/// How many files are passed.
fn hops(way: &[Hop]) -> String {
    way.len().to_string()
}

/// Holds the ways of a form's bytes against the code: every file is there, and joined to the one before it as the way
/// says.
pub(crate) fn check(files: &[CodeFile], found: &mut Vec<Violation>) {
    for way in [SMALL_FORM, LARGE_FORM] {
        check_way(way, files, found);
    }
}

fn check_way(way: &[Hop], files: &[CodeFile], found: &mut Vec<Violation>) {
    let tokens = |hop: &Hop| {
        let file = files.iter().find(|file| file.path == Path::new(hop.file));
        file.map(|file| rust_source::code_tokens(&file.text))
    };
    let mut report = |hop: &Hop, what: String| found.push(Violation::of_file(Path::new(hop.file), what));
    for hop in way.iter().filter(|hop| tokens(hop).is_none()) {
        report(hop, "is passed by a form's bytes, says `measures`, and is not there".to_owned());
    }
    for (before, after) in way.iter().zip(way.iter().skip(1)) {
        let (Some(name), Some(one), Some(other)) = (after.by, tokens(before), tokens(after)) else {
            continue;
        };
        let joined =
            (defines(&one, name) && uses(&other, name)) || (defines(&other, name) && uses(&one, name));
        if !joined {
            let from = before.file;
            report(after, format!("a form's bytes come from {from} by `{name}`, says `measures`: not so"));
        }
    }
}

fn is_definition(word: &str) -> bool {
    matches!(word, "fn" | "struct" | "enum" | "trait")
}

fn defines(tokens: &[Token], name: &str) -> bool {
    tokens
        .windows(2)
        .any(|pair| matches!(pair, [kind, word] if is_definition(&kind.text) && word.text == name))
}

fn uses(tokens: &[Token], name: &str) -> bool {
    tokens
        .windows(2)
        .any(|pair| matches!(pair, [kind, word] if !is_definition(&kind.text) && word.text == name))
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
    fn a_way_is_held_against_the_code() {
        let file = |path: &str, text: &str| CodeFile { path: path.into(), text: text.to_owned() };
        let told = |second: &str| {
            let files = [file("a.rs", "fn pull() {}"), file("b.rs", second)];
            let mut found = Vec::new();
            check_way(&[Hop { file: "a.rs", by: None }, hop("b.rs", "pull")], &files, &mut found);
            found.len()
        };
        assert_eq!(told("fn f() { a::pull() }"), 0);
        assert_eq!(told("fn f() { a::push() }"), 1, "the call is gone");
        assert_eq!(told("fn pull() { a::push() }"), 1, "its own, which only has the name");
        let mut found = Vec::new();
        check_way(&[Hop { file: "a.rs", by: None }], &[], &mut found);
        assert_eq!(found.len(), 1, "a file that moved is told");
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
