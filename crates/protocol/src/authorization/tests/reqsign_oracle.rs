//! An independent signer, reqsign, signs random requests: what it signs is accepted, by both versions, in
//! the header and in the URL, and refused under another secret.

use std::time::Duration;

use http::Request;
use proptest::prelude::*;
use reqsign_aliyun_oss::{Credential, RequestSigner, SigningVersion};
use reqsign_core::{Context, SignRequest as _};

use super::super::RequestView;
use super::authenticate;
use crate::access_key::AccessKeySecret;
use crate::credential_scope::parse_v4_date;
use crate::http_date;
use crate::url_encoding::encode_path;

#[derive(Debug, Clone)]
struct Draft {
    method: &'static str,
    key: String,
    query: Vec<(&'static str, String)>,
    content_type: Option<&'static str>,
    meta: Option<String>,
    token: Option<&'static str>,
    url: bool,
}

fn draft() -> impl Strategy<Value = Draft> {
    let names = prop::sample::subsequence(
        vec!["acl", "uploadId", "partNumber", "response-content-type", "prefix", "x-oss-process", "max-keys"],
        0..4,
    );
    let query = names.prop_flat_map(|names| {
        let values = prop::collection::vec("[a-zA-Z0-9/=& ,+%照]{0,12}", names.len());
        values.prop_map(move |values| names.iter().copied().zip(values).collect::<Vec<_>>())
    });
    (
        prop::sample::select(vec!["GET", "PUT", "POST", "DELETE", "HEAD"]),
        "[a-zA-Z0-9._~ +/照片=&?#%-]{1,24}".prop_map(|key| key.trim_start_matches('/').to_owned()),
        query,
        prop::option::of(Just("image/jpeg")),
        prop::option::of("[a-zA-Z0-9 ]{1,10}".prop_map(|text| format!("v{text}v"))),
        prop::option::of(Just("token/+=")),
        any::<bool>(),
    )
        .prop_map(|(method, key, query, content_type, meta, token, url)| Draft {
            method,
            key,
            query,
            content_type,
            meta,
            token,
            url,
        })
}

fn sign(draft: &Draft, version: SigningVersion) -> http::request::Parts {
    let items: Vec<String> = draft
        .query
        .iter()
        .map(|(name, value)| match value.is_empty() {
            true => (*name).to_owned(),
            false => format!("{name}={}", crate::url_encoding::encode(value)),
        })
        .collect();
    let query = if items.is_empty() { String::new() } else { format!("?{}", items.join("&")) };
    let host = "demo.oss-cn-hangzhou.aliyuncs.com";
    let mut request = Request::builder()
        .method(draft.method)
        .uri(format!("http://{host}/{}{query}", encode_path(&draft.key)));
    if let Some(content_type) = draft.content_type {
        request = request.header("content-type", content_type);
    }
    if let Some(meta) = &draft.meta {
        request = request.header("x-oss-meta-a", meta);
    }
    let mut parts = request.header("host", host).body(()).unwrap().into_parts().0;
    let credential = Credential {
        access_key_id: "ak".to_owned(),
        access_key_secret: "sk".to_owned(),
        security_token: draft.token.map(str::to_owned),
        expires_in: None,
    };
    let signer = RequestSigner::new("demo").with_region("cn-hangzhou").with_signing_version(version);
    let lifetime = draft.url.then_some(Duration::from_secs(600));
    let context = Context::new();
    let signed = signer.sign_request(&context, &mut parts, Some(&credential), lifetime);
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(signed).unwrap();
    parts
}

fn check(draft: &Draft, version: SigningVersion) {
    let parts = sign(draft, version);
    let view = RequestView {
        method: draft.method,
        bucket: Some("demo"),
        key: Some(&draft.key),
        raw_query: parts.uri.query(),
        headers: parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect(),
    };
    // The signer has its own clock, so the time is taken from what it wrote.
    let date = view.header_text("x-oss-date").or_else(|| view.header_text("date"));
    let date = date.map(|text| text.into_owned()).or_else(|| view.parameter("x-oss-date"));
    let written = date.and_then(|text| parse_v4_date(&text).or_else(|| http_date::parse(&text)));
    let expires =
        view.parameter("Expires").map(|text| jiff::Timestamp::from_second(text.parse().unwrap()).unwrap());
    let now = written.or(expires).unwrap();
    assert_eq!(authenticate(&view, &AccessKeySecret::from("sk"), now), Ok(()), "{parts:?}");
    assert!(authenticate(&view, &AccessKeySecret::from("other"), now).is_err(), "{parts:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn accepts_what_an_independent_signer_signs_with_v1(draft in draft()) {
        check(&draft, SigningVersion::V1);
    }

    #[test]
    fn accepts_what_an_independent_signer_signs_with_v4(draft in draft()) {
        check(&draft, SigningVersion::V4);
    }
}
