//! Signatures of forms: the vectors, incomplete credentials, and round trips.

use proptest::prelude::*;

use super::*;
use crate::credential_scope::format_v4_date;
use crate::form::FilePart;
use crate::policy::PolicyDocument;
use crate::{ErrorCode, WireError};

const POLICY: &str = "eyJleHBpcmF0aW9uIjoiMjAzMC0wMS0wMVQwMDowMDowMC4wMDBaIiwiY29uZGl0aW9ucyI6W1siY29udGVudC1sZW5ndGgtcmFuZ2UiLDAsMTA0ODU3NjAwMF1dfQ==";
const SIGNATURE: &str = "7ZujzRtMfKQIU51fpHd6Y412f+0=";

fn form(fields: &[(&str, &str)]) -> FormFields {
    FormFields::from_parts(fields.iter().copied(), FilePart::default()).unwrap()
}

fn refused(fields: &[(&str, &str)]) -> PostSignatureError {
    PostCredentials::of(&form(fields)).unwrap_err()
}

fn moment(text: &str) -> Timestamp {
    parse_v4_date(text).unwrap()
}

#[test]
fn verifies_the_vector_whose_fields_are_spelt_as_old_pages_spell_them() {
    let fields = form(&[
        ("ossaccesskeyid", "ak"),
        ("policy", &format!(" {POLICY}\n")),
        ("signature", &format!("{SIGNATURE}\r\n")),
        ("x-oss-security-token", ""),
    ]);
    let credentials = PostCredentials::of(&fields).unwrap();
    assert_eq!(credentials.access_key_id(), Some("ak"));
    assert_eq!(credentials.policy(), Some(POLICY));
    assert_eq!(credentials.security_token(), None);
    assert_eq!(credentials.verify(&AccessKeySecret::from("sk")), Ok(()));
    let error = WireError::from(credentials.verify(&AccessKeySecret::from("other")).unwrap_err());
    assert_eq!((error.code(), error.ec()), (ErrorCode::SignatureDoesNotMatch, Some("0002-00000705")));
    assert_eq!(error.element("OSSAccessKeyId"), Some("ak"));
    assert_eq!(error.element("StringToSign"), Some(POLICY));
    assert!(error.element("StringToSignBytes").unwrap().starts_with("65 79 4A 6C"));
}

#[test]
fn half_of_a_set_of_credentials_is_never_anonymous() {
    assert_eq!(PostCredentials::of(&form(&[("key", "k")])), Ok(PostCredentials::Anonymous));
    let key_id = ("OSSAccessKeyId", "ak");
    let cases = [
        (refused(&[("policy", POLICY)]), PostSignatureError::KeyIdMissing),
        (refused(&[("signature", SIGNATURE)]), PostSignatureError::KeyIdMissing),
        (refused(&[("OSSAccessKeyId", ""), ("policy", POLICY)]), PostSignatureError::KeyIdEmpty),
        (refused(&[key_id]), PostSignatureError::SignatureMissing),
        (refused(&[key_id, ("Signature", " ")]), PostSignatureError::SignatureEmpty),
        (refused(&[key_id, ("Signature", SIGNATURE)]), PostSignatureError::PolicyMissing),
        (refused(&[key_id, ("Signature", SIGNATURE), ("policy", " ")]), PostSignatureError::PolicyBlank),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
    for field in FOREIGN_FIELDS {
        assert_eq!(refused(&[(field, "x")]), PostSignatureError::ForeignScheme { field });
    }
    let message = |error| WireError::from(error).message().to_owned();
    assert_eq!(message(PostSignatureError::KeyIdMissing), "Post request accessKeyId is empty.");
    assert_eq!(message(PostSignatureError::SignatureEmpty), "Post request signature is empty.");
}

const DATE: &str = "20231203T121212Z";
const CREDENTIAL: &str = "ak/20231203/cn-hangzhou/oss/aliyun_v4_request";

/// A V4 form whose policy pins what `pin` adds, with one field replaced.
fn v4_form(document: &PolicyDocument, replaced: (&str, &str)) -> FormFields {
    let policy = document.to_base64();
    let scope = CredentialScope::parse_credential(CREDENTIAL).unwrap().1;
    let signature = sign_v4(&AccessKeySecret::from("sk"), &scope, &policy);
    let fields = [
        ("x-oss-signature-version", V4_ALGORITHM),
        ("x-oss-credential", CREDENTIAL),
        ("x-oss-date", DATE),
        ("x-oss-signature", signature.as_str()),
        ("policy", policy.as_str()),
    ];
    let mut fields: Vec<_> = fields.into_iter().filter(|(name, _)| *name != replaced.0).collect();
    if !replaced.1.is_empty() {
        fields.push(replaced);
    }
    form(&fields)
}

fn document() -> PolicyDocument {
    PolicyDocument::new(moment("20300101T000000Z")).bucket("examplebucket")
}

#[test]
fn verifies_a_v4_form_within_its_window_and_not_outside() {
    let document = document().pin_v4(CREDENTIAL, DATE, None);
    let fields = v4_form(&document, ("", ""));
    let credentials = PostCredentials::of(&fields).unwrap();
    assert_eq!(credentials.verify(&AccessKeySecret::from("sk")), Ok(()));
    let policy = Policy::parse(credentials.policy().unwrap()).unwrap();
    let at = |text| credentials.check_against(&policy, moment(text));
    assert_eq!(at("20231203T115712Z"), Ok(()));
    assert_eq!(at("20231203T115711Z"), Err(PostSignatureError::SignedInTheFuture));
    assert_eq!(at("20231210T121212Z"), Ok(()));
    assert_eq!(at("20231210T121213Z"), Err(PostSignatureError::SignedTooLongAgo));
}

#[test]
fn a_v4_policy_pins_everything_that_the_form_signs_with() {
    let bare = document();
    let token = ("x-oss-security-token", "t");
    let cases = [
        (bare.clone(), ("", ""), "x-oss-signature-version"),
        (bare.clone().field("x-oss-signature-version", V4_ALGORITHM), ("", ""), "x-oss-credential"),
        (bare.clone().pin_v4(CREDENTIAL, "20231203T000000Z", None), ("", ""), "x-oss-date"),
        (bare.clone().pin_v4(CREDENTIAL, DATE, None), token, "x-oss-security-token"),
        (bare.clone().pin_v4(CREDENTIAL, DATE, Some("other")), token, "x-oss-security-token"),
        (bare.starts_with("x-oss-signature-version", "OSS4"), ("", ""), "x-oss-signature-version"),
    ];
    for (document, replaced, field) in cases {
        let fields = v4_form(&document, replaced);
        let credentials = PostCredentials::of(&fields).unwrap();
        let policy = Policy::parse(credentials.policy().unwrap()).unwrap();
        let refused = credentials.check_against(&policy, moment(DATE));
        assert_eq!(refused, Err(PostSignatureError::NotPinned { field }));
    }
}

#[test]
fn refuses_each_broken_v4_field_by_its_own_name() {
    let document = document().pin_v4(CREDENTIAL, DATE, None);
    let refused = |name, value| PostCredentials::of(&v4_form(&document, (name, value))).unwrap_err();
    assert_eq!(refused("x-oss-signature-version", ""), PostSignatureError::Version);
    assert_eq!(refused("x-oss-signature-version", "OSS4"), PostSignatureError::Version);
    assert!(matches!(refused("x-oss-credential", "ak"), PostSignatureError::Credential(_)));
    assert_eq!(refused("x-oss-date", "2023-12-03"), PostSignatureError::SignDate);
    assert_eq!(refused("x-oss-date", "20231204T000000Z"), PostSignatureError::SignDate);
    assert_eq!(refused("x-oss-signature", ""), PostSignatureError::SignatureMissing);
    assert_eq!(refused("policy", ""), PostSignatureError::PolicyMissing);
}

proptest! {
    #[test]
    fn what_one_side_signs_the_other_verifies(secret in ".{0,40}", policy in "[A-Za-z0-9+/=]{0,80}", region in "[a-z0-9-]{1,20}", seconds in 0i64..4_000_000_000) {
        let key = AccessKeySecret::from(secret.as_str());
        let v1 = sign_v1(&key, &policy);
        prop_assert!(verify_v1(&key, &policy, &v1));
        let now = Timestamp::from_second(seconds).unwrap();
        let scope = CredentialScope::new(now, region);
        let v4 = sign_v4(&key, &scope, &policy);
        prop_assert!(verify_v4(&key, &scope, &policy, &v4));
        prop_assert_eq!(parse_v4_date(&format_v4_date(now)), Some(now));
        let other = format!("{policy}A");
        prop_assert!(!verify_v1(&key, &other, &v1) && !verify_v4(&key, &scope, &other, &v4));
        let other = AccessKeySecret::from(format!("{secret}x"));
        prop_assert!(!verify_v1(&other, &policy, &v1) && !verify_v4(&other, &scope, &policy, &v4));
    }
}
