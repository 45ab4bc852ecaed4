//! What is signed, checked with the store's own verifying code.

use std::time::Duration;

use super::*;
use crate::{callback_verifier::signed_callback::noon, signer_options::DEFAULT_SIZE_BYTES_MAX};
use countersign_protocol::{
    access_key::AccessKeySecret,
    form::{FilePart, FormFields},
    policy::{Policy, PolicyFacts, PolicyRefusal},
    post_signature::PostCredentials,
};

mod granted;
mod pinned;

fn options() -> SignerOptions {
    SignerOptions::new("ak", AccessKeySecret::new("sk"), "demo", "http://demo.localhost:9817")
}

fn with_callback() -> SignerOptions {
    SignerOptions { callback: Some(CallbackOptions::to("http://127.0.0.1:9818/callback")), ..options() }
}

fn signed(options: SignerOptions) -> SignatureAnswer {
    Signer::new(options, noon()).unwrap().sign(Some("user-dir"), &SignerChoice::default()).unwrap()
}

fn json(answer: &SignatureAnswer) -> serde_json::Value {
    serde_json::to_value(answer).unwrap()
}

fn decoded(base64: &serde_json::Value) -> String {
    String::from_utf8(STANDARD.decode(base64.as_str().unwrap()).unwrap()).unwrap()
}

/// The form an uploader would send for a key, with some fields changed.
fn form(answer: &SignatureAnswer, key: &str, further: &[(&str, &str)]) -> FormFields {
    let mut fields = vec![("key", key)];
    fields.extend(
        answer.form_fields().into_iter().filter(|(name, _)| further.iter().all(|(other, _)| other != name)),
    );
    fields.extend(further);
    let file = FilePart { filename: Some("a.jpg".to_owned()), content_type: Some("image/jpeg".to_owned()) };
    FormFields::from_parts(fields, file).unwrap()
}

/// The store's checks in its order; the sizes that are allowed.
fn verified(fields: &FormFields, seconds_later: i64) -> Result<(u64, u64), PolicyRefusal> {
    let credentials = PostCredentials::of(fields).unwrap();
    assert_eq!(credentials.access_key_id(), Some("ak"));
    credentials.verify(&AccessKeySecret::new("sk")).unwrap();
    assert!(credentials.verify(&AccessKeySecret::new("other")).is_err());
    let policy = Policy::parse(credentials.policy().unwrap()).unwrap();
    let now = noon()() + SignedDuration::from_secs(seconds_later);
    credentials.check_against(&policy, now).unwrap();
    let range = policy.evaluate(&PolicyFacts::as_sent("demo", fields), now)?;
    Ok((range.bytes_min, range.bytes_max))
}

#[test]
fn answers_exactly_the_tutorials_names() {
    let text = serde_json::to_string(&signed(with_callback())).unwrap();
    let names: Vec<&str> =
        text.split('"').filter(|part| part.chars().all(|c| c.is_ascii_lowercase())).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    assert_eq!(names, ["accessid", "ak", "host", "policy", "signature", "expire", "callback", "dir"]);
    let value = json(&signed(with_callback()));
    assert_eq!(value["expire"], 1_795_349_100);
    assert_eq!(value["dir"], "user-dir/");
    assert_eq!(value["host"], "http://demo.localhost:9817");
    assert!(json(&signed(options())).get("callback").is_none(), "no callback configured, no member");
}

#[test]
fn signs_without_pins_the_tutorials_policy_and_nothing_else() {
    let value = json(&signed(SignerOptions { pins: Pins::Tutorial, ..with_callback() }));
    let policy: serde_json::Value = serde_json::from_str(&decoded(&value["policy"])).unwrap();
    let conditions =
        serde_json::json!([["content-length-range", 0, 1_048_576_000], ["starts-with", "$key", "user-dir/"]]);
    assert_eq!(policy["conditions"], conditions);
    let expiration: Timestamp = policy["expiration"].as_str().unwrap().parse().unwrap();
    assert_eq!(expiration.as_second(), value["expire"].as_i64().unwrap());
}

#[test]
fn asks_for_the_tutorials_callback() {
    let mut options = with_callback();
    if let Some(callback) = &mut options.callback {
        callback.host = Some("app.example".to_owned());
    }
    let expected = concat!(
        r#"{"callbackUrl":"http://127.0.0.1:9818/callback","callbackHost":"app.example","#,
        r#""callbackBody":"filename=${object}&size=${size}&mimeType=${mimeType}"#,
        r#"&height=${imageInfo.height}&width=${imageInfo.width}&name=${x:name}&reqId=${reqId}","#,
        r#""callbackBodyType":"application/x-www-form-urlencoded"}"#
    );
    assert_eq!(decoded(&json(&signed(options))["callback"]), expected);
}

#[test]
fn what_is_signed_is_what_the_store_verifies_in_both_versions() {
    for version in [SignatureVersion::V1, SignatureVersion::V4] {
        let answer = signed(SignerOptions { version, ..with_callback() });
        let good = form(&answer, "user-dir/${filename}", &[]);
        assert_eq!(verified(&good, 0), Ok((0, DEFAULT_SIZE_BYTES_MAX)));
        assert_eq!(verified(&good, 299), Ok((0, DEFAULT_SIZE_BYTES_MAX)));
        assert!(matches!(verified(&good, 300), Err(PolicyRefusal::Expired)));
        let outside = form(&answer, "user-dir2/a.jpg", &[]);
        assert!(verified(&outside, 0).is_err(), "a prefix ends in a slash");
    }
}

#[test]
fn limits_size_and_types() {
    let limited = |types: &[&str]| SignerOptions {
        size_bytes: 1..=10,
        content_types: types.iter().map(|name| (*name).to_owned()).collect(),
        ..options()
    };
    let answer = signed(limited(&["image/jpeg", "image/png"]));
    assert_eq!(verified(&form(&answer, "user-dir/a", &[]), 0), Ok((1, 10)));
    let override_type = form(&answer, "user-dir/a", &[("x-oss-content-type", "text/html")]);
    assert!(verified(&override_type, 0).is_err(), "the type that counts is the one in effect");
    let family = signed(limited(&["image/*"]));
    assert!(verified(&form(&family, "user-dir/a", &[]), 0).is_ok());
    let text = form(&family, "user-dir/a", &[("x-oss-content-type", "text/html")]);
    assert!(verified(&text, 0).is_err());
    let both = Signer::new(limited(&["image/*", "text/plain"]), noon());
    assert!(matches!(both, Err(SignerOptionsError::ContentTypes)));
}

#[test]
fn carries_a_session_token_in_both_versions() {
    for version in [SignatureVersion::V1, SignatureVersion::V4] {
        let token = Some("token".to_owned());
        let answer = signed(SignerOptions { version, security_token: token, ..options() });
        assert_eq!(json(&answer)["security_token"], "token");
        let fields = form(&answer, "user-dir/a", &[]);
        assert_eq!(fields.security_token(), Some("token"));
        assert!(verified(&fields, 0).is_ok());
    }
}

#[test]
fn names_what_the_v4_samples_name() {
    let value = json(&signed(SignerOptions { version: SignatureVersion::V4, ..with_callback() }));
    assert_eq!(value["version"], "OSS4-HMAC-SHA256");
    assert_eq!(value["x_oss_signature_version"], "OSS4-HMAC-SHA256");
    assert_eq!(value["x_oss_credential"], "ak/20261122/cn-hangzhou/oss/aliyun_v4_request");
    assert_eq!(value["x_oss_date"], "20261122T120000Z");
    for name in ["policy", "signature", "dir", "host", "callback", "expire"] {
        assert!(!value[name].is_null(), "{name}");
    }
    assert!(value.get("security_token").is_none());
}

#[test]
fn lists_the_fields_of_the_form_when_asked_to() {
    for version in [SignatureVersion::V1, SignatureVersion::V4] {
        let signer = Signer::new(SignerOptions { version, ..with_callback() }, noon()).unwrap();
        let choice = SignerChoice { fields: true, ..SignerChoice::default() };
        let value = json(&signer.sign(Some("user-dir"), &choice).unwrap());
        let listed: Vec<(String, String)> = serde_json::from_value(value["fields"].clone()).unwrap();
        assert_eq!(listed[0], ("key".to_owned(), "user-dir/${filename}".to_owned()));
        assert!(listed.contains(&("policy".to_owned(), value["policy"].as_str().unwrap().to_owned())));
        let file = FilePart { filename: Some("a.jpg".to_owned()), content_type: None };
        assert!(
            verified(&FormFields::from_parts(listed, file).unwrap(), 0).is_ok(),
            "the list is a whole form"
        );
    }
}

#[test]
fn keeps_to_the_configured_folders() {
    let user_dir = UploadPath::normalise("user-dir").unwrap();
    let below = || SignerOptions { root: user_dir.clone(), ..options() };
    let signer = Signer::new(below(), noon()).unwrap();
    let dir = |path| signer.sign(path, &SignerChoice::default()).map(|answer| answer.dir().to_owned());
    assert_eq!(dir(None).as_deref(), Ok("user-dir/"));
    assert_eq!(dir(Some("/user-dir//42")).as_deref(), Ok("user-dir/42/"));
    assert!(matches!(dir(Some("other")), Err(SignError::Path(UploadPathError::OutsideRoot { .. }))));
    assert_eq!(dir(Some("")), Err(SignError::Path(UploadPathError::Empty)));
    let nowhere = Signer::new(SignerOptions { directory: None, ..options() }, noon()).unwrap();
    let refused = nowhere.sign(None, &SignerChoice::default()).unwrap_err();
    assert_eq!(refused, SignError::Path(UploadPathError::Empty));
    let photos = UploadPath::normalise("photos").ok();
    let outside = Signer::new(SignerOptions { directory: photos, ..below() }, noon());
    assert!(matches!(outside, Err(SignerOptionsError::DirectoryOutsideRoot { .. })));
}

#[test]
fn lets_the_caller_choose_what_the_server_permits() {
    let signer = Signer::new(with_callback(), noon()).unwrap();
    let choice = SignerChoice {
        version: Some(SignatureVersion::V4),
        callback: Some(false),
        host: Some("http://192.168.1.5:9817/demo".to_owned()),
        ..SignerChoice::default()
    };
    let answer = signer.sign(None, &choice).unwrap();
    assert!(matches!(answer, SignatureAnswer::V4(_)));
    assert_eq!(answer.host(), "http://192.168.1.5:9817/demo");
    assert!(json(&answer).get("callback").is_none());
}

#[test]
fn refuses_options_that_every_upload_would_fail_with() {
    let callback = |url: &str, body: &str, body_type: &str| {
        let (url, body, body_type) = (url.to_owned(), body.to_owned(), body_type.to_owned());
        let callback = Some(CallbackOptions { url, host: None, body, body_type });
        Signer::new(SignerOptions { callback, ..options() }, noon())
    };
    let form = "application/x-www-form-urlencoded";
    assert!(callback("http://app/", "key=${object}", form).is_ok());
    assert!(callback("http://app:port/", "key=${object}", form).is_err());
    assert!(callback("http://app/", "key=$(object)", form).is_err());
    assert!(callback("http://app/", "", form).is_err());
    assert!(callback("http://app/", "key=${object}", "text/plain").is_err());
    assert!(callback("http://app/", &"x".repeat(6000), form).is_err(), "over 5 KB");
    #[expect(clippy::reversed_empty_ranges, reason = "that is what is refused")]
    let empty = Signer::new(SignerOptions { size_bytes: 2..=1, ..options() }, noon());
    assert!(matches!(empty, Err(SignerOptionsError::SizeRangeEmpty { min: 2, max: 1 })));
    for seconds in [0, 7 * 86_400 + 1] {
        let lifetime = Duration::from_secs(seconds);
        let refused = Signer::new(SignerOptions { lifetime, ..options() }, noon());
        assert!(matches!(refused, Err(SignerOptionsError::Lifetime)));
    }
}
