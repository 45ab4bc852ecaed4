//! What a case of a vector file expects, one value at a time, and the same case with that value falsified. What a
//! case is given is data below; everything else in it is an expectation, so that a new member is one too.

use serde_json::Value;

/// Members that tell a case apart and mean nothing.
const LABELS: &[&str] = &["name", "id"];

/// What a test is given by each file of vectors.
const GIVEN: &[(&str, &[&str])] = &[
    ("vectors/callback_expansion.json", &["template", "body_type", "variables"]),
    ("vectors/callback_signature.json", &[]),
    ("vectors/errors.json", &[]),
    (
        "vectors/header_signature_v1.json",
        &["access_key_id", "secret", "method", "bucket", "key", "raw_query", "headers", "now", "date_line"],
    ),
    (
        "vectors/header_signature_v4.json",
        &[
            "access_key_id",
            "secret",
            "method",
            "bucket",
            "key",
            "raw_query",
            "headers",
            "region",
            "additional_headers",
            "date",
            "now",
        ],
    ),
    ("vectors/normalise_path.json", &["path", "root"]),
    ("vectors/original_name.json", &[]),
    ("vectors/policy.json", &["policy_base64", "bucket", "now", "fields", "part_content_type"]),
    ("vectors/post_signature_v1.json", &["secret"]),
    ("vectors/post_signature_v4.json", &["secret"]),
    // What a page printed of another account: nothing can say whether it is so.
    ("vectors/tutorial.json", &["as_printed", "access_key_id", "signature_as_printed", "host"]),
    (
        "vectors/url_signature_v1.json",
        &["access_key_id", "secret", "method", "bucket", "key", "raw_query", "headers", "expires"],
    ),
    (
        "vectors/url_signature_v4.json",
        &[
            "access_key_id",
            "secret",
            "method",
            "bucket",
            "key",
            "raw_query",
            "headers",
            "region",
            "additional_headers",
            "date",
            "now",
            "lifetime_seconds",
        ],
    ),
];

/// The places of the expectations in a case, as JSON pointers; `None` for a file that is not known.
pub(super) fn places(file: &str, case: &Value) -> Option<Vec<String>> {
    let (_, given) = GIVEN.iter().find(|(known, _)| *known == file)?;
    let mut places = Vec::new();
    for (name, value) in case.as_object()? {
        if !LABELS.contains(&name.as_str()) && !given.contains(&name.as_str()) {
            leaves(&format!("/{name}"), value, &mut places);
        }
    }
    Some(places)
}

fn leaves(place: &str, value: &Value, places: &mut Vec<String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                leaves(&format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")), value, places);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                leaves(&format!("{place}/{index}"), item, places);
            }
        }
        _ => places.push(place.to_owned()),
    }
}

/// Makes the value another one of the same kind.
pub(super) fn falsify(value: &mut Value) {
    *value = match &*value {
        Value::Null => Value::from("falsified"),
        Value::Bool(truth) => Value::from(!truth),
        Value::Number(number) => number
            .as_u64()
            .map_or_else(|| Value::from(1), |number| Value::from(number.checked_sub(1).unwrap_or(1))),
        Value::String(text) => Value::from(another(text)),
        Value::Array(_) => Value::from(vec!["falsified"]),
        Value::Object(_) => serde_json::json!({ "falsified": true }),
    };
}

/// The text with its middle letter or digit replaced by the next one, so that base64 and hex stay what they are.
fn another(text: &str) -> String {
    let plain: Vec<usize> =
        text.char_indices().filter(|(_, sign)| sign.is_ascii_alphanumeric()).map(|(at, _)| at).collect();
    let Some(at) = plain.get(plain.len() / 2).copied() else { return format!("{text}falsified") };
    let next = |sign: char| match sign {
        '0'..='8' | 'a'..='e' | 'g'..='y' | 'A'..='E' | 'G'..='Y' => {
            char::from(u8::try_from(sign).unwrap_or(b'0') + 1)
        }
        '9' => '0',
        'f' => 'a',
        'F' => 'A',
        'z' => 'g',
        _ => 'G',
    };
    text.char_indices().map(|(here, sign)| if here == at { next(sign) } else { sign }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_vectors_is_known_and_each_of_its_cases_expects_something() {
        let folder = crate::repository_root().unwrap().join("vectors");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            let file = format!("vectors/{}", path.file_name().unwrap().to_str().unwrap());
            let document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            for case in document["cases"].as_array().unwrap() {
                let places = places(&file, case).unwrap_or_else(|| panic!("{file} is not known"));
                assert!(!places.is_empty(), "{file}: {}", case["name"]);
            }
        }
    }

    #[test]
    fn a_falsified_value_is_another_of_the_same_kind() {
        for text in ["AccessDenied", "0006-00000213", "a==", "/", "", "user-dir/照片", "ff", "zZ9"] {
            let mut value = Value::from(text);
            falsify(&mut value);
            assert_ne!(value, text);
            assert!(value.is_string());
        }
        for number in [0, 1, 5_368_709_120_u64] {
            let mut value = Value::from(number);
            falsify(&mut value);
            assert_ne!(value, number);
            assert!(value.is_u64());
        }
    }

    #[test]
    fn what_a_case_is_given_is_no_expectation() {
        let case = serde_json::json!({
            "name": "n", "now": "t", "denied": { "code": "c", "failed": ["a", "b"] }, "allowed": []
        });
        assert_eq!(
            places("vectors/policy.json", &case).unwrap(),
            ["/allowed", "/denied/code", "/denied/failed/0", "/denied/failed/1"]
        );
        assert_eq!(places("vectors/none.json", &case), None);
    }
}
