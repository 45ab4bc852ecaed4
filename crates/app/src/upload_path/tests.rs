//! The shared vectors, and what must hold for every path.

use super::*;
use proptest::prelude::*;

fn refusal(error: &UploadPathError) -> &'static str {
    match error {
        UploadPathError::ControlCharacter => "control_character",
        UploadPathError::Backslash => "backslash",
        UploadPathError::Variable => "variable",
        UploadPathError::DotSegment => "dot_segment",
        UploadPathError::Empty => "empty",
        UploadPathError::TooLong => "too_long",
        UploadPathError::OutsideRoot { .. } => "outside_root",
    }
}

#[test]
fn agrees_with_the_vectors_that_the_browser_library_reads() {
    let document: serde_json::Value =
        serde_json::from_str(&crate::test_vectors::read("normalise_path.json")).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert!(cases.len() > 50, "the vectors are all there");
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let mut result = UploadPath::normalise(case["path"].as_str().unwrap());
        if let Some(root) = case["root"].as_str() {
            let root = if root.is_empty() {
                UploadPath::whole_bucket()
            } else {
                UploadPath::normalise(root).unwrap()
            };
            result = result.and_then(|path| path.within(&root));
        }
        match result {
            Ok(path) => assert_eq!(Some(path.as_str()), case["normalised"].as_str(), "{name}"),
            Err(error) => assert_eq!(Some(refusal(&error)), case["refused"].as_str(), "{name}"),
        }
    }
}

proptest! {
    #[test]
    fn what_is_normalised_stays_as_it_is(path in "[a-z./ \\\\$]{0,30}") {
        if let Ok(once) = UploadPath::normalise(&path) {
            prop_assert_eq!(UploadPath::normalise(once.as_str()).unwrap(), once);
        }
    }

    #[test]
    fn an_accepted_path_has_no_dot_segments_and_ends_with_one_slash(path in "\\PC{0,40}") {
        if let Ok(accepted) = UploadPath::normalise(&path) {
            let text = accepted.as_str();
            prop_assert!(text.ends_with('/') && !text.starts_with('/') && !text.contains("//"));
            prop_assert!(text.split('/').all(|segment| segment != "." && segment != ".."));
        }
    }
}
