//! Which fields a form may add to what was signed.

use super::*;

fn conditions(answer: &SignatureAnswer) -> Vec<serde_json::Value> {
    let policy: serde_json::Value = serde_json::from_str(&decoded(&json(answer)["policy"])).unwrap();
    policy["conditions"].as_array().unwrap().clone()
}

fn other_callback() -> String {
    STANDARD.encode(r#"{"callbackUrl":"http://evil","callbackBody":"filename=x"}"#)
}

fn sign(options: SignerOptions, choice: &SignerChoice) -> Result<SignatureAnswer, SignError> {
    Signer::new(options, noon()).unwrap().sign(Some("user-dir"), choice)
}

fn listed(answer: &SignatureAnswer) -> FormFields {
    let fields: Vec<(String, String)> = serde_json::from_value(json(answer)["fields"].clone()).unwrap();
    let file = FilePart { filename: Some("a.jpg".to_owned()), content_type: None };
    FormFields::from_parts(fields, file).unwrap()
}

#[test]
fn the_samples_form_passes_and_with_one_field_more_it_does_not() {
    let other = other_callback();
    let variables = STANDARD.encode(r#"{"x:uid":"1"}"#);
    let more = [
        ("x-oss-object-acl", "public-read"),
        ("x-oss-object-acl", "public-read-write"),
        ("x-oss-storage-class", "IA"),
        ("callback", other.as_str()),
        ("callback-var", variables.as_str()),
    ];
    for version in [SignatureVersion::V1, SignatureVersion::V4] {
        for options in [options(), with_callback()] {
            let answer = signed(SignerOptions { version, ..options });
            assert_eq!(
                verified(&form(&answer, "user-dir/${filename}", &[]), 0),
                Ok((0, DEFAULT_SIZE_BYTES_MAX))
            );
            for field in more {
                assert!(verified(&form(&answer, "user-dir/a", &[field]), 0).is_err(), "{field:?}");
            }
            let harmless =
                [("x-oss-object-acl", "private"), ("x:name", "照片.jpg"), ("x-oss-forbid-overwrite", "true")];
            assert!(verified(&form(&answer, "user-dir/a", &harmless), 0).is_ok());
        }
    }
}

#[test]
fn the_tutorials_policy_pins_none_of_these_fields() {
    let loose = signed(SignerOptions { pins: Pins::Tutorial, ..with_callback() });
    let other = other_callback();
    let all =
        [("callback", other.as_str()), ("x-oss-object-acl", "public-read"), ("x-oss-storage-class", "IA")];
    assert!(verified(&form(&loose, "user-dir/a", &all), 0).is_ok());
}

#[test]
fn a_signature_is_good_for_one_bucket() {
    for version in [SignatureVersion::V1, SignatureVersion::V4] {
        let answer = signed(SignerOptions { version, ..options() });
        assert!(conditions(&answer).contains(&serde_json::json!({"bucket": "demo"})), "{version:?}");
    }
}

#[test]
fn leaving_the_callback_out_pins_its_absence() {
    let choice = SignerChoice { callback: Some(false), ..SignerChoice::default() };
    let answer = sign(with_callback(), &choice).unwrap();
    assert!(conditions(&answer).contains(&serde_json::json!(["eq", "$callback", ""])));
    assert!(verified(&form(&answer, "user-dir/a", &[]), 0).is_ok());
    let other = other_callback();
    assert!(verified(&form(&answer, "user-dir/a", &[("callback", other.as_str())]), 0).is_err());
    let before_oss = || SignerOptions { store: StoreKind::Oss, ..with_callback() };
    assert_eq!(sign(before_oss(), &choice), Err(SignError::CallbackUnpinned), "where it cannot be pinned");
    let loose = SignerOptions { pins: Pins::Tutorial, ..before_oss() };
    assert!(sign(loose, &choice).is_ok());
}

#[test]
fn before_oss_only_fields_of_the_samples_form_are_pinned() {
    let host = "https://demo.oss-cn-hangzhou.aliyuncs.com";
    assert_eq!(StoreKind::of_host(host), StoreKind::Oss);
    assert_eq!(StoreKind::of_host("https://DEMO.OSS-cn-hangzhou.aliyuncs.com.:443/"), StoreKind::Oss);
    assert_eq!(StoreKind::of_host("https://aliyuncs.com.example/"), StoreKind::Countersign);
    let oss = |pins| {
        let callback = with_callback().callback;
        SignerOptions { pins, callback, ..SignerOptions::new("ak", AccessKeySecret::new("sk"), "demo", host) }
    };
    let usual = signed(oss(Pins::Usual));
    let callback = json(&usual)["callback"].clone();
    let tutorial = [
        serde_json::json!(["content-length-range", 0, DEFAULT_SIZE_BYTES_MAX]),
        serde_json::json!(["starts-with", "$key", "user-dir/"]),
        serde_json::json!(["eq", "$callback", callback]),
    ];
    assert_eq!(conditions(&usual), tutorial);
    let fields = SignerChoice { fields: true, ..SignerChoice::default() };
    let all = sign(oss(Pins::All), &fields).unwrap();
    let form = listed(&all);
    for condition in conditions(&all).iter().filter_map(serde_json::Value::as_array) {
        let field = condition[1].as_str().unwrap_or_default().trim_start_matches('$');
        assert!(field.is_empty() || form.get(field).is_some(), "{field} is pinned and must be sent");
    }
    assert_eq!(
        (form.get("x-oss-object-acl"), form.get("x-oss-storage-class")),
        (Some("default"), Some("Standard"))
    );
    assert!(verified(&form, 0).is_ok());
}

#[test]
fn every_field_of_the_listed_form_is_mentioned_but_those_of_the_signature() {
    for version in [SignatureVersion::V1, SignatureVersion::V4] {
        let choice = SignerChoice { fields: true, ..SignerChoice::default() };
        let answer = sign(SignerOptions { version, ..with_callback() }, &choice).unwrap();
        let form = listed(&answer);
        let policy = Policy::parse(form.get("policy").unwrap()).unwrap();
        let unmentioned: Vec<&str> =
            form.iter().map(|(name, _)| name).filter(|name| !policy.names(name)).collect();
        let signing = ["policy", "OSSAccessKeyId", "signature", "x-oss-signature"];
        assert!(unmentioned.iter().all(|name| signing.contains(name)), "{unmentioned:?}");
        assert!(["x:name", "x-oss-forbid-overwrite"].iter().all(|name| policy.names(name)));
        assert!(verified(&form, 0).is_ok());
    }
}

#[test]
fn values_and_a_whole_key_are_pinned_as_they_are_handed_out() {
    let values = vec![("x:uid".to_owned(), "42".to_owned())];
    let choice =
        SignerChoice { fields: true, values, key: Some("avatar.jpg".to_owned()), ..SignerChoice::default() };
    let answer = sign(with_callback(), &choice).unwrap();
    let whole = listed(&answer);
    assert_eq!(whole.get("key"), Some("user-dir/avatar.jpg"));
    assert_eq!((whole.get("x:uid"), whole.get("x-oss-forbid-overwrite")), (Some("42"), Some("true")));
    assert!(verified(&whole, 0).is_ok());
    for (name, value) in [
        ("x:uid", "43"),
        ("x:uid", "42 "),
        ("key", "user-dir/other.jpg"),
        ("x-oss-forbid-overwrite", "false"),
    ] {
        let changed = whole.iter().map(|(known, own)| (known, if known == name { value } else { own }));
        let changed = FormFields::from_parts(changed, FilePart::default()).unwrap();
        assert!(verified(&changed, 0).is_err(), "{name} is {value}");
        let without = whole.iter().filter(|(known, _)| *known != name);
        let without = FormFields::from_parts(without, FilePart::default()).unwrap();
        assert!(verified(&without, 0).is_err(), "{name} is left out");
    }
    for key in ["", "${filename}", "a\u{0}", &"x".repeat(1_020)] {
        let choice = SignerChoice { key: Some(key.to_owned()), ..SignerChoice::default() };
        assert_eq!(sign(options(), &choice), Err(SignError::Key), "{key:?}");
    }
    let choice = SignerChoice { values: vec![("key".to_owned(), "a".to_owned())], ..SignerChoice::default() };
    assert!(matches!(sign(options(), &choice), Err(SignError::Value { .. })));
}
