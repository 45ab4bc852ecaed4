//! `${filename}` in a form's key (POST-34 to POST-37): replaced by the uploaded file's name after the policy was
//! evaluated, and the result is held against the rules of names once more.

use crate::object_key::{ObjectKey, ObjectKeyError};

const VARIABLE: &str = "${filename}";

/// The key under which the file is stored: `key` with every `${filename}` replaced by the last segment of
/// the file's name, or by nothing when the client sent none. A backslash in front, `\${filename}`, makes it
/// plain text (official samples sign such keys), and what is put in is never expanded again.
///
/// # Errors
/// When the result is no object key.
///
/// ```
/// use countersign_protocol::form::final_key;
///
/// assert_eq!(final_key("user/42/${filename}", Some(r"C:\photos\a.jpg"))?.as_str(), "user/42/a.jpg");
/// assert_eq!(final_key(r"user/\${filename}", Some("a.jpg"))?.as_str(), r"user/\${filename}");
/// assert!(final_key("${filename}", None).is_err(), "nothing is left, and an empty key is none");
/// # Ok::<(), countersign_protocol::object_key::ObjectKeyError>(())
/// ```
pub fn final_key(key: &str, filename: Option<&str>) -> Result<ObjectKey, ObjectKeyError> {
    let name = filename.map_or("", last_segment);
    let mut expanded = String::with_capacity(key.len().min(ObjectKey::BYTES_MAX + 1));
    let mut rest = key;
    while let Some((before, after)) = rest.split_once(VARIABLE) {
        expanded.push_str(before);
        expanded.push_str(if before.ends_with('\\') { VARIABLE } else { name });
        if expanded.len() > ObjectKey::BYTES_MAX {
            return Err(ObjectKeyError::TooLong { bytes: expanded.len() });
        }
        rest = after;
    }
    expanded.push_str(rest);
    ObjectKey::parse(&expanded)
}

/// Whether [`final_key`] puts the file's name into this key.
///
/// ```
/// use countersign_protocol::form::takes_file_name;
///
/// assert!(takes_file_name("user/${filename}"));
/// assert!(!takes_file_name("user/a.jpg") && !takes_file_name(r"user/\${filename}"));
/// ```
pub fn takes_file_name(key: &str) -> bool {
    key.match_indices(VARIABLE).any(|(at, _)| !key.get(..at).is_some_and(|before| before.ends_with('\\')))
}

/// Old browsers send the whole path of the client's disk, with either slash.
fn last_segment(filename: &str) -> &str {
    filename.rsplit(['/', '\\']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(key: &str, filename: &str) -> String {
        final_key(key, Some(filename)).unwrap().into_string()
    }

    #[test]
    fn puts_the_files_name_where_the_variable_stands() {
        assert_eq!(expanded("user-dir/${filename}", "照片.jpg"), "user-dir/照片.jpg");
        assert_eq!(expanded("${filename}/${filename}", "a"), "a/a");
        assert_eq!(expanded("plain", "a"), "plain");
        assert_eq!(expanded("${FILENAME}", "a"), "${FILENAME}");
        assert_eq!(final_key("dir/${filename}", None).unwrap().as_str(), "dir/");
    }

    #[test]
    fn takes_only_the_last_segment_of_a_path() {
        assert_eq!(expanded("u/${filename}", "C:\\Users\\me\\a.jpg"), "u/a.jpg");
        assert_eq!(expanded("u/${filename}", "../../etc/passwd"), "u/passwd");
    }

    #[test]
    fn leaves_an_escaped_variable_and_one_that_came_with_the_file_alone() {
        assert_eq!(expanded("user/\\${filename}", "a"), "user/\\${filename}");
        assert_eq!(expanded("u/${filename}", "${filename}"), "u/${filename}");
        assert!(takes_file_name("u/\\${filename}${filename}") && !takes_file_name("u/\\${filename}"));
    }

    #[test]
    fn checks_the_final_key_again() {
        assert_eq!(final_key("${filename}", None), Err(ObjectKeyError::Empty));
        assert_eq!(final_key("${filename}", Some("a\0b")), Err(ObjectKeyError::HoldsNul));
        let long = final_key("${filename}", Some(&"n".repeat(1024)));
        assert_eq!(long, Err(ObjectKeyError::TooLong { bytes: 1024 }));
        let hostile = "${filename}".repeat(100_000);
        assert!(matches!(final_key(&hostile, Some("abcdef")), Err(ObjectKeyError::TooLong { .. })));
    }
}
