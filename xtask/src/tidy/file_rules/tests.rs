//! Every rule once at its limit and once beyond it.

use std::path::PathBuf;

use super::*;

fn file(path: &str, text: &str) -> CodeFile {
    CodeFile { path: PathBuf::from(path), text: text.to_owned() }
}

fn found_in(file: &CodeFile) -> Vec<String> {
    let mut found = Vec::new();
    check_file(file, &mut found);
    found.into_iter().map(|violation| violation.what).collect()
}

fn lines(count: usize) -> String {
    format!("//! Docs.\n{}", "// x\n".repeat(count - 1))
}

#[test]
fn a_file_may_have_600_lines_and_not_one_more() {
    assert!(found_in(&file("crates/a/src/noun.rs", &lines(600))).is_empty());
    assert_eq!(found_in(&file("crates/a/src/noun.rs", &lines(601))), ["601 production lines, at most 600"]);
}

#[test]
fn refuses_banned_words_in_a_first_line() {
    let plain =
        file("crates/a/src/noun.rs", "//! Rejects ambiguous framing.\n//!\n//! Whoever sends it waits.\n");
    assert!(found_in(&plain).is_empty());
    let riddle = file("crates/a/src/noun.rs", "//! Whoever comes twice.\n");
    let what = "the first line says `whoever`: say what the module does, in the words of the glossary";
    assert_eq!(found_in(&riddle), [what]);
}

#[test]
fn a_root_file_may_have_150_lines() {
    assert!(found_in(&file("crates/a/src/lib.rs", &lines(150))).is_empty());
    assert_eq!(found_in(&file("crates/a/src/main.rs", &lines(151))), ["151 production lines, at most 150"]);
}

#[test]
fn a_function_may_have_70_lines() {
    let of = |count: usize| format!("//! Docs.\nfn f() {{\n{}}}\n", "    x();\n".repeat(count - 2));
    assert!(found_in(&file("crates/a/src/noun.rs", &of(70))).is_empty());
    assert_eq!(found_in(&file("crates/a/src/noun.rs", &of(71))), ["`f` has 71 lines, at most 70"]);
}

#[test]
fn inline_tests_may_have_150_lines_and_do_not_count_as_production() {
    let of =
        |count: usize| format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", lines(600), "\n".repeat(count - 3));
    assert!(found_in(&file("crates/a/src/noun.rs", &of(150))).is_empty());
    assert_eq!(
        found_in(&file("crates/a/src/noun.rs", &of(151))),
        ["151 lines of inline tests, at most 150: move them to a `tests.rs`"]
    );
}

#[test]
fn test_files_may_be_long() {
    assert!(found_in(&file("crates/a/src/noun/tests.rs", &lines(900))).is_empty());
    assert!(found_in(&file("crates/a/tests/post_object.rs", &lines(900))).is_empty());
}

#[test]
fn a_module_without_opening_words_is_refused() {
    let found = found_in(&file("crates/a/src/noun.rs", "fn f() {}\n"));
    assert_eq!(found, ["does not open with `//!`, saying what it owns"]);
}

#[test]
fn names_that_say_nothing_are_refused_as_files_and_as_folders() {
    assert_eq!(found_in(&file("crates/a/src/utils.rs", "//! D.\n")), ["`utils` is no noun of the protocol"]);
    assert_eq!(found_in(&file("uploader/helpers/x.js", "")), ["`helpers` is no noun of the protocol"]);
    assert!(found_in(&file("crates/a/src/utility_pole.rs", "//! D.\n")).is_empty());
}

#[test]
fn mod_rs_is_refused() {
    let found = found_in(&file("crates/a/src/form/mod.rs", "//! D.\n"));
    assert_eq!(found, ["`mod.rs` is not used here: name the module's file after the module"]);
}

#[test]
fn javascript_has_the_same_size_limit() {
    assert_eq!(found_in(&file("uploader/page/rows.js", &lines(601))), ["601 production lines, at most 600"]);
}

#[test]
fn an_expectation_says_why_it_holds() {
    let of = |call: &str| {
        format!(
            "//! D.\nfn f() {{\n    x{call};\n}}\n#[cfg(test)]\nmod tests {{\n  fn g() {{ x.expect(\"y\") }}\n}}\n"
        )
    };
    for wrong in [".expect(\"a value\")", ".expect(REASON)", ".expect(&format!(\"a b c d e\"))"] {
        assert_eq!(
            found_in(&file("crates/a/src/noun.rs", &of(wrong))),
            ["`expect` does not say why it holds"]
        );
    }
    let right = of(".expect(\"the digest has 32 bytes\")");
    assert!(found_in(&file("crates/a/src/noun.rs", &right)).is_empty());
    assert!(found_in(&file("crates/testkit/src/noun.rs", &of(".expect(\"x\")"))).is_empty());
}
