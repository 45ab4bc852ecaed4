//! What of a grant is pinned in the policy, and how it travels with the callback.

use super::sealed_grant::NotGranted;
use super::*;
use crate::grant::Grant;
use countersign_protocol::callback::template::{BodyType, CallbackVariables, Template};

fn grant() -> Grant {
    let values = vec![("x:album".to_owned(), "\"海\" ${size}".to_owned())];
    Grant { values, ..Grant::new("4\"2${x}", UploadPath::normalise("user-dir/42").unwrap()) }
}

fn sign(options: SignerOptions, path: Option<&str>, grant: Grant) -> Result<SignatureAnswer, SignError> {
    let choice = SignerChoice { fields: true, grant: Some(grant), ..SignerChoice::default() };
    Signer::new(options, noon()).unwrap().sign(path, &choice)
}

fn body_of(answer: &SignatureAnswer) -> String {
    let parameter: serde_json::Value = serde_json::from_str(&decoded(&json(answer)["callback"])).unwrap();
    parameter["callbackBody"].as_str().unwrap().to_owned()
}

fn with_body(body: &str, body_type: &str) -> SignerOptions {
    let callback = CallbackOptions {
        body: body.to_owned(),
        body_type: body_type.to_owned(),
        ..CallbackOptions::to("http://127.0.0.1:9818/callback")
    };
    SignerOptions { callback: Some(callback), ..options() }
}

#[test]
fn a_value_is_pinned_and_listed_where_the_template_names_it() {
    let named = with_body("user=${x:user}&album=${x:album}", "application/x-www-form-urlencoded");
    let answer = sign(named, None, Grant::new("42", UploadPath::normalise("user-dir/42").unwrap())).unwrap();
    let fields: Vec<(String, String)> = serde_json::from_value(json(&answer)["fields"].clone()).unwrap();
    assert!(fields.contains(&("x:user".to_owned(), "42".to_owned())));
    let send = |user: &str| {
        let changed =
            fields.iter().map(|(name, value)| (name.as_str(), if name == "x:user" { user } else { value }));
        let file = FilePart { filename: Some("a.jpg".to_owned()), content_type: None };
        verified(&FormFields::from_parts(changed, file).unwrap(), 0)
    };
    assert!(send("42").is_ok());
    assert!(send("43").is_err());
}

#[test]
fn a_form_that_knows_nothing_of_grants_passes() {
    let answer = sign(with_callback(), None, grant()).unwrap();
    assert_eq!(verified(&form(&answer, "user-dir/42/${filename}", &[]), 0), Ok((0, DEFAULT_SIZE_BYTES_MAX)));
    assert!(verified(&form(&answer, "user-dir/43/a.jpg", &[]), 0).is_err());
}

#[test]
fn never_signs_outside_the_folder_of_the_grant() {
    let dir = |path| sign(with_callback(), path, grant()).map(|answer| answer.dir().to_owned());
    assert_eq!(dir(None).as_deref(), Ok("user-dir/42/"));
    assert_eq!(dir(Some("user-dir/42/a")).as_deref(), Ok("user-dir/42/a/"));
    for path in ["user-dir", "user-dir/43", "user-dir/4", "user-dir/420"] {
        assert!(matches!(dir(Some(path)), Err(SignError::Path(_))), "{path}");
    }
    let wide = Grant { size_bytes_max: Some(u64::MAX), ..grant() };
    assert!(matches!(sign(with_callback(), None, wide), Err(SignError::Grant(_))));
}

#[test]
fn a_grant_travels_in_form_and_json_bodies_and_reads_back_the_same() {
    let json_type = "application/json";
    for (template, body_type) in [
        ("a=1&key=${object}", "application/x-www-form-urlencoded"),
        (r#"{"object":${object}}"#, json_type),
        (r#" { "object": ${object}, "a": "${size},${x:b}" } "#, json_type),
    ] {
        let signer = Signer::new(with_body(template, body_type), noon()).unwrap();
        assert!(signer.check_grants().is_ok(), "{template}");
        let body = body_of(&sign(with_body(template, body_type), None, grant()).unwrap());
        let granted = |key: &str| {
            let variables = CallbackVariables { object: key.to_owned(), ..CallbackVariables::default() };
            let kind = BodyType::parse(body_type).unwrap();
            let sent = Template::parse(&body).unwrap().expand(&variables, kind);
            let recorded = crate::callback_verifier::signed_callback::signed("/callback", &sent, "5C");
            signer.granted(
                &crate::callback_verifier::signed_callback::verifier()
                    .verify_request(recorded, None)
                    .unwrap(),
            )
        };
        assert_eq!(granted("user-dir/42/\"},{a&b=c.jpg"), Ok(grant()), "{template}");
        assert_eq!(granted("user-dir/42/..a/b../...jpg"), Ok(grant()), "{template}");
        for key in ["43/a.jpg", "42/../43/a.jpg", "42/..\\43/a.jpg", "42/.", "42/./a.jpg"] {
            let key = format!("user-dir/{key}");
            assert_eq!(granted(&key), Err(NotGranted::Elsewhere), "{template} {key}");
        }
    }
    for template in ["a=${object}", "${object}", r#"{"object":${object}"#, "[]", "{}", r#"{"a":${object}}"#] {
        let refused = Signer::new(with_body(template, json_type), noon()).unwrap();
        assert!(refused.check_grants().is_err(), "{template}");
    }
}

#[test]
fn the_largest_grant_fits_into_the_callback_parameter_or_is_refused_whole() {
    let folder = UploadPath::normalise(&format!("user-dir/{}", "f".repeat(800))).unwrap();
    let values = (0..8).map(|at| (format!("x:value-{at}"), "v".repeat(50))).collect();
    let large = Grant { values, ..Grant::new("u".repeat(128), folder) };
    let answer = sign(with_callback(), None, large).unwrap();
    assert!(json(&answer)["callback"].as_str().unwrap().len() <= 5 * 1024);
    let long = with_body(&format!("a={}", "b".repeat(3_600)), "application/x-www-form-urlencoded");
    assert!(matches!(sign(long, None, grant()), Err(SignError::GrantUnplaced { .. })));
}
