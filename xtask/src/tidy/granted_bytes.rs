//! Holds that in the server one file asks the store to take in bytes, which is the file that asks for a grant. That a
//! grant cannot be made up is the compiler's to say (`docs/patches`).

use super::house_rules::{STAGED_ONLY_IN, STAGING_CALLS, STAGING_PLACE};
use crate::source_tree::CodeFile;
use crate::violation::Violation;

/// Looks for such calls in every file of the server but the one that may have them, and tests.
pub(crate) fn check(files: &[CodeFile], found: &mut Vec<Violation>) {
    for file in files.iter().filter(|file| file.path.starts_with(STAGING_PLACE) && !file.is_test()) {
        if file.path.to_str() == Some(STAGED_ONLY_IN) {
            continue;
        }
        for (number, line) in file.text.lines().enumerate() {
            if STAGING_CALLS.iter().any(|call| line.contains(call)) {
                found.push(Violation {
                    path: file.path.clone(),
                    line: Some(number + 1),
                    what: format!(
                        "asks the store to take in bytes, which only {STAGED_ONLY_IN} does, for a grant"
                    ),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn bytes_that_go_past_the_intake_are_found() {
        let file = |path: &str| CodeFile {
            path: PathBuf::from(path),
            text: "let staged = context\n    .stage(None)\n    .await?;\n".to_owned(),
        };
        let files =
            ["crates/server/src/operations/object/append.rs", STAGED_ONLY_IN, "crates/cli/src/seed.rs"];
        let mut found = Vec::new();
        check(&files.map(file), &mut found);
        assert_eq!(found.iter().map(|violation| violation.line).collect::<Vec<_>>(), [Some(2)]);
    }
}
