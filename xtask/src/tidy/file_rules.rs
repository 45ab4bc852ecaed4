//! Checks sizes and names of files and functions. Takes files as values, so that every rule is tested without a disk.

use std::ops::RangeInclusive;
use std::path::Path;

use super::house_rules::{
    EXPECT_WORDS_MIN, FILE_LINES_MAX, FORBIDDEN_NAMES, FORBIDDEN_OPENING_WORDS, FUNCTION_LINES_MAX,
    INLINE_TEST_LINES_MAX, ROOT_FILE_LINES_MAX, TEST_PLACES,
};
use super::rust_source;
use crate::source_tree::CodeFile;
use crate::violation::Violation;

/// Checks what can be seen from one file alone.
pub(crate) fn check_file(file: &CodeFile, found: &mut Vec<Violation>) {
    check_name(file, found);
    check_opening(file, found);
    if file.is_test() {
        return;
    }
    if file.is_rust() {
        check_rust(file, found);
    } else {
        check_lines(file, file.text.lines().count(), FILE_LINES_MAX, found);
    }
}

/// The first line of a module says what it does in words that need no decoding.
fn check_opening(file: &CodeFile, found: &mut Vec<Violation>) {
    let Some(opening) = file.text.lines().next().and_then(|line| line.strip_prefix("//!")) else { return };
    let words = opening.split(|sign: char| !sign.is_alphanumeric()).map(str::to_lowercase);
    for word in words.filter(|word| FORBIDDEN_OPENING_WORDS.contains(&word.as_str())) {
        let what =
            format!("the first line says `{word}`: say what the module does, in the words of the glossary");
        found.push(Violation { path: file.path.clone(), line: Some(1), what });
    }
}

fn check_name(file: &CodeFile, found: &mut Vec<Violation>) {
    if file.path.file_name().is_some_and(|name| name == "mod.rs") {
        let what = "`mod.rs` is not used here: name the module's file after the module".to_owned();
        found.push(Violation::of_file(&file.path, what));
    }
    let folders = file.path.parent().into_iter().flat_map(Path::iter).filter_map(|part| part.to_str());
    for name in folders.chain([file.stem()]) {
        if FORBIDDEN_NAMES.contains(&name.to_ascii_lowercase().as_str()) {
            found.push(Violation::of_file(&file.path, format!("`{name}` is no noun of the protocol")));
        }
    }
}

fn check_rust(file: &CodeFile, found: &mut Vec<Violation>) {
    let measured = rust_source::measure(&file.text);
    let is_root = matches!(file.stem(), "lib" | "main");
    let limit = if is_root { ROOT_FILE_LINES_MAX } else { FILE_LINES_MAX };
    check_lines(file, measured.production_lines(), limit, found);
    for span in &measured.test_modules {
        let lines = span.end() + 1 - span.start();
        if lines > INLINE_TEST_LINES_MAX {
            found.push(Violation {
                path: file.path.clone(),
                line: Some(*span.start()),
                what: format!("{lines} lines of inline tests, at most {INLINE_TEST_LINES_MAX}: move them to a `tests.rs`"),
            });
        }
    }
    for function in &measured.functions {
        let lines = function.line_count();
        if lines > FUNCTION_LINES_MAX {
            found.push(Violation {
                path: file.path.clone(),
                line: Some(*function.lines.start()),
                what: format!("`{}` has {lines} lines, at most {FUNCTION_LINES_MAX}", function.name),
            });
        }
    }
    check_expectations(file, &measured.test_modules, found);
    let opens_with_docs =
        file.text.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| line.starts_with("//!"));
    if !opens_with_docs {
        found
            .push(Violation::of_file(&file.path, "does not open with `//!`, saying what it owns".to_owned()));
    }
}

/// What cannot happen is expected with the reason why it cannot, so that whoever meets it after all knows what to
/// doubt.
fn check_expectations(file: &CodeFile, tests: &[RangeInclusive<usize>], found: &mut Vec<Violation>) {
    const CALL: &str = concat!(".expect", "(");
    if TEST_PLACES.iter().any(|place| file.path.starts_with(place)) {
        return;
    }
    for (index, line) in file.text.lines().enumerate() {
        let number = index + 1;
        let Some((_, argument)) = line.split_once(CALL) else { continue };
        if line.trim_start().starts_with("//") || tests.iter().any(|span| span.contains(&number)) {
            continue;
        }
        let reason = argument.strip_prefix('"').and_then(|rest| rest.split('"').next()).unwrap_or_default();
        if reason.split_whitespace().count() < EXPECT_WORDS_MIN {
            let what = "`expect` does not say why it holds".to_owned();
            found.push(Violation { path: file.path.clone(), line: Some(number), what });
        }
    }
}

fn check_lines(file: &CodeFile, lines: usize, limit: usize, found: &mut Vec<Violation>) {
    if lines > limit {
        found.push(Violation::of_file(&file.path, format!("{lines} production lines, at most {limit}")));
    }
}

#[cfg(test)]
mod tests;
