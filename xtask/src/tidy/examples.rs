//! Checks the examples in the documentation of the crates that other people's programs use.
//!
//! Every example must assert, and every public function must occur in an example of its own file. That the examples
//! compile and pass is for `cargo test --doc` (suite "doc examples").

use std::path::Path;

use super::house_rules::PUBLIC_INTERFACES;
use super::rust_source;
use crate::source_tree::CodeFile;
use crate::violation::Violation;

/// Checks all files of [`PUBLIC_INTERFACES`].
pub(crate) fn check(files: &[CodeFile], found: &mut Vec<Violation>) {
    for file in files.iter().filter(|file| is_documented(file)) {
        check_file(&file.path, &file.text, found);
    }
}

/// How many examples each of [`PUBLIC_INTERFACES`] has.
pub(crate) fn counts(files: &[CodeFile]) -> Vec<(&'static str, usize)> {
    let count_in = |folder: &str| {
        let own = files.iter().filter(|file| is_documented(file) && file.path.starts_with(folder));
        own.map(|file| examples_in(&file.text).len()).sum()
    };
    PUBLIC_INTERFACES.iter().map(|folder| (*folder, count_in(folder))).collect()
}

fn is_documented(file: &CodeFile) -> bool {
    file.is_rust() && !file.is_test() && PUBLIC_INTERFACES.iter().any(|folder| file.path.starts_with(folder))
}

fn check_file(path: &Path, text: &str, found: &mut Vec<Violation>) {
    let violation =
        |line: usize, what: String| Violation { path: path.to_path_buf(), line: Some(line), what };
    let examples = examples_in(text);
    for example in examples.iter().filter(|example| !example.text.contains("assert")) {
        found.push(violation(example.line, "an example that asserts nothing".to_owned()));
    }
    for (line, name) in public_functions(text) {
        if !examples.iter().any(|example| holds_word(&example.text, &name)) {
            found.push(violation(line, format!("no example of this file shows `{name}`")));
        }
    }
}

/// A fenced example in a documentation comment.
struct Example {
    line: usize,
    text: String,
}

/// The fences that rustdoc runs: those without a language. A fence of another kind is none.
fn examples_in(text: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut open: Option<(bool, Example)> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let Some(line) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            open = None;
            continue;
        };
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(kind), None) => {
                open = Some((kind.is_empty(), Example { line: index + 1, text: String::new() }));
            }
            (Some(_), Some(_)) => {
                examples.extend(open.take().filter(|(run, _)| *run).map(|(_, example)| example))
            }
            (None, Some((_, example))) => {
                example.text.push_str(line);
                example.text.push('\n');
            }
            (None, None) => {}
        }
    }
    examples
}

/// The public functions outside of inline tests, with their lines.
fn public_functions(text: &str) -> Vec<(usize, String)> {
    let tests = rust_source::measure(text).test_modules;
    let declared = text.lines().enumerate().filter_map(|(index, line)| {
        let rest = line.trim_start().strip_prefix("pub ")?;
        let rest = rest.trim_start_matches("const ").trim_start_matches("async ");
        let name = rest.strip_prefix("fn ")?.split(|sign: char| !is_of_word(sign)).next()?;
        Some((index + 1, name.to_owned()))
    });
    declared.filter(|(line, _)| !tests.iter().any(|span| span.contains(line))).collect()
}

fn holds_word(text: &str, word: &str) -> bool {
    text.split(|sign: char| !is_of_word(sign)).any(|found| found == word)
}

fn is_of_word(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found_in(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        check_file(Path::new("crates/protocol/src/a.rs"), text, &mut found);
        found.iter().map(Violation::to_string).collect()
    }

    #[test]
    fn a_public_function_that_no_example_shows_is_found() {
        let shown = "/// ```\n/// assert!(a::shown());\n/// ```\npub fn shown() -> bool { true }\n";
        assert!(found_in(shown).is_empty());
        let more =
            format!("{shown}pub const fn unshown() {{}}\nfn private() {{}}\npub(crate) fn inner() {{}}\n");
        assert_eq!(found_in(&more), ["crates/protocol/src/a.rs:5: no example of this file shows `unshown`"]);
        assert_eq!(found_in("/// ```text\n/// f()\n/// ```\npub async fn f() {}\n").len(), 1, "no code");
        assert!(found_in("#[cfg(test)]\nmod tests {\n    pub fn of_a_test() {}\n}\n").is_empty());
    }

    #[test]
    fn an_example_that_asserts_nothing_is_found() {
        let text = "/// ```\n/// a::shown();\n/// ```\npub fn shown() {}\n";
        assert_eq!(found_in(text), ["crates/protocol/src/a.rs:1: an example that asserts nothing"]);
    }

    #[test]
    fn the_public_interfaces_have_at_least_sixty_examples() {
        let root = crate::repository_root().unwrap();
        let files = crate::source_tree::code_files(&root).unwrap();
        let counts = counts(&files);
        assert!(counts.iter().map(|(_, count)| count).sum::<usize>() >= 60, "{counts:?}");
        assert!(counts.iter().all(|(_, count)| *count > 0), "{counts:?}");
    }
}
