//! Fuzzes callbacks: the parameter, its URLs, the body with its variables, what is signed, and the judgement of an
//! answer, each against a second reading by serde, by the `http` crate, or by plain replacement.
//!
//! An input is a letter and its matter. `P`: the parameter's JSON. `V`: callback-var's JSON. `U`: a URL.
//! `T`: a template, then one custom variable `x:name=value` per line. `S`: path, query and body. `A`: an
//! answer's length, type and body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_protocol::WireError;
use countersign_protocol::callback::answer::{ANSWER_BYTES_MAX, judge_body, judge_head};
use countersign_protocol::callback::parameter::parse_callback_var;
use countersign_protocol::callback::signature::{
    ALIBABA_PRODUCTION_KEY_PEM, PublicKey, string_to_sign, verify,
};
use countersign_protocol::callback::{
    BodyType, CallbackDocument, CallbackParameter, CallbackUrl, CallbackVariables, ImageInfo,
    PARAMETER_BYTES_MAX, Template,
};
use serde_json::Value;

use crate::input::Input;

pub(crate) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    match input.byte() {
        b'P' => parameter(input.text().unwrap_or_default()),
        b'V' => variables(input.text().unwrap_or_default()),
        b'U' => url(input.text().unwrap_or_default()),
        b'T' => template(&input.lines()),
        b'S' => signed_text(&mut input),
        b'A' => answer(&mut input),
        _ => {
            let text = input.text().unwrap_or_default();
            // As base64 in its own right.
            let _ = CallbackParameter::parse(text);
            let _ = parse_callback_var(text);
            let _ = PublicKey::from_pem(text);
        }
    }
}

fn parameter(json: &str) {
    let base64 = STANDARD.encode(json);
    let parameter = match CallbackParameter::parse(&base64) {
        Ok(Some(parameter)) => parameter,
        Ok(None) => return,
        Err(error) => {
            let xml = WireError::from(error).to_xml("request", "host", "http://host");
            assert!(xml.len() <= 8 * PARAMETER_BYTES_MAX, "an answer of {} bytes", xml.len());
            return;
        }
    };
    let second: Value = serde_json::from_str(json).expect("JSON to a second reader");
    assert!(base64.len() <= PARAMETER_BYTES_MAX && (1..=5).contains(&parameter.urls.len()));
    assert_eq!(second["callbackBody"].as_str(), Some(parameter.body.as_str()));
    assert!(second.get("callbackPolicy").is_none_or(Value::is_null));
    let written: Vec<&str> = second["callbackUrl"]
        .as_str()
        .expect("URLs")
        .split(';')
        .map(str::trim)
        .filter(|url| !url.is_empty())
        .collect();
    assert_eq!(written.len(), parameter.urls.len());
    for (url, written) in parameter.urls.iter().zip(written) {
        assert!(
            url.to_string().ends_with(written.split_once("://").map_or(written, |(_, rest)| rest))
                || url.path == "/"
                || url.path.is_empty()
        );
        url_is_sendable(url);
        assert!(http::HeaderValue::from_str(parameter.host_for(url)).is_ok());
    }
    for (name, value) in &parameter.additional_headers {
        assert!(
            http::HeaderName::from_bytes(name.as_bytes()).is_ok()
                && http::HeaderValue::from_str(value).is_ok()
        );
        assert!(!["host", "content-length", "transfer-encoding", "authorization"].contains(&name.as_str()));
    }
    let document = CallbackDocument {
        url: second["callbackUrl"].as_str().unwrap_or_default().to_owned(),
        host: parameter.host.clone(),
        body: parameter.body.as_str().to_owned(),
        body_type: parameter.body_type,
    };
    if let Ok(Some(again)) = CallbackParameter::parse(&document.to_base64()) {
        assert_eq!((again.urls, again.host, again.body), (parameter.urls, parameter.host, parameter.body));
    } else {
        assert!(document.to_base64().len() > PARAMETER_BYTES_MAX, "what a signer writes reads back");
    }
}

fn variables(json: &str) {
    let base64 = STANDARD.encode(json);
    let Ok(variables) = parse_callback_var(&base64) else { return };
    let second: Value = serde_json::from_str(json).expect("JSON to a second reader");
    let members = second.as_object().expect("an object");
    let named = members.keys().filter(|name| name.starts_with("x:")).count();
    assert_eq!(named, variables.len(), "each name with x: once, and no other");
    for (name, value) in variables {
        assert!(name.starts_with("x:") && members[&name] == value);
    }
}

fn url(text: &str) {
    let Ok(url) = CallbackUrl::parse(text) else { return };
    url_is_sendable(&url);
    let again = CallbackUrl::parse(&url.to_string()).expect("a URL that was written");
    assert_eq!(
        (again.tls, &again.host, again.port, &again.path, &again.raw_query),
        (url.tls, &url.host, url.port, &url.path, &url.raw_query)
    );
    let plain_host = url.host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    assert!(plain_host && !url.host.is_empty() && url.host.len() <= 254, "{text:?}");
}

/// The client that sends it reads the same in it.
fn url_is_sendable(url: &CallbackUrl) {
    let second: http::Uri = url.to_string().parse().unwrap_or_else(|error| panic!("{url}: {error}"));
    assert_eq!(second.host(), Some(url.host.as_str()));
    assert_eq!(second.port_u16().unwrap_or(if url.tls { 443 } else { 80 }), url.port);
    assert_eq!(second.scheme_str(), Some(if url.tls { "https" } else { "http" }));
    assert_eq!(second.path_and_query().map(|target| target.as_str()), Some(url.path_and_query().as_str()));
}

fn upload(custom: Vec<(String, String)>, variant: usize) -> CallbackVariables {
    let image = ImageInfo { height: 539, width: u64::MAX, format: "jpg".to_owned() };
    CallbackVariables {
        bucket: "demo".to_owned(),
        object: "user-dir/照片 \"1\"\\\u{1}.jpg".to_owned(),
        etag: "97E1A27874032FC4B29F007C90DFA372".to_owned(),
        size: u64::MAX,
        mime_type: "image/jpeg; a=\"b\"".to_owned(),
        image: (variant.is_multiple_of(2)).then_some(image),
        crc64: u64::MAX,
        content_md5: (variant.is_multiple_of(3)).then(|| "l+GieHQDL8SynwB8kN+jcg==".to_owned()),
        vpc_id: None,
        client_ip: "192.168.1.5".to_owned(),
        req_id: "5C3D9175B6FC201293AD4890".to_owned(),
        operation: "PostObject".to_owned(),
        custom,
    }
}

fn template(lines: &[&str]) {
    let Some((text, custom)) = lines.split_first() else { return };
    let text = text.replace('\u{2028}', "\n");
    let Ok(template) = Template::parse(&text) else {
        assert!(text.is_empty() || text.contains("$("));
        return;
    };
    let custom: Vec<(String, String)> = custom
        .iter()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let upload = upload(custom, text.len());
    for kind in [BodyType::Form, BodyType::Json] {
        let body = template.expand(&upload, kind);
        assert_eq!(body, second_expansion(&text, &upload, kind), "{text:?}");
        let bytes_max = template.expanded_bytes_max(&upload, kind);
        assert!(body.len() <= bytes_max, "{} of at most {bytes_max}", body.len());
    }
    json_stays_json(&text, &upload);
}

/// Variables replaced from left to right.
fn second_expansion(text: &str, upload: &CallbackVariables, kind: BodyType) -> String {
    let mut body = String::new();
    let mut own = String::new();
    let mut rest = text;
    loop {
        let found = rest.find("${").and_then(|at| rest[at..].find('}').map(|length| (at, at + length)));
        let Some((begin, end)) = found else {
            body.push_str(rest);
            return body;
        };
        body.push_str(&rest[..begin]);
        own.push_str(&rest[..begin]);
        body.push_str(&inserted(&rest[begin + 2..end], upload, kind, inside_quotes(&own)));
        // A backslash in front of a variable escapes nothing behind it.
        own.push_str(if own.ends_with('\\') { "_" } else { "" });
        rest = &rest[end + 1..];
    }
}

/// Whether the text so far ends between the quotes of a JSON string.
fn inside_quotes(text: &str) -> bool {
    let (mut inside, mut skip) = (false, false);
    for letter in text.chars() {
        if skip {
            skip = false;
        } else if letter == '"' {
            inside = !inside;
        } else if letter == '\\' && inside {
            skip = true;
        }
    }
    inside
}

fn inserted(name: &str, upload: &CallbackVariables, kind: BodyType, quoted: bool) -> String {
    let image = upload.image.as_ref();
    let value = match name {
        "bucket" => Value::from(upload.bucket.as_str()),
        "object" => Value::from(upload.object.as_str()),
        "etag" => Value::from(upload.etag.as_str()),
        "size" => Value::from(upload.size),
        "mimeType" => Value::from(upload.mime_type.as_str()),
        "imageInfo.height" => image.map_or(Value::Null, |image| Value::from(image.height)),
        "imageInfo.width" => image.map_or(Value::Null, |image| Value::from(image.width)),
        "imageInfo.format" => image.map_or(Value::Null, |image| Value::from(image.format.as_str())),
        "crc64" => Value::from(upload.crc64),
        "contentMd5" => upload.content_md5.as_deref().map_or(Value::Null, Value::from),
        "vpcId" => Value::Null,
        "clientIp" => Value::from(upload.client_ip.as_str()),
        "reqId" => Value::from(upload.req_id.as_str()),
        "operation" => Value::from(upload.operation.as_str()),
        name if name.starts_with("x:") => {
            let value = upload.custom.iter().find(|(known, _)| known == name);
            value.map_or(Value::Null, |(_, value)| Value::from(value.as_str()))
        }
        _ => Value::Null,
    };
    match (kind, &value) {
        (BodyType::Json, Value::Null) if quoted => String::new(),
        // serde writes two control characters shorter; they are written out piece by piece here.
        (BodyType::Json, Value::String(text)) => {
            let pieces = text.split_inclusive(['\u{8}', '\u{c}']).map(|piece| {
                let written = Value::from(piece.trim_end_matches(['\u{8}', '\u{c}'])).to_string();
                let tail = match piece.chars().next_back() {
                    Some('\u{8}') => "\\u0008",
                    Some('\u{c}') => "\\u000c",
                    _ => "",
                };
                format!("{}{tail}", &written[1..written.len() - 1])
            });
            format!("\"{}\"", pieces.collect::<String>())
        }
        (BodyType::Json, value) => value.to_string(),
        (BodyType::Form, Value::Null) => String::new(),
        (BodyType::Form, Value::String(text)) => text
            .bytes()
            .map(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    char::from(byte).to_string()
                }
                byte => format!("%{byte:02X}"),
            })
            .collect(),
        (BodyType::Form, number) => number.to_string(),
    }
}

/// A template that is JSON with `null` for each bare variable is JSON with the values too.
fn json_stays_json(text: &str, upload: &CallbackVariables) {
    let mut blank = String::new();
    let mut rest = text;
    while let Some((before, name, after)) = rest
        .split_once("${")
        .and_then(|(before, rest)| rest.split_once('}').map(|(name, after)| (before, name, after)))
    {
        blank.push_str(before);
        if name.is_empty() || inside_quotes(&blank) {
            return;
        }
        blank.push_str("null");
        rest = after;
    }
    blank.push_str(rest);
    if serde_json::from_str::<Value>(&blank).is_ok() {
        let body = Template::parse(text).unwrap().expand(upload, BodyType::Json);
        // A variable may stand where only a string may, as a member's name: then `null` was none either.
        assert!(serde_json::from_str::<Value>(&body).is_ok(), "{text:?} became {body:?}");
    }
}

fn signed_text(input: &mut Input<'_>) {
    let (Some(path), Some(query)) = (input.line(), input.line()) else { return };
    let body = input.until(0);
    let authorization = input.line().unwrap_or_default();
    let query = (!query.is_empty()).then_some(query);
    let mut expected = countersign_protocol::url_encoding::decode(path);
    expected.extend(query.map(|query| format!("?{query}")).unwrap_or_default().bytes());
    expected.push(b'\n');
    expected.extend_from_slice(body);
    assert_eq!(string_to_sign(path, query, body), expected);
    let key = PublicKey::from_pem(ALIBABA_PRODUCTION_KEY_PEM).expect("the bundled key");
    let target = query.map_or(path.to_owned(), |query| format!("{path}?{query}"));
    // Captured requests verify; any other body does not.
    if verify(&key, authorization, &target, body).is_ok() {
        let other = [body, b"x"].concat();
        assert!(verify(&key, authorization, &target, &other).is_err());
        assert!(verify(&key, authorization, &format!("/x{target}"), body).is_err());
    }
}

fn answer(input: &mut Input<'_>) {
    let length = input.until(b'\n');
    let kind = input.line();
    let body = input.until(0);
    if let Ok(bytes) = judge_head(200, Some(length)) {
        assert!((1..=ANSWER_BYTES_MAX).contains(&bytes));
        assert_eq!(std::str::from_utf8(length).unwrap().trim().parse(), Ok(bytes));
    }
    assert!(judge_head(200, None).is_err() && judge_head(201, Some(length)).is_err());
    let json = serde_json::from_slice::<Value>(body).is_ok() && std::str::from_utf8(body).is_ok();
    let xml = kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("application/xml"));
    match judge_body(kind, body) {
        Ok(()) => assert!(json || deep(body) || xml, "{body:?}"),
        Err(_) => assert!(!json, "{body:?}"),
    }
}

/// JSON that `IgnoredAny` passes over and a value cannot hold: nested beyond serde's depth, or numbers beyond it.
fn deep(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}
