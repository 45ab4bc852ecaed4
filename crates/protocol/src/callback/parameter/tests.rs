//! Callback parameters: what is read, and the cause of each refusal.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::super::CallbackDocument;
use super::*;

fn parse(json: &str) -> Result<Option<CallbackParameter>, CallbackParameterError> {
    CallbackParameter::parse(&STANDARD.encode(json))
}

/// The cause for which a callback with these further members is refused.
fn cause_of(members: &str) -> CallbackCause {
    let json = format!("{{\"callbackUrl\":\"a.com\",\"callbackBody\":\"b\",{members}}}");
    parse(&json).unwrap_err().cause
}

#[test]
fn reads_the_tutorials_callback() {
    let document = CallbackDocument {
        url: "http://oss-demo.aliyuncs.com:23450".to_owned(),
        host: Some("oss-demo.aliyuncs.com".to_owned()),
        body: "filename=${object}&size=${size}&mimeType=${mimeType}&height=${imageInfo.height}\
               &width=${imageInfo.width}"
            .to_owned(),
        body_type: BodyType::Form,
    };
    let callback = CallbackParameter::parse(&document.to_base64()).unwrap().unwrap();
    assert_eq!(callback.urls, [CallbackUrl::parse(&document.url).unwrap()]);
    assert_eq!(callback.host_for(&callback.urls[0]), "oss-demo.aliyuncs.com");
    assert_eq!((callback.body.as_str(), callback.body_type), (document.body.as_str(), BodyType::Form));
    assert!(document.to_json().contains("\"callbackBodyType\":\"application/x-www-form-urlencoded\""));
}

#[test]
fn without_a_url_there_is_no_callback() {
    for json in ["{}", "{\"callbackUrl\":\"\"}", "{\"callbackUrl\":null}", "{\"callbackUrl\":\" ; ;\"}"] {
        assert_eq!(parse(json), Ok(None), "{json}");
    }
}

#[test]
fn keeps_up_to_five_urls_in_order_and_passes_over_empty_items() {
    let five =
        "{\"callbackUrl\":\"my1.com;my2.com;;my3.com; my4.com;https://my5.com/x;\",\"callbackBody\":\"b\"}";
    let callback = parse(five).unwrap().unwrap();
    let hosts: Vec<_> = callback.urls.iter().map(|url| url.host.as_str()).collect();
    assert_eq!(hosts, ["my1.com", "my2.com", "my3.com", "my4.com", "my5.com"]);
    assert_eq!(callback.host_for(&callback.urls[4]), "my5.com", "without callbackHost the URL's own");
    let six = "{\"callbackUrl\":\"my1.com;my2.com;my3.com;my4.com;my5.com;my6.com;\",\"callbackBody\":\"b\"}";
    assert_eq!(parse(six).unwrap_err().cause, CallbackCause::TooManyUrls);
}

#[test]
fn refuses_what_is_no_single_json_object_in_base64() {
    let cause = |text: &str| CallbackParameter::parse(text).unwrap_err().cause;
    assert_eq!(cause("{\"callbackUrl\":\"a.com\"}"), CallbackCause::NotBase64);
    assert_eq!(cause("e30 "), CallbackCause::NotBase64);
    for json in ["", "[]", "null", "{\"callbackBody\":\"{\"mimeType\":1}\"}", "{} {}", "{\"a\":1,\"a\":2}"] {
        assert_eq!(parse(json).unwrap_err().cause, CallbackCause::NotJson, "{json}");
    }
    assert_eq!(cause(&STANDARD.encode(b"{\"a\":\"\xff\"}")), CallbackCause::NotJson);
    assert_eq!(CallbackParameter::parse("e30"), Ok(None), "padding may be missing");
    assert_eq!(cause(&"A".repeat(5121)), CallbackCause::ParameterTooLong);
    assert_ne!(cause(&"A".repeat(5120)), CallbackCause::ParameterTooLong);
}

#[test]
fn refuses_each_malformed_member_by_its_own_cause() {
    for (json, cause) in [
        ("{\"callbackUrl\":\"my\",\"callbackBody\":\"b\"}", CallbackCause::UrlInvalid),
        ("{\"callbackUrl\":\"my.com:test\",\"callbackBody\":\"b\"}", CallbackCause::UrlInvalid),
        ("{\"callbackUrl\":[\"a.com\"],\"callbackBody\":\"b\"}", CallbackCause::UrlInvalid),
        ("{\"callbackUrl\":\"a.com\"}", CallbackCause::BodyEmpty),
        ("{\"callbackUrl\":\"a.com\",\"callbackBody\":\"\"}", CallbackCause::BodyEmpty),
        ("{\"callbackUrl\":\"a.com\",\"callbackBody\":{}}", CallbackCause::BodyInvalid),
        ("{\"callbackUrl\":\"a.com\",\"callbackBody\":\"o=$(object)\"}", CallbackCause::BodyInvalid),
    ] {
        assert_eq!(parse(json).unwrap_err().cause, cause, "{json}");
    }
    assert_eq!(cause_of("\"callbackBodyType\":1"), CallbackCause::BodyTypeInvalid);
    assert_eq!(cause_of("\"callbackBodyType\":\"text/plain\""), CallbackCause::BodyTypeUnsupported);
    assert_eq!(cause_of("\"callbackSNI\":\"yes\""), CallbackCause::SniInvalid);
    assert_eq!(cause_of("\"callbackPolicy\":\"test_2\""), CallbackCause::PolicyUnsupported);
}

#[test]
fn refuses_a_host_that_could_end_its_header() {
    for host in [
        "a.com\\r\\nX-Evil: 1",
        "a.com\\n",
        "a.com\\u0000",
        "a b",
        "a/b",
        "a@b",
        "照.com",
        "a:x",
        ":80",
        "a:",
    ] {
        assert_eq!(cause_of(&format!("\"callbackHost\":\"{host}\"")), CallbackCause::HostInvalid, "{host}");
    }
    assert_eq!(cause_of("\"callbackHost\":1"), CallbackCause::HostInvalid);
    let json = "{\"callbackUrl\":\"a.com\",\"callbackBody\":\"b\",\"callbackHost\":\"b.com:8080\"}";
    assert_eq!(parse(json).unwrap().unwrap().host.as_deref(), Some("b.com:8080"));
}

#[test]
fn passes_on_harmless_additional_headers() {
    for headers in [
        "\"x\"",
        "{\"x-oss-bucket\":\"a\"}",
        "{\"X-OSS-Tag\":\"a\"}",
        "{\"Host\":\"a\"}",
        "{\"Content-Length\":\"1\"}",
        "{\"transfer-encoding\":\"chunked\"}",
        "{\"a b\":\"c\"}",
        "{\"\":\"c\"}",
        "{\"a\":\"b\\r\\nc: d\"}",
        "{\"a\":1}",
        "{\"a\":\"照\"}",
    ] {
        let cause = cause_of(&format!("\"additionalHeaders\":{headers}"));
        assert_eq!(cause, CallbackCause::AdditionalHeadersInvalid, "{headers}");
    }
    let json =
        "{\"callbackUrl\":\"a.com\",\"callbackBody\":\"b\",\"additionalHeaders\":{\"X-App\":\"one two\"}}";
    let callback = parse(json).unwrap().unwrap();
    assert_eq!(callback.additional_headers, [("x-app".to_owned(), "one two".to_owned())]);
}

#[test]
fn reads_callback_var_with_names_in_any_script() {
    let read = |json: &str| parse_callback_var(&STANDARD.encode(json));
    let variables = read("{\"x:var1\":\"值\",\"x:键值1\":\"\"}").unwrap();
    assert_eq!(variables, [("x:var1".to_owned(), "值".to_owned()), ("x:键值1".to_owned(), String::new())]);
    let variables = read("{\"var1\":\"value1\",\"var2\":2,\"x:a\":\"1\"}").unwrap();
    assert_eq!(variables, [("x:a".to_owned(), "1".to_owned())], "a name without x: is ignored");
    for json in ["[]", "{\"x:a\":1}", "{\"x:a\":null}", "{\"x:a\":\"1\",\"x:a\":\"2\"}", "x:a=1"] {
        assert_eq!(read(json).unwrap_err().cause, CallbackCause::VarNotJson, "{json}");
    }
    assert_eq!(parse_callback_var("*").unwrap_err().cause, CallbackCause::VarNotJson);
    assert_eq!(parse_callback_var(&"A".repeat(5121)).unwrap_err().cause, CallbackCause::VarTooLong);
}

#[test]
fn takes_a_parameter_from_one_place_only() {
    assert_eq!(Argument::Callback.from_one_place(None, None), Ok(None));
    assert_eq!(Argument::Callback.from_one_place(Some("h"), None), Ok(Some("h")));
    assert_eq!(Argument::CallbackVar.from_one_place(None, Some("q")), Ok(Some("q")));
    for (argument, word) in
        [(Argument::Callback, "x-oss-callback "), (Argument::CallbackVar, "x-oss-callback-var ")]
    {
        let error = WireError::from(argument.from_one_place(Some("h"), Some("q")).unwrap_err());
        assert_eq!((error.status(), error.ec()), (400, Some("0007-00000027")));
        assert!(error.message().contains(word), "{}", error.message());
    }
}

#[test]
fn shows_the_decoded_json_to_the_client() {
    let json = "{\"callbackUrl\":\"my.com:test\",\"callbackBody\":\"b\"}";
    let error = WireError::from(parse(json).unwrap_err());
    assert_eq!((error.status(), error.code().as_str()), (400, "InvalidArgument"));
    assert_eq!(error.message(), "The callback url configuration is invalid.");
    assert_eq!(error.ec(), Some("0007-00000004"));
    assert_eq!(error.element("ArgumentName"), Some("callback"));
    assert_eq!(error.element("ArgumentValue"), Some(json));
    assert_eq!(error.topic(), "callback-url");
}

#[test]
fn refuses_a_body_that_could_grow_too_long() {
    let json = format!("{{\"callbackUrl\":\"a.com\",\"callbackBody\":\"{}\"}}", "${x:a}".repeat(500));
    let callback = parse(&json).unwrap().unwrap();
    let variables = |bytes: usize| CallbackVariables {
        custom: vec![("x:a".to_owned(), "a".repeat(bytes))],
        ..CallbackVariables::default()
    };
    assert_eq!(callback.check_body_size(&variables(8), 4_000), Ok(4_000));
    let error = callback.check_body_size(&variables(9), 4_000).unwrap_err();
    assert_eq!(error.cause, CallbackCause::BodyTooLong);
}

proptest! {
    #[test]
    fn reads_back_any_callback_that_a_signer_writes(body in "\\PC{1,40}", json in any::<bool>()) {
        prop_assume!(!body.contains("$("));
        let document = CallbackDocument {
            url: "https://a.example.com/cb?x=1".to_owned(),
            host: None,
            body: body.clone(),
            body_type: if json { BodyType::Json } else { BodyType::Form },
        };
        let callback = CallbackParameter::parse(&document.to_base64()).unwrap().unwrap();
        prop_assert_eq!(callback.body.as_str(), body);
        prop_assert_eq!(callback.body_type, document.body_type);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,80}", url in "\\PC{0,30}") {
        let _ = CallbackParameter::parse(&text);
        let _ = CallbackParameter::parse(&STANDARD.encode(&text));
        let json = serde_json::json!({"callbackUrl": url, "callbackBody": text}).to_string();
        let _ = parse(&json);
    }
}
