//! Each refusal with the answer that the client gets, and the tolerances that real signers need.

use super::super::{
    Addressing, Authentication, AuthorizationError, GetUrl, RequestView, VerifyOptions, scheme, v1, v4,
};
use super::authenticate;
use crate::access_key::AccessKeySecret;
use crate::error_xml::WireError;

const NOW: &str = "2026-11-22T20:08:46Z";
const NOW_COMPACT: &str = "20261122T200846Z";
const DATE: &[u8] = b"Sun, 22 Nov 2026 20:08:46 GMT";

fn now() -> jiff::Timestamp {
    NOW.parse().unwrap()
}

fn secret() -> AccessKeySecret {
    AccessKeySecret::from("sk")
}

/// Status, code, EC and message of the refusal of a GET.
fn refused(
    query: Option<&str>,
    headers: &[(&str, &str)],
) -> (u16, &'static str, Option<&'static str>, String) {
    let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let view = RequestView { method: "GET", bucket: Some("demo"), key: Some("a"), raw_query: query, headers };
    let error = WireError::from(authenticate(&view, &secret(), now()).unwrap_err());
    (error.status(), error.code().as_str(), error.ec(), error.message().to_owned())
}

#[test]
fn a_request_is_anonymous_only_without_any_authentication() {
    assert_eq!(scheme::detect(&RequestView::default()), Ok(Authentication::Anonymous));
    for header in ["OSS", "OSS ak", "OSS ak:", "OSS :x", "OSS3 ak:x", "Bearer x", "AWS a:b", ""] {
        let (status, code, _, message) = refused(None, &[("Authorization", header)]);
        assert_eq!(
            (status, code, message.as_str()),
            (400, "InvalidArgument", "Authorization header is invalid.")
        );
    }
    for header in [
        "OSS4-HMAC-SHA256 Credential=ak/20261122/cn-hangzhou/oss/aliyun_v4_request",
        "OSS4-HMAC-SHA256 Credential=ak/20261122/cn-hangzhou/s3/aliyun_v4_request,Signature=00",
        "OSS4-HMAC-SHA256 Credential=ak/20261122/cn-hangzhou/oss/aliyun_v4_request,Signature=0,Signature=0",
        "OSS4-HMAC-SHA256 Credential=ak/20261122/cn-hangzhou/oss/aliyun_v4_request,Signature=0,Other=0",
    ] {
        assert_eq!(refused(None, &[("Authorization", header)]).1, "InvalidArgument", "{header}");
    }
}

#[test]
fn refuses_authentication_in_header_and_url_at_once() {
    for query in ["Signature=x", "OSSAccessKeyId=ak", "x-oss-signature-version=OSS4-HMAC-SHA256"] {
        let (status, code, ..) = refused(Some(query), &[("Authorization", "OSS ak:x")]);
        assert_eq!((status, code), (400, "InvalidArgument"), "{query}");
    }
}

#[test]
fn refuses_a_signed_url_that_is_incomplete_or_expired() {
    let missing =
        "Query-string authentication requires the Signature, Expires and OSSAccessKeyId parameters.";
    for query in ["OSSAccessKeyId=ak", "Expires=1&Signature=x", "OSSAccessKeyId=ak&Expires=1", "Signature="] {
        assert_eq!(refused(Some(query), &[]), (403, "AccessDenied", None, missing.to_owned()), "{query}");
    }
    let (.., message) = refused(Some("OSSAccessKeyId=ak&Expires=soon&Signature=x"), &[]);
    assert_eq!(message, "Invalid date (should be seconds since epoch).");
    let (.., message) = refused(Some("OSSAccessKeyId=ak&Expires=1795378125&Signature=x"), &[]);
    assert_eq!(message, "Request has expired.", "before the signature is looked at");
    for never in ["253402300799", "9223372036854775807"] {
        let (_, code, ..) = refused(Some(&format!("OSSAccessKeyId=ak&Expires={never}&Signature=x")), &[]);
        assert_eq!(code, "SignatureDoesNotMatch", "{never} is a time like any other");
    }
    let token = refused(Some("OSSAccessKeyId=STS.ak&Expires=1795378127&Signature=x"), &[]);
    assert_eq!((token.0, token.1), (400, "InvalidRequest"));
}

#[test]
fn refuses_a_v4_url_outside_its_lifetime() {
    let plain = RequestView { method: "GET", ..RequestView::default() };
    let start = now();
    let query = v4::sign_url(&plain, "ak", &secret(), "cn-hangzhou", start, 60);
    let at = |seconds: i64| {
        let moment = jiff::Timestamp::from_second(start.as_second() + seconds).unwrap();
        let view = RequestView { raw_query: Some(&query), ..plain.clone() };
        authenticate(&view, &secret(), moment)
    };
    assert_eq!((at(0), at(60), at(-900)), (Ok(()), Ok(()), Ok(())));
    assert!(matches!(at(61), Err(AuthorizationError::Expired { .. })));
    assert!(matches!(at(-901), Err(AuthorizationError::RequestTimeTooSkewed { .. })));
    for lifetime in [0, -1, 604_801] {
        let query = v4::sign_url(&plain, "ak", &secret(), "cn-hangzhou", start, lifetime);
        let view = RequestView { raw_query: Some(&query), ..plain.clone() };
        let result = authenticate(&view, &secret(), start);
        assert_eq!(result, Err(AuthorizationError::LifetimeInvalid(lifetime.to_string())));
    }
}

#[test]
fn refuses_a_clock_that_is_wrong_and_tells_the_right_time() {
    let view = RequestView {
        method: "GET",
        headers: vec![("date", DATE), ("authorization", b"OSS ak:x")],
        ..RequestView::default()
    };
    for late in [true, false] {
        let offset = if late { 901 } else { -901 };
        let server = jiff::Timestamp::from_second(now().as_second() + offset).unwrap();
        let error = WireError::from(authenticate(&view, &secret(), server).unwrap_err());
        assert_eq!((error.code().as_str(), error.ec()), ("RequestTimeTooSkewed", Some("0002-00000504")));
        assert_eq!(error.element("MaxAllowedSkewMilliseconds"), Some("900000"));
        assert_eq!(error.element("RequestTime"), Some("2026-11-22T20:08:46.000Z"));
        let expected = if late { "2026-11-22T20:23:47.000Z" } else { "2026-11-22T19:53:45.000Z" };
        assert_eq!(error.element("ServerTime"), Some(expected));
    }
    let server = jiff::Timestamp::from_second(now().as_second() + 900).unwrap();
    assert!(matches!(authenticate(&view, &secret(), server), Err(AuthorizationError::SignatureMismatch(_))));
    assert_eq!(
        refused(None, &[("Authorization", "OSS ak:x")]).3,
        "OSS authentication requires a valid Date."
    );
}

#[test]
fn shows_what_the_server_would_sign() {
    let headers = [("Authorization", "OSS ak:AAAA"), ("Date", "Sun, 22 Nov 2026 20:08:46 GMT")];
    let view = RequestView {
        method: "GET",
        headers: headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect(),
        ..RequestView::default()
    };
    let error = WireError::from(authenticate(&view, &secret(), now()).unwrap_err());
    assert_eq!((error.status(), error.ec()), (403, Some("0002-00000040")));
    assert_eq!(error.element("OSSAccessKeyId"), Some("ak"));
    assert_eq!(error.element("SignatureProvided"), Some("AAAA"));
    assert_eq!(error.element("StringToSign"), Some("GET\n\n\nSun, 22 Nov 2026 20:08:46 GMT\n/"));
    assert!(error.element("StringToSignBytes").unwrap().starts_with("47 45 54 0A 0A 0A 53"));
}

#[test]
fn bad_key_ids_and_dates_have_different_ec_numbers_in_header_and_url() {
    let v4 = |credential: &str| format!("OSS4-HMAC-SHA256 Credential={credential},Signature=00");
    let rest = "cn-hangzhou/oss/aliyun_v4_request";
    let header =
        |value: String| refused(None, &[("Authorization", &value), ("x-oss-date", "20261122T200846Z")]).2;
    assert_eq!(header("OSS a k:x".to_owned()), Some("0002-00000901"));
    assert_eq!(header(v4(&format!("a'k/20261122/{rest}"))), Some("0002-00000206"));
    assert_eq!(header(v4(&format!("ak/2026112/{rest}"))), Some("0002-00000212"));
    assert_eq!(header(v4(&format!("ak/20261121/{rest}"))), Some("0002-00000212"), "not the day of the date");
    assert_eq!(refused(Some("OSSAccessKeyId=a%20k&Expires=1&Signature=x"), &[]).2, Some("0002-00000073"));
    let url = |credential: &str| {
        let query = format!(
            "x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential={credential}&x-oss-date=20261122T200846Z\
             &x-oss-expires=60&x-oss-signature=00"
        );
        refused(Some(&query), &[]).2
    };
    assert_eq!(url(&format!("a'k/20261122/{rest}")), Some("0002-00000222"));
    assert_eq!(url(&format!("ak/20261121/{rest}")), Some("0002-00000223"));
    let unknown = WireError::from(AuthorizationError::AccessKeyIdUnknown { id: "ak".to_owned() });
    assert_eq!((unknown.ec(), unknown.element("OSSAccessKeyId")), (Some("0002-00000902"), Some("ak")));
}

#[test]
fn refuses_another_region_only_when_told_its_own() {
    let mut view = RequestView { method: "GET", ..RequestView::default() };
    view.headers.push(("x-oss-date", b"20261122T200846Z"));
    let value = v4::sign_header(&view, "ak", &secret(), "cn-beijing", &[]).unwrap();
    view.headers.push(("authorization", value.as_bytes()));
    let verify = |region| {
        scheme::detect(&view).unwrap().verify(&view, &secret(), &VerifyOptions { now: now(), region })
    };
    assert_eq!(verify(None), Ok(()));
    assert_eq!(verify(Some("cn-beijing")), Ok(()));
    let error = WireError::from(verify(Some("cn-hangzhou")).unwrap_err());
    assert_eq!((error.status(), error.code().as_str()), (400, "InvalidArgument"));
    assert_eq!(error.ec(), Some("0002-00000226"));
    assert_eq!(error.message(), "Invalid signing region in Authorization header.");
}

#[test]
fn refuses_to_pretend_that_it_checks_a_payload_digest() {
    let mut view = RequestView { method: "PUT", ..RequestView::default() };
    view.headers = vec![("x-oss-date", b"20261122T200846Z"), ("x-oss-content-sha256", b"e3b0c44298fc1c14")];
    let value = v4::sign_header(&view, "ak", &secret(), "cn-hangzhou", &[]).unwrap();
    view.headers.push(("authorization", value.as_bytes()));
    let result = authenticate(&view, &secret(), now());
    assert!(matches!(result, Err(AuthorizationError::PayloadHashUnsupported(_))), "{result:?}");
}

/// Signs the given text itself, as a signer would that chooses its parameters and date line differently.
fn accepts_own_text(query: &str, headers: &[(&'static str, &'static [u8])], text: &str) -> bool {
    let value = format!("OSS ak:{}", v1::signature(&secret(), text.as_bytes()));
    let mut headers = headers.to_vec();
    headers.push(("authorization", value.as_bytes()));
    let view =
        RequestView { method: "GET", bucket: Some("demo"), key: None, raw_query: Some(query), headers };
    authenticate(&view, &secret(), now()).is_ok()
}

#[test]
fn accepts_a_parameter_signed_or_not_where_sdks_disagree() {
    let date = [("date", DATE)];
    let text = |resource: &str| format!("GET\n\n\nSun, 22 Nov 2026 20:08:46 GMT\n/demo/{resource}");
    let query = "accessmonitor&x-oss-new=1&prefix=p&acl";
    for resource in [
        "?accessmonitor&acl&x-oss-new=1",
        "?acl",
        "?accessmonitor&acl",
        "?acl&x-oss-new=1",
        "?accessmonitor&acl&prefix=p&x-oss-new=1",
    ] {
        assert!(accepts_own_text(query, &date, &text(resource)), "{resource}");
    }
    for resource in ["", "?accessmonitor&x-oss-new=1", "?acl&prefix=p"] {
        assert!(!accepts_own_text(query, &date, &text(resource)), "{resource}");
    }
    assert!(!accepts_own_text("x-oss-process=a", &date, &text("")), "never left out, whoever signs");
}

#[test]
fn accepts_either_date_in_the_line_when_both_are_sent() {
    let own: &[u8] = b"Sun, 22 Nov 2026 20:08:40 GMT";
    let headers = [("date", DATE), ("x-oss-date", own)];
    for line in ["Sun, 22 Nov 2026 20:08:40 GMT", "Sun, 22 Nov 2026 20:08:46 GMT", ""] {
        let text = format!("GET\n\n\n{line}\nx-oss-date:Sun, 22 Nov 2026 20:08:40 GMT\n/demo/");
        assert!(accepts_own_text("", &headers, &text), "{line}");
    }
    let text = "GET\n\n\nSun, 22 Nov 2026 20:08:41 GMT\nx-oss-date:Sun, 22 Nov 2026 20:08:40 GMT\n/demo/";
    assert!(!accepts_own_text("", &headers, text));
    assert!(!accepts_own_text("", &[("date", DATE)], "GET\n\n\n\n/demo/"), "a lone date has to be signed");
}

#[test]
fn makes_urls_that_open_one_object_until_they_expire() {
    let url = GetUrl {
        endpoint: "http://127.0.0.1:9817",
        addressing: Addressing::Path,
        bucket: "demo",
        key: "user-dir/照片 1.jpg",
        parameters: &[("response-content-disposition", "attachment; filename=\"a.jpg\"")],
        security_token: Some("token=="),
        now: now(),
        lifetime_seconds: 600,
    };
    for signed in [url.sign_v1("ak", &secret()), url.sign_v4("ak", &secret(), "cn-hangzhou")] {
        let (path, query) = signed.split_once('?').unwrap();
        assert_eq!(path, "http://127.0.0.1:9817/demo/user-dir/%E7%85%A7%E7%89%87%201.jpg");
        let view = |key| RequestView {
            method: "GET",
            bucket: Some("demo"),
            key: Some(key),
            raw_query: Some(query),
            headers: Vec::new(),
        };
        let end = jiff::Timestamp::from_second(now().as_second() + 600).unwrap();
        assert_eq!(authenticate(&view(url.key), &secret(), end), Ok(()));
        assert!(authenticate(&view("user-dir/other.jpg"), &secret(), end).is_err());
        let later = jiff::Timestamp::from_second(now().as_second() + 601).unwrap();
        assert!(matches!(
            authenticate(&view(url.key), &secret(), later),
            Err(AuthorizationError::Expired { .. })
        ));
    }
    let hosted = GetUrl { endpoint: "https://oss.example.com", addressing: Addressing::VirtualHost, ..url };
    assert!(hosted.sign_v1("ak", &secret()).starts_with("https://demo.oss.example.com/user-dir/"));
}

#[test]
fn takes_a_date_that_version_4_signed_as_it_was_sent() {
    use crate::credential_scope::CredentialScope;
    let date = "Sun, 22 Nov 2026 20:08:46 GMT";
    let scope = CredentialScope::new(now(), "cn-hangzhou");
    let sent = |line: &str, headers: &[(&str, &str)]| {
        let headers: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let view =
            RequestView { method: "GET", bucket: Some("demo"), key: Some("a"), raw_query: None, headers };
        let text = v4::string_to_sign(line, &scope, &v4::canonical_request(&view, &[]));
        let signature = v4::signature(&secret(), &scope, &text);
        let header = format!("OSS4-HMAC-SHA256 Credential={},Signature={signature}", scope.credential("ak"));
        let mut view = view.clone();
        view.headers.push(("authorization", header.as_bytes()));
        authenticate(&view, &secret(), now()).is_ok()
    };
    // Go SDK 1 and ossutil 1.7 send and sign this; the compact form of it is as good.
    assert!(sent(date, &[("date", date)]));
    assert!(sent(NOW_COMPACT, &[("date", date)]));
    // Beside a date of its own, `Date` is not what is signed.
    let both = [("date", date), ("x-oss-date", NOW_COMPACT)];
    assert!(sent(NOW_COMPACT, &both) && !sent(date, &both));
    assert!(!sent("Sun, 22 Nov 2026 20:08:47 GMT", &[("date", date)]));
}
