//! The golden vectors of forms: policies, their signatures, and the tutorial's own. JavaScript reads the same
//! files in `uploader/test/post_vectors.test.js`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use base64::{Engine, engine::general_purpose::STANDARD};
use countersign_protocol::callback::parameter::CallbackParameter;
use countersign_protocol::credential_scope::{format_v4_date, parse_v4_date};
use countersign_protocol::form::{FilePart, FormFields};
use countersign_protocol::policy::{Policy, PolicyFacts, PolicyRefusal, SizeRange};
use countersign_protocol::post_signature::{sign_v1, sign_v4, verify_v1, verify_v4};
use countersign_protocol::{AccessKeySecret, CredentialScope, WireError};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

fn cases(file: &str) -> Vec<Value> {
    // `cargo xtask wire --flip` names a folder of falsified vectors.
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors").to_owned();
    let path = format!("{}/{file}", std::env::var("WIRE_VECTORS").unwrap_or(own));
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
        assert_eq!(STANDARD.encode(text(&case, "policy_json")), policy, "{}", case["name"]);
        assert_eq!(text(&case, "string_to_sign"), policy, "{}", case["name"]);
        assert_eq!(sign_v1(&secret, policy), text(&case, "signature"), "{}", case["name"]);
        assert!(verify_v1(&secret, policy, text(&case, "signature")), "{}", case["name"]);
        Policy::parse(policy).unwrap();
    }
}

#[test]
fn v4_signatures_are_those_of_the_vectors() {
    for case in cases("post_signature_v4.json") {
        let secret = AccessKeySecret::from(text(&case, "secret"));
        let policy = text(&case, "policy_base64");
        assert_eq!(STANDARD.encode(text(&case, "policy_json")), policy, "{}", case["name"]);
        assert_eq!(text(&case, "string_to_sign"), policy, "{}", case["name"]);
        let (access_key_id, scope) = CredentialScope::parse_credential(text(&case, "credential"))
            .unwrap_or_else(|error| panic!("{}: {error}", case["name"]));
        assert_eq!(access_key_id, text(&case, "access_key_id"), "{}", case["name"]);
        assert_eq!(scope.region(), text(&case, "region"), "{}", case["name"]);
        let date = parse_v4_date(text(&case, "date")).unwrap_or_else(|| panic!("{}", case["name"]));
        assert!(scope.is_day_of(date), "{}", case["name"]);
        assert_eq!(format_v4_date(date), text(&case, "date"), "{}", case["name"]);
        let key: String = hex(scope.signing_key(&secret).as_slice());
        assert_eq!(key, text(&case, "signing_key"), "{}", case["name"]);
        assert_eq!(Value::from(key_chain(&secret, &scope)), case["key_chain"], "{}", case["name"]);
        assert_eq!(sign_v4(&secret, &scope, policy), text(&case, "signature"), "{}", case["name"]);
        assert!(verify_v4(&secret, &scope, policy, text(&case, "signature")), "{}", case["name"]);
        let parsed = Policy::parse(policy).unwrap();
        for (field, member) in [("x-oss-credential", "credential"), ("x-oss-date", "date")] {
            assert!(parsed.pins(field, text(&case, member)), "{field}: {}", case["name"]);
        }
        let token = case.get("security_token").and_then(Value::as_str);
        assert_eq!(parsed.names("x-oss-security-token"), token.is_some(), "{}", case["name"]);
        assert!(token.is_none_or(|token| parsed.pins("x-oss-security-token", token)), "{}", case["name"]);
    }
}

/// Every link of the chain that ends in the signing key, made by hand.
fn key_chain(secret: &AccessKeySecret, scope: &CredentialScope) -> Vec<String> {
    let mut key = [b"aliyun_v4", secret.as_bytes()].concat();
    let links = [scope.date(), scope.region().to_owned(), "oss".to_owned(), "aliyun_v4_request".to_owned()];
    let link = |link: String| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(link.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
        hex(&key)
    };
    links.into_iter().map(link).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn policies_are_refused_denied_and_allowed_as_the_vectors_say() {
    for case in cases("policy.json") {
        let name = text(&case, "name");
        // Where what was sent is no base64 of anything, the JSON is empty.
        let json = text(&case, "policy_json");
        assert!(json.is_empty() || STANDARD.encode(json) == text(&case, "policy_base64"), "{name}");
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
        let (kept, dropped): (Vec<_>, Vec<_>) =
            printed.chars().zip(0u64..).partition(|(_, at)| !stray.contains(at));
        let letters = |pairs: Vec<(char, u64)>| pairs.into_iter().map(|(sign, _)| sign).collect::<String>();
        assert_eq!(letters(kept), text(&case, "repaired"), "{}", case["name"]);
        let named = case["stray"].as_array().unwrap().iter().map(|stray| text(stray, "character"));
        assert_eq!(letters(dropped), named.collect::<String>(), "{}", case["name"]);
        let decoded = STANDARD.decode(text(&case, "repaired")).unwrap();
        assert_eq!(String::from_utf8(decoded).unwrap(), text(&case, "json"), "{}", case["name"]);
    }
}

#[test]
fn the_tutorials_callback_says_what_the_page_beside_it_says_but_for_what_the_page_lost() {
    let case = cases("tutorial.json").into_iter().find(|case| case["name"] == "callback").unwrap();
    let parameter = CallbackParameter::parse(text(&case, "repaired")).unwrap().unwrap();
    let members: Value = serde_json::from_str(text(&case, "json")).unwrap();
    for member in ["callbackUrl", "callbackHost", "callbackBody", "callbackBodyType"] {
        assert_eq!(members[member], case[member], "callback: {member}");
    }
    assert_eq!(parameter.urls.len(), 1);
    assert_eq!(format!("http://{}", parameter.urls[0].authority), text(&case, "callbackUrl"), "callback");
    assert_eq!(parameter.host.as_deref(), case["callbackHost"].as_str(), "callback");
    assert_eq!(parameter.body.as_str(), text(&case, "callbackBody"), "callback");
    assert_eq!(parameter.body_type.as_str(), text(&case, "callbackBodyType"), "callback");
    let printed = &case["decoded_as_printed"];
    assert_eq!(printed["callbackUrl"], "", "callback");
    assert_eq!(text(&case, "callbackBody").replace('&', ""), text(printed, "callbackBody"), "callback");
    for member in ["callbackHost", "callbackBodyType"] {
        assert_eq!(case[member], printed[member], "callback: {member}");
    }
}

#[test]
fn the_tutorials_policy_allows_a_thousand_megabytes_below_its_directory() {
    let case = cases("tutorial.json").into_iter().find(|case| case["name"] == "policy").unwrap();
    let policy = Policy::parse(text(&case, "repaired")).unwrap();
    assert_eq!(policy.expiration().to_string(), text(&case, "expiration"), "policy");
    // The server wrote its own time of the day, eight hours ahead, as if it were UTC.
    let expire = case["expire"].as_i64().unwrap();
    assert_eq!(policy.expiration().as_second() - expire, 8 * 60 * 60, "policy");
    let before: jiff::Timestamp = "2015-11-05T20:52:28Z".parse().unwrap();
    let evaluate = |key: &str| {
        let fields = FormFields::from_parts([("key", key)], FilePart::default()).unwrap();
        policy.evaluate(&PolicyFacts::as_sent("post-test", &fields), before)
    };
    let bytes = |name: &str| case[name].as_u64().unwrap();
    let sizes = SizeRange { bytes_min: bytes("size_min"), bytes_max: bytes("size_max") };
    assert_eq!(text(&case, "dir"), text(&case, "key_prefix"), "policy");
    assert_eq!(evaluate(&format!("{}${{filename}}", text(&case, "dir"))), Ok(sizes), "policy");
    assert!(evaluate("other-dir/${filename}").is_err());
    assert_eq!(STANDARD.decode(text(&case, "signature_as_printed")).unwrap().len(), 20);
}
