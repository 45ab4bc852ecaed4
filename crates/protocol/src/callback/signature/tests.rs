//! Callback signatures: recorded ones, forged ones, and our own.

use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use rsa::rand_core::{CryptoRng, Error, RngCore, impls};
use serde::Deserialize;

use super::*;

/// Numbers that are the same in every run (SplitMix64): the key made of them protects nothing.
struct Predictable(u64);

impl RngCore for Predictable {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn next_u32(&mut self) -> u32 {
        impls::next_u32_via_fill(self)
    }

    fn fill_bytes(&mut self, target: &mut [u8]) {
        impls::fill_bytes_via_next(self, target);
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(target);
        Ok(())
    }
}

impl CryptoRng for Predictable {}

fn test_key() -> RsaPrivateKey {
    RsaPrivateKey::new(&mut Predictable(1), 1024).unwrap()
}

#[derive(Deserialize)]
struct Vectors {
    public_key_pem: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    path_and_query: String,
    body: String,
    content_md5: String,
    string_to_sign: String,
    authorization: String,
}

fn vectors() -> Vectors {
    let vectors: Vectors =
        serde_json::from_str(&crate::test_vectors::read("callback_signature.json")).unwrap();
    assert_eq!(vectors.cases.len(), 7);
    vectors
}

fn split(target: &str) -> (&str, Option<&str>) {
    target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)))
}

fn signed(key: &RsaPrivateKey, path: &str, query: Option<&str>, body: &[u8]) -> String {
    let operation = |message: &[u8]| {
        key.sign(Pkcs1v15Sign::new::<Md5>(), &Md5::digest(message))
            .map_err(|error| CallbackSignError { reason: error.to_string() })
    };
    sign(&operation, path, query, body).unwrap()
}

#[test]
fn verifies_the_callbacks_that_oss_really_sent() {
    let vectors = vectors();
    let key = PublicKey::from_pem(ALIBABA_PRODUCTION_KEY_PEM).unwrap();
    assert_eq!(key.bits(), 512);
    assert_eq!(PublicKey::from_pem(&vectors.public_key_pem), Ok(key.clone()));
    for case in vectors.cases {
        let (path, query) = split(&case.path_and_query);
        let text = string_to_sign(path, query, case.body.as_bytes());
        assert_eq!(String::from_utf8(text).unwrap(), case.string_to_sign, "{}", case.name);
        let verdict = verify(&key, &case.authorization, &case.path_and_query, case.body.as_bytes());
        assert_eq!(verdict, Ok(()), "{}", case.name);
        assert_eq!(STANDARD.encode(Md5::digest(case.body.as_bytes())), case.content_md5, "{}", case.name);
    }
}

#[test]
fn refuses_a_callback_of_which_any_part_was_altered() {
    let key = PublicKey::from_pem(ALIBABA_PRODUCTION_KEY_PEM).unwrap();
    let vectors = vectors();
    for (place, case) in vectors.cases.iter().enumerate() {
        let other = vectors.cases.get((place + 1) % vectors.cases.len()).unwrap();
        let target = &case.path_and_query;
        let altered = [
            (case.authorization.as_str(), format!("{target}x"), case.body.clone()),
            (&case.authorization, target.clone(), format!("{} ", case.body)),
            (&case.authorization, format!("{target}?"), case.body.clone()),
            (&other.authorization, target.clone(), case.body.clone()),
            ("", target.clone(), case.body.clone()),
        ];
        for (authorization, target, body) in altered {
            let verdict = verify(&key, authorization, &target, body.as_bytes());
            assert_eq!(verdict, Err(VerifyError::Mismatch), "{target} {body}");
        }
        assert_eq!(verify(&key, "no base64", target, b""), Err(VerifyError::NotBase64));
    }
}

#[test]
fn verifies_what_it_signs_with_the_path_decoded_and_the_query_as_it_is() {
    let private = test_key();
    let pem = private.to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
    let key = PublicKey::from_pem(&pem).unwrap();
    let body = "{\"a\":\"照\"}".as_bytes();
    assert_eq!(string_to_sign("/a%20b+c", Some("q=%20"), b"x"), b"/a b+c?q=%20\nx");
    assert_eq!(string_to_sign("/", None, b""), b"/\n");
    let authorization = signed(&private, "/a%20b", Some("q=%20"), body);
    assert_eq!(verify(&key, &authorization, "/a%20b?q=%20", body), Ok(()));
    assert_eq!(verify(&key, &authorization, "/a%20b?q= ", body), Err(VerifyError::Mismatch));
    let alibaba = PublicKey::from_pem(ALIBABA_PRODUCTION_KEY_PEM).unwrap();
    assert_eq!(verify(&alibaba, &authorization, "/a%20b?q=%20", body), Err(VerifyError::Mismatch));
}

#[test]
fn says_so_when_the_private_key_fails() {
    let broken = |_: &[u8]| Err(CallbackSignError { reason: "gone".to_owned() });
    assert_eq!(sign(&broken, "/", None, b""), Err(CallbackSignError { reason: "gone".to_owned() }));
}

#[test]
fn reads_a_key_however_its_lines_are_broken_and_nothing_else() {
    let one_line = ALIBABA_PRODUCTION_KEY_PEM.replace('\n', "");
    let crlf = ALIBABA_PRODUCTION_KEY_PEM.replace('\n', "\r\n");
    let expected = PublicKey::from_pem(ALIBABA_PRODUCTION_KEY_PEM);
    assert_eq!((PublicKey::from_pem(&one_line), PublicKey::from_pem(&crlf)), (expected.clone(), expected));
    let private = test_key().to_pkcs8_pem(LineEnding::LF).unwrap();
    for text in ["", "MFww", &private, "-----BEGIN PUBLIC KEY-----\n*\n-----END PUBLIC KEY-----"] {
        assert_eq!(PublicKey::from_pem(text), Err(PublicKeyError::NotPem), "{text}");
    }
    let empty = "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----";
    assert_eq!(PublicKey::from_pem(empty), Err(PublicKeyError::NotRsa));
}
