//! The golden vectors of forms: policies, their signatures, and the tutorial's own. JavaScript reads the same
//! files in `uploader/test/post_vectors.test.js`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use base64::{Engine, engine::general_purpose::STANDARD};
use countersign_protocol::credential_scope::parse_v4_date;
use countersign_protocol::form::{FilePart, FormFields};
use countersign_protocol::policy::{Policy, PolicyFacts, PolicyRefusal, SizeRange};
use countersign_protocol::post_signature::{sign_v1, sign_v4, verify_v1, verify_v4};
use countersign_protocol::{AccessKeySecret, CredentialScope, WireError};
use serde_json::Value;

fn cases(file: &str) -> Vec<Value> {
    let path = format!("{}/../../vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let cases = vectors["cases"].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_else(|| panic!("{name} in {case}"))
}

#[test]
fn v1_signatures_are_those_of_the_vectors() {
    for case in cases("post_signature_v1.json") {
        let secret = AccessKeySecret::from(text(&case, "secret"));
        let policy = text(&case, "policy_base64");
        assert_eq!(STANDARD.encode(text(&case, "policy_json")), policy);
        assert_eq!(sign_v1(&secret, policy), text(&case, "signature"), "{}", case["name"]);
        assert!(verify_v1(&secret, policy, text(&case, "signature")));
        Policy::parse(policy).unwrap();
    }
}

#[test]
fn v4_signatures_are_those_of_the_vectors() {
    for case in cases("post_signature_v4.json") {
        let secret = AccessKeySecret::from(text(&case, "secret"));
        let policy = text(&case, "policy_base64");
        let (access_key_id, scope) = CredentialScope::parse_credential(text(&case, "credential")).unwrap();
        assert_eq!(access_key_id, text(&case, "access_key_id"));
        assert!(scope.is_day_of(parse_v4_date(text(&case, "date")).unwrap()));
        let key: String = scope.signing_key(&secret).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(key, text(&case, "signing_key"), "{}", case["name"]);
        assert_eq!(sign_v4(&secret, &scope, policy), text(&case, "signature"), "{}", case["name"]);
        assert!(verify_v4(&secret, &scope, policy, text(&case, "signature")));
        let parsed = Policy::parse(policy).unwrap();
        assert!(parsed.pins("x-oss-credential", text(&case, "credential")));
        assert_eq!(parsed.names("x-oss-security-token"), case.get("security_token").is_some());
    }
}

#[test]
fn policies_are_refused_denied_and_allowed_as_the_vectors_say() {
    for case in cases("policy.json") {
        let name = text(&case, "name");
        let policy = match (Policy::parse(text(&case, "policy_base64")), case.get("refused")) {
            (Ok(policy), None) => policy,
            (Err(error), Some(refused)) => {
                check_error(&WireError::from(error), refused, name);
                continue;
            }
            (found, _) => panic!("{name}: {found:?}"),
        };
        let fields = form(&case);
        let facts = PolicyFacts::as_sent(text(&case, "bucket"), &fields);
        match policy.evaluate(&facts, text(&case, "now").parse().unwrap()) {
            Ok(sizes) => {
                let allowed = &case["allowed"];
                let bytes = |name: &str| allowed[name].as_u64().unwrap_or_else(|| panic!("{}", case["name"]));
                let expected = SizeRange { bytes_min: bytes("bytes_min"), bytes_max: bytes("bytes_max") };
                assert_eq!(sizes, expected, "{name}");
            }
            Err(refusal) => {
                let denied = case.get("denied").unwrap_or_else(|| panic!("{name}: {refusal:?}"));
                if let PolicyRefusal::ConditionsFailed(failed) = &refusal {
                    let printed: Vec<&str> = failed.iter().map(|failed| failed.condition.as_str()).collect();
                    assert_eq!(Value::from(printed), denied["failed"], "{name}");
                }
                check_error(&WireError::from(refusal), denied, name);
            }
        }
    }
}

fn form(case: &Value) -> FormFields {
    let fields: Vec<(String, String)> = serde_json::from_value(case["fields"].clone()).unwrap();
    let content_type = case.get("part_content_type").and_then(Value::as_str).map(str::to_owned);
    FormFields::from_parts(fields, FilePart { filename: None, content_type }).unwrap()
}

fn check_error(error: &WireError, expected: &Value, name: &str) {
    assert_eq!(error.code().as_str(), text(expected, "code"), "{name}");
    assert_eq!(error.ec(), expected["ec"].as_str(), "{name}");
    if let Some(message) = expected.get("message") {
        assert_eq!(error.message(), message, "{name}");
    }
}

#[test]
fn the_tutorials_own_texts_are_damaged_as_printed_and_sound_when_repaired() {
    for case in cases("tutorial.json") {
        let printed = text(&case, "as_printed");
        assert!(STANDARD.decode(printed).is_err(), "{}", case["name"]);
        let stray: Vec<u64> =
            case["stray"].as_array().unwrap().iter().map(|stray| stray["at"].as_u64().unwrap()).collect();
        let kept = printed.chars().zip(0u64..).filter(|(_, at)| !stray.contains(at));
        assert_eq!(kept.map(|(character, _)| character).collect::<String>(), text(&case, "repaired"));
        assert_eq!(STANDARD.decode(text(&case, "repaired")).unwrap(), text(&case, "json").as_bytes());
    }
}

#[test]
fn the_tutorials_policy_allows_a_thousand_megabytes_below_its_directory() {
    let case = cases("tutorial.json").into_iter().find(|case| case["name"] == "policy").unwrap();
    let policy = Policy::parse(text(&case, "repaired")).unwrap();
    assert_eq!(policy.expiration(), text(&case, "expiration").parse().unwrap());
    let before: jiff::Timestamp = "2015-11-05T20:52:28Z".parse().unwrap();
    let evaluate = |key: &str| {
        let fields = FormFields::from_parts([("key", key)], FilePart::default()).unwrap();
        policy.evaluate(&PolicyFacts::as_sent("post-test", &fields), before)
    };
    let sizes = SizeRange { bytes_min: 0, bytes_max: case["size_max"].as_u64().unwrap() };
    assert_eq!(evaluate("user-dir/${filename}"), Ok(sizes));
    assert!(evaluate("other-dir/${filename}").is_err());
    assert_eq!(STANDARD.decode(text(&case, "signature_as_printed")).unwrap().len(), 20);
}
