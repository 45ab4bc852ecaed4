//! Signatures of forms and of requests: what is signed verifies; what is changed afterwards verifies exactly
//! when a second canonicalisation, written apart, says that it means the same; no text that was not signed is
//! ever accepted.
//!
//! An input is a letter and lines. `P`: a form, one `name=value` per line. `Q`: a request to be signed:
//! method, bucket, key, query, then the change to be tried, then headers. `A`: the same lines, verified as
//! they are.

mod request_text;
mod second_signer;

use countersign_protocol::AccessKeySecret;
use countersign_protocol::authorization::{Authentication, VerifyOptions, scheme, v1, v4};
use countersign_protocol::credential_scope::{CredentialScope, format_v4_date};
use countersign_protocol::form::{FilePart, FormFields};
use countersign_protocol::http_date;
use countersign_protocol::policy::Policy;
use countersign_protocol::post_signature::{PostCredentials, sign_v1, sign_v4, verify_v1, verify_v4};
use jiff::Timestamp;

use crate::input::Input;
use request_text::Request;

const NOW: &str = "2026-11-22T20:08:46Z";

pub(crate) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let kind = input.byte();
    let lines = input.lines();
    match kind {
        b'P' => form(&lines),
        b'Q' => signed_request(&lines),
        _ => foreign_request(&lines),
    }
}

fn secret() -> AccessKeySecret {
    AccessKeySecret::from("secret")
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn form(lines: &[&str]) {
    let pairs = lines.iter().map(|line| line.split_once('=').unwrap_or((line, "")));
    let Ok(fields) = FormFields::from_parts(pairs, FilePart::default()) else { return };
    let policy_text = fields.get("policy").unwrap_or_default().trim();
    let Ok(credentials) = PostCredentials::of(&fields) else { return };
    let right = match &credentials {
        PostCredentials::Anonymous => false,
        PostCredentials::V1(_) => {
            second_signer::post_v1(b"secret", policy_text)
                == fields.get("signature").unwrap_or_default().trim()
        }
        PostCredentials::V4(claim) => {
            let scope =
                claim.credential.strip_prefix(claim.access_key_id).and_then(|rest| rest.strip_prefix('/'));
            let scope = scope.expect("the scope stands behind the key id");
            second_signer::post_v4(b"secret", scope, policy_text)
                == fields.get("x-oss-signature").unwrap_or_default().trim()
        }
    };
    assert_eq!(credentials.verify(&secret()).is_ok(), right, "{credentials:?}");
    if let Ok(policy) = Policy::parse(policy_text)
        && credentials.check_against(&policy, now()).is_ok()
        && let PostCredentials::V4(claim) = &credentials
    {
        assert!(policy.pins("x-oss-date", claim.date) && policy.pins("x-oss-credential", claim.credential));
    }
    any_change_of_a_signature_is_refused(policy_text, &credentials);
}

fn any_change_of_a_signature_is_refused(policy: &str, credentials: &PostCredentials<'_>) {
    let scope = match credentials {
        PostCredentials::V4(claim) => claim.scope.clone(),
        _ => CredentialScope::new(now(), "cn-hangzhou"),
    };
    let (v1, v4) = (sign_v1(&secret(), policy), sign_v4(&secret(), &scope, policy));
    assert!(verify_v1(&secret(), policy, &v1) && verify_v4(&secret(), &scope, policy, &v4));
    let turn = policy.len() % v1.len();
    assert!(!verify_v1(&secret(), policy, &changed_at(&v1, turn)));
    assert!(!verify_v4(&secret(), &scope, policy, &changed_at(&v4, turn)));
    assert!(!verify_v1(&secret(), &format!("{policy}x"), &v1));
    assert!(!verify_v4(&secret(), &scope, &format!("{policy}x"), &v4));
}

fn changed_at(text: &str, place: usize) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    letters[place] = if letters[place] == 'a' { 'b' } else { 'a' };
    letters.into_iter().collect()
}

/// Whether the request is taken for a signed one.
fn accepted(request: &Request) -> bool {
    let view = request.view();
    let Ok(claim) = scheme::detect(&view) else { return false };
    let options = VerifyOptions { now: now(), region: Some("cn-hangzhou") };
    claim != Authentication::Anonymous && claim.verify(&view, &secret(), &options).is_ok()
}

/// Whatever it claims, nobody signed it.
fn foreign_request(lines: &[&str]) {
    let Some(request) = Request::read(lines) else { return };
    let view = request.view();
    if let Ok(claim) = scheme::detect(&view) {
        let _ = (claim.access_key_id(), claim.is_url(), claim.security_token(&view));
        let named = request.has_header("authorization");
        assert!(claim != Authentication::Anonymous || !named, "a claim counts as none");
    }
    assert!(!accepted(&request), "{request:?}");
}

/// Signs in all four ways, then changes one thing.
fn signed_request(lines: &[&str]) {
    let [method, bucket, key, query, change, headers @ ..] = lines else { return };
    let mut given = vec![*method, *bucket, *key, *query];
    given.extend(headers);
    let Some(mut request) = Request::read(&given) else { return };
    request.headers.retain(|(name, _)| {
        !["authorization", "date", "x-oss-date", "x-oss-content-sha256"]
            .iter()
            .any(|own| name.eq_ignore_ascii_case(own))
    });
    if scheme::detect(&request.view()) != Ok(Authentication::Anonymous) || request.query.contains("x-oss-") {
        return;
    }
    for way in 0..4 {
        let signed = signed(request.clone(), way);
        assert!(accepted(&signed), "way {way}: {signed:?}");
        let mut other = signed.clone();
        apply(change, &mut other);
        if other == signed {
            continue;
        }
        match way {
            0 => assert!(
                !accepted(&other) || second_signer::v1_may_mean_the_same(&signed, &other, false),
                "{signed:?} {other:?}"
            ),
            1 => assert_eq!(
                accepted(&other),
                second_signer::v4_means_the_same(&signed, &other),
                "{signed:?} {other:?}"
            ),
            2 => assert!(
                !accepted(&other) || second_signer::v1_may_mean_the_same(&signed, &other, true),
                "{signed:?} {other:?}"
            ),
            _ => assert_eq!(
                accepted(&other),
                second_signer::v4_means_the_same(&signed, &other),
                "{signed:?} {other:?}"
            ),
        }
    }
}

fn signed(mut request: Request, way: u8) -> Request {
    match way {
        0 => request.headers.push(("Date".to_owned(), http_date::format(now()))),
        1 => request.headers.push(("x-oss-date".to_owned(), format_v4_date(now()))),
        _ => {}
    }
    let view = request.view();
    match way {
        0 => {
            assert_eq!(
                v1::string_to_sign(&view, &http_date::format(now())),
                second_signer::v1_text(&request, &http_date::format(now()), &|name| second_signer::V1_SIGNED
                    .contains(&name)),
                "{request:?}"
            );
            let value = v1::sign_header(&view, "ak", &secret());
            request.headers.push(("Authorization".to_owned(), value));
        }
        1 => {
            assert_eq!(v4::canonical_request(&view, &[]), second_signer::v4_text(&request), "{request:?}");
            let value = v4::sign_header(&view, "ak", &secret(), "cn-hangzhou", &[]).expect("a date");
            request.headers.push(("Authorization".to_owned(), value));
        }
        2 => request.query = v1::sign_url(&view, "ak", &secret(), now()),
        _ => request.query = v4::sign_url(&view, "ak", &secret(), "cn-hangzhou", now(), 60),
    }
    request
}

/// One change, named by its first letter.
fn apply(change: &str, request: &mut Request) {
    let mut letters = change.chars();
    let kind = letters.next().unwrap_or_default();
    let rest = letters.as_str();
    match kind {
        'm' => request.method = rest.to_owned(),
        'b' => request.bucket = (!rest.is_empty()).then(|| rest.to_owned()),
        'k' if request.bucket.is_some() => request.key = (!rest.is_empty()).then(|| rest.to_owned()),
        'q' => request.query = format!("{}&{rest}", request.query),
        'Q' => request.query = format!("{rest}&{}", request.query),
        'h' => {
            if let Some((name, value)) = rest.split_once(':')
                && !name.eq_ignore_ascii_case("authorization")
            {
                request.headers.push((name.to_owned(), value.to_owned()));
            }
        }
        'd' => {
            let place = rest.len() % request.headers.len().max(1);
            if place < request.headers.len() {
                request.headers.remove(place);
            }
        }
        _ => {}
    }
}
