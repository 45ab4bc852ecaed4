//! XML request bodies: what is written reads back, what is accepted keeps to its bounds, and where a document
//! is plain enough for a reader of a few lines, that reader finds the same keys.

use countersign_protocol::WireError;
use countersign_protocol::xml::{
    CorsConfiguration, CorsRule, CreateBucketConfiguration, DeleteObjects, DeleteResult, Deleted,
    LifecycleConfiguration, NameEncoding, XmlError,
};

use crate::input::Input;

pub(crate) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    match input.byte() {
        b'D' => deletes(input.rest()),
        b'C' => cors(input.rest()),
        b'L' => lifecycle(input.rest()),
        b'B' => create_bucket(input.rest()),
        b'K' => written_keys_read_back(&input.lines()),
        b'R' => written_rule_reads_back(&input.lines()),
        // One body for all, so that a document finds every reader.
        _ => {
            let body = input.rest();
            deletes(body);
            cors(body);
            lifecycle(body);
            create_bucket(body);
        }
    }
}

fn accepted<T>(read: Result<T, XmlError>) -> Option<T> {
    let error = match read {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    let xml = WireError::from(error).to_xml("request", "host", "http://host");
    assert!(xml.len() <= 32 * 1_024, "an answer of {} bytes", xml.len());
    None
}

fn deletes(body: &[u8]) {
    let Some(request) = accepted(DeleteObjects::parse(body)) else { return };
    assert!((1..=1_000).contains(&request.objects.len()));
    assert!(request.objects.iter().all(|object| !object.key.is_empty()));
    if let Some(keys) = plain_keys(body) {
        assert!(request.objects.iter().map(|object| object.key.as_str()).eq(keys.iter().map(String::as_str)));
    }
    let keys: Vec<String> = request.objects.into_iter().map(|object| object.key).collect();
    result_names_every_key(&keys);
}

/// The keys of a document without prolog, comments, references and attributes, by cutting at its brackets.
fn plain_keys(body: &[u8]) -> Option<Vec<String>> {
    let text = std::str::from_utf8(body).ok()?;
    if text.contains(['&', '"', '\'', '\r', '!', '?', '=']) {
        return None;
    }
    let mut keys = Vec::new();
    let mut inside: Vec<&str> = Vec::new();
    let mut pieces = text.split('<');
    pieces.next();
    for piece in pieces {
        let (tag, content) = piece.split_once('>')?;
        // Prefixes and blanks in tags are left to the real reader.
        if tag.contains([':', ' ', '\t', '\n']) {
            return None;
        }
        if tag.starts_with('/') {
            inside.pop();
        } else if tag.ends_with('/') {
            assert!(inside != ["Delete", "Object", "Key"], "an element in a key was passed over");
        } else {
            inside.push(tag);
            if inside == ["Delete", "Object", "Key"] {
                keys.push(String::new());
            }
        }
        if inside == ["Delete", "Object", "Key"] {
            keys.last_mut()?.push_str(content);
        }
    }
    Some(keys)
}

/// What the result writes, url-encoded, is every key once.
fn result_names_every_key(keys: &[String]) {
    let deleted = keys.iter().map(|key| Deleted { key: key.clone(), version_id: None }).collect();
    let xml = DeleteResult { encoding: NameEncoding::Url, deleted }.to_xml();
    let mut rest = xml.as_str();
    for key in keys {
        let (_, behind) = rest.split_once("<Key>").expect("one element for each key");
        let (written, behind) = behind.split_once("</Key>").expect("an end");
        assert_eq!(countersign_protocol::url_encoding::decode(written), key.as_bytes());
        rest = behind;
    }
    assert!(!rest.contains("<Key>"));
}

/// Whether XML 1.0 can write the text at all, and hands it back as it is.
fn writable(text: &str) -> bool {
    !text
        .chars()
        .any(|letter| matches!(letter, '\u{0}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}'))
}

fn written_keys_read_back(keys: &[&str]) {
    let keys: Vec<&str> = keys.iter().copied().filter(|key| !key.is_empty() && writable(key)).collect();
    if keys.is_empty() {
        return;
    }
    let mut body = String::from("<Delete><Quiet>true</Quiet>");
    for (at, key) in keys.iter().enumerate() {
        let written = match at % 3 {
            0 => key.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
            1 => key.chars().map(|letter| format!("&#{};", u32::from(letter))).collect(),
            _ => format!("<![CDATA[{}]]>", key.replace("]]>", "]]]]><![CDATA[>")),
        };
        body.push_str(&format!("<Object><Key>{written}</Key></Object>"));
    }
    body.push_str("</Delete>");
    let request = DeleteObjects::parse(body.as_bytes()).expect("a written document");
    assert!(request.quiet && request.objects.iter().map(|object| object.key.as_str()).eq(keys));
}

fn cors(body: &[u8]) {
    let Some(rules) = accepted(CorsConfiguration::parse(body)) else { return };
    assert!((1..=10).contains(&rules.rules.len()));
    for rule in &rules.rules {
        assert!(!rule.allowed_origins.is_empty() && !rule.allowed_methods.is_empty());
        let texts = rule.allowed_origins.iter().chain(&rule.allowed_headers).chain(&rule.expose_headers);
        for text in texts {
            assert!(http::HeaderValue::from_str(text).is_ok() && text.matches('*').count() <= 1, "{text:?}");
        }
    }
    assert_eq!(CorsConfiguration::parse(rules.to_xml().as_bytes()), Ok(rules));
}

/// A rule made of any printable texts survives being written and read.
fn written_rule_reads_back(lines: &[&str]) {
    let usable = |text: &&&str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains('*')
    };
    let texts: Vec<String> = lines.iter().filter(usable).map(|text| (*text).to_owned()).collect();
    if texts.is_empty() || texts.len() > 100 {
        return;
    }
    let rule = CorsRule {
        allowed_origins: texts.clone(),
        allowed_methods: vec!["PUT".to_owned()],
        allowed_headers: texts.clone(),
        expose_headers: texts,
        max_age_seconds: Some(u32::MAX),
    };
    let rules = CorsConfiguration { rules: vec![rule], response_vary: true };
    let xml = rules.to_xml();
    if xml.len() <= 16 * 1_024 {
        assert_eq!(CorsConfiguration::parse(xml.as_bytes()), Ok(rules));
    }
}

fn lifecycle(body: &[u8]) {
    let Some(mut rules) = accepted(LifecycleConfiguration::parse(body)) else { return };
    let mut number = 0;
    rules.name_rules(|| {
        number += 1;
        format!("\u{4e00}{number}")
    });
    let xml = rules.to_xml();
    let mut again = LifecycleConfiguration::parse(xml.as_bytes()).expect("what is written reads back");
    // A fraction of a second is not written.
    assert_eq!(again.rules.len(), rules.rules.len());
    let once = again.to_xml();
    again = LifecycleConfiguration::parse(once.as_bytes()).expect("and once more");
    assert_eq!(again.to_xml(), once);
    for (written, read) in rules.rules.iter().zip(&again.rules) {
        assert_eq!((&written.id, written.enabled), (&read.id, read.enabled));
        assert_eq!(written.prefix, read.prefix);
    }
}

fn create_bucket(body: &[u8]) {
    let Some(wanted) = accepted(CreateBucketConfiguration::parse(body)) else { return };
    assert!(wanted.storage_class.is_none_or(|class| class.bytes().all(|byte| byte.is_ascii_alphabetic())));
    assert!(wanted.data_redundancy_type.is_none_or(|kind| kind.len() == 3));
}
