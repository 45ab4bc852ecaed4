//! Everything that is signed verifies, and no part of it can be changed.

use proptest::prelude::*;

use super::super::{Authentication, RequestView, scheme, v1, v4};
use super::{authenticate, borrowed};
use crate::access_key::AccessKeySecret;
use crate::{credential_scope, http_date};

const NOW: &str = "2026-11-22T20:08:46Z";

#[derive(Debug, Clone)]
struct Signed {
    method: String,
    bucket: Option<String>,
    key: Option<String>,
    raw_query: String,
    headers: Vec<(String, String)>,
}

impl Signed {
    fn view(&self) -> RequestView<'_> {
        RequestView {
            method: &self.method,
            bucket: self.bucket.as_deref(),
            key: self.key.as_deref(),
            raw_query: (!self.raw_query.is_empty()).then_some(&*self.raw_query),
            headers: borrowed(&self.headers),
        }
    }

    fn accepted(&self) -> bool {
        authenticate(&self.view(), &AccessKeySecret::from("secret"), NOW.parse().unwrap()).is_ok()
    }
}

fn unsigned() -> impl Strategy<Value = Signed> {
    let place = prop_oneof![
        Just((None, None)),
        "[a-z0-9]{3,8}".prop_map(|bucket| (Some(bucket), None)),
        ("[a-z0-9]{3,8}", "\\PC{1,20}").prop_map(|(bucket, key)| (Some(bucket), Some(key))),
    ];
    let query = prop::collection::vec(
        (prop::sample::select(vec!["acl", "uploadId", "cors", "security-token"]), "[a-z0-9%2F+]{0,6}"),
        0..3,
    );
    (prop::sample::select(vec!["GET", "PUT", "POST"]), place, query, "[ -~]{0,12}").prop_map(
        |(method, (bucket, key), query, meta)| Signed {
            method: method.to_owned(),
            bucket,
            key,
            raw_query: query.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("&"),
            headers: vec![
                ("Content-Type".to_owned(), "text/plain".to_owned()),
                ("x-oss-meta-a".to_owned(), meta),
            ],
        },
    )
}

type Change = dyn Fn(&mut Signed);

/// The four ways to sign.
fn signed(mut request: Signed, way: u8) -> Signed {
    let (secret, now) = (AccessKeySecret::from("secret"), NOW.parse().unwrap());
    match way {
        0 => request.headers.push(("Date".to_owned(), http_date::format(now))),
        1 => request.headers.push(("x-oss-date".to_owned(), credential_scope::format_v4_date(now))),
        _ => {}
    }
    let view = request.view();
    match way {
        0 => {
            let value = v1::sign_header(&view, "ak", &secret);
            request.headers.push(("Authorization".to_owned(), value));
        }
        1 => {
            let value = v4::sign_header(&view, "ak", &secret, "cn-hangzhou", &[]).unwrap();
            request.headers.push(("Authorization".to_owned(), value));
        }
        2 => request.raw_query = v1::sign_url(&view, "ak", &secret, now),
        _ => request.raw_query = v4::sign_url(&view, "ak", &secret, "cn-hangzhou", now, 60),
    }
    request
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_no_part_of_it_can_be_changed(request in unsigned(), way in 0_u8..4) {
        let original = signed(request, way);
        prop_assert!(original.accepted(), "{original:?}");
        let change = |make: &Change| {
            let mut changed = original.clone();
            make(&mut changed);
            changed.accepted()
        };
        let changes: [(&str, &Change); 8] = [
            ("method", &|r| r.method = "DELETE".to_owned()),
            ("bucket", &|r| r.bucket = Some("another".to_owned())),
            ("key", &|r| {
                r.bucket.get_or_insert_with(|| "bkt".to_owned());
                r.key = Some("another key".to_owned());
            }),
            ("sub-resource", &|r| r.raw_query = format!("append&{}", r.raw_query)),
            ("parameter", &|r| r.raw_query = format!("{}&x-oss-process=a", r.raw_query)),
            ("type", &|r| r.headers[0].1 = "text/html".to_owned()),
            ("header", &|r| r.headers[1].1.push('x')),
            ("new header", &|r| r.headers.push(("x-oss-object-acl".to_owned(), "public-read".to_owned()))),
        ];
        for (part, make) in changes {
            let accepted = change(make);
            prop_assert!(!accepted, "{} was changed in {:?}", part, original);
        }
    }

    #[test]
    fn no_random_text_is_taken_for_a_signature(text in "\\PC{0,60}", query in "\\PC{0,60}") {
        for header in [text.clone(), format!("OSS ak:{text}"), format!("OSS4-HMAC-SHA256 Credential={text}")] {
            let view = RequestView {
                method: "GET",
                raw_query: Some(&query),
                headers: vec![("authorization", header.as_bytes()), ("date", b"Sun, 22 Nov 2026 20:08:46 GMT")],
                ..RequestView::default()
            };
            prop_assert!(!matches!(scheme::detect(&view), Ok(Authentication::Anonymous)));
            prop_assert!(authenticate(&view, &AccessKeySecret::from("secret"), NOW.parse().unwrap()).is_err());
        }
    }
}
