//! What a row promises, compared with what a patch is; and every committed patch as far as no compiler is needed.

use super::*;

fn error(code: &str, file: &str) -> CompilerError {
    CompilerError { code: Some(code.to_owned()), file: Some(file.to_owned()), text: String::new() }
}

#[test]
fn a_patch_touches_the_files_that_it_names() {
    let patch = "diff --git a/a.rs b/a.rs\n--- a/a.rs\n+++ b/a.rs\n@@ -1 +1 @@\n-a\n+b\n\
        --- /dev/null\n+++ b/new.rs\n@@ -0,0 +1 @@\n+c\n--- a/old.rs\n+++ /dev/null\n@@ -1 +0,0 @@\n-d\n";
    assert_eq!(touched_files(patch).into_iter().collect::<Vec<_>>(), ["a.rs", "new.rs", "old.rs"]);
}

#[test]
fn a_patch_that_must_build_has_no_error_and_one_that_must_not_has_the_right_ones_in_its_own_files() {
    let touched = BTreeSet::from(["a.rs".to_owned()]);
    let fails = Outcome::FailsWith(&["E0451", "E0603"]);
    assert!(compare(Outcome::Builds, &[], &touched).is_ok());
    assert!(compare(Outcome::Builds, &[error("E0451", "a.rs")], &touched).is_err());
    assert!(compare(fails, &[error("E0451", "a.rs"), error("E0603", "a.rs")], &touched).is_ok());
    assert!(compare(fails, &[], &touched).is_err());
    assert!(compare(fails, &[error("E0308", "a.rs")], &touched).is_err());
    assert!(compare(fails, &[error("E0451", "b.rs")], &touched).is_err());
    let without_code = CompilerError { code: None, ..error("", "a.rs") };
    assert!(compare(fails, &[error("E0451", "a.rs"), without_code], &touched).is_err());
}

#[test]
fn every_committed_patch_has_a_row_and_touches_no_more_files_than_its_row_says() {
    let root = crate::repository_root().unwrap();
    let mut committed = BTreeSet::new();
    for entry in std::fs::read_dir(root.join("docs/patches")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        committed.insert(format!("docs/patches/{name}"));
    }
    let listed: BTreeSet<String> = ALL.iter().map(|patch| patch.file.to_owned()).collect();
    assert_eq!(listed, committed);
    for patch in ALL {
        let text = std::fs::read_to_string(root.join(patch.file)).unwrap();
        check_count(patch, &touched_files(&text)).unwrap_or_else(|error| panic!("{}: {error}", patch.file));
    }
}
