//! Policies: whatever the reader accepts is JSON to a second reader too and means the same there; a form is
//! admitted exactly when a second, plainer evaluation admits it; what the builder writes admits its own form
//! and no other; answers stay short.
//!
//! An input is a policy's JSON, a nought, the bucket, and one line `name=value` per field, where the names
//! `file:name` and `file:type` stand for the file's part.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use countersign_protocol::WireError;
use countersign_protocol::form::{FilePart, FormFields, effective_content_type};
use countersign_protocol::policy::{Policy, PolicyDocument, PolicyFacts, PolicyRefusal, SizeRange};
use jiff::Timestamp;
use serde_json::Value;

use crate::input::Input;

pub(crate) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let Ok(json) = std::str::from_utf8(input.until(0)) else {
        assert!(Policy::parse(&STANDARD.encode(bytes)).is_err());
        return;
    };
    let bucket = input.line().unwrap_or_default();
    let Some(fields) = read_fields(&input.lines()) else { return };
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let policy = Policy::parse_json(json);
    reads_the_same_through_base64(json, &policy);
    let facts = PolicyFacts::as_sent(bucket, &fields);
    if let Ok(policy) = &policy {
        let plain = with_plain_dollars(json);
        let second: Value = serde_json::from_str(&plain).expect("JSON to a second reader");
        let evaluated = policy.evaluate(&facts, now);
        match (second_opinion(&second, &facts, now), evaluated) {
            (Opinion::Expired, Err(PolicyRefusal::Expired)) => {}
            (Opinion::Denied(count), Err(PolicyRefusal::ConditionsFailed(failed))) => {
                assert_eq!(count, failed.len());
                answer_is_short(WireError::from(PolicyRefusal::ConditionsFailed(failed)));
            }
            (Opinion::Admitted(sizes), Ok(given)) => assert_eq!(sizes, given),
            (second, first) => panic!("{first:?}, but a second opinion is {second:?}"),
        }
        assert!(policy.pins_only_what_it_names(&fields));
    }
    if let Err(error) = policy {
        answer_is_short(WireError::from(error));
    }
    built_policy_admits_its_own_form_only(bucket, &fields, now);
}

/// A property of a policy that the target checks for every field.
trait Consistent {
    fn pins_only_what_it_names(&self, fields: &FormFields) -> bool;
}

impl Consistent for Policy {
    fn pins_only_what_it_names(&self, fields: &FormFields) -> bool {
        fields.iter().all(|(name, value)| !self.pins(name, value) || self.names(name))
    }
}

fn read_fields(lines: &[&str]) -> Option<FormFields> {
    let mut file = FilePart::default();
    let mut fields = Vec::new();
    for line in lines {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        match name {
            "file:name" => file.filename = Some(value.to_owned()),
            "file:type" => file.content_type = Some(value.to_owned()),
            _ => fields.push((name, value)),
        }
    }
    FormFields::from_parts(fields, file).ok()
}

fn reads_the_same_through_base64(
    json: &str,
    expected: &Result<Policy, countersign_protocol::policy::PolicyError>,
) {
    if json.is_empty() {
        return;
    }
    let padded = STANDARD.encode(json);
    assert_eq!(&Policy::parse(&padded), expected);
    assert_eq!(&Policy::parse(&STANDARD_NO_PAD.encode(json)), expected);
    let (front, back) = padded.split_at(padded.len() / 2);
    assert_eq!(&Policy::parse(&format!(" {front}\r\n{back}\n")), expected);
    // As a text of base64 in its own right: any outcome, but no panic.
    let _ = Policy::parse(json);
}

/// OSS's own escape `\$` written as JSON has it.
fn with_plain_dollars(json: &str) -> String {
    let mut plain = String::new();
    let mut letters = json.chars().peekable();
    let mut inside = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if inside => {
                let escaped = letters.next().unwrap_or_default();
                if escaped != '$' {
                    plain.push('\\');
                }
                plain.push(escaped);
            }
            '"' => {
                inside = !inside;
                plain.push(letter);
            }
            _ => plain.push(letter),
        }
    }
    plain
}

#[derive(Debug)]
enum Opinion {
    Expired,
    Denied(usize),
    Admitted(SizeRange),
}

/// The same question answered from serde's reading of the JSON.
fn second_opinion(policy: &Value, facts: &PolicyFacts<'_>, now: Timestamp) -> Opinion {
    let expiration: Timestamp = policy["expiration"].as_str().unwrap().parse().unwrap_or(Timestamp::MAX);
    if expiration <= now {
        return Opinion::Expired;
    }
    let (mut low, mut high) = (SizeRange::ANY.bytes_min, SizeRange::ANY.bytes_max);
    let mut failed = 0;
    for condition in policy["conditions"].as_array().expect("conditions") {
        if condition[0] == "content-length-range" {
            low = low.max(condition[1].as_u64().expect("a minimum"));
            high = high.min(condition[2].as_u64().expect("a maximum"));
        } else if !holds(condition, facts) {
            failed += 1;
        }
    }
    match failed {
        0 => Opinion::Admitted(SizeRange { bytes_min: low, bytes_max: high }),
        failed => Opinion::Denied(failed),
    }
}

fn holds(condition: &Value, facts: &PolicyFacts<'_>) -> bool {
    let listed = |wanted: &str| condition[2].as_array().expect("a list").iter().any(|item| item == wanted);
    if let Some(members) = condition.as_object() {
        let (name, value) = members.iter().next().expect("one member");
        return field(name, facts).is_some_and(|got| got == value.as_str().expect("a text"));
    }
    let name = condition[1].as_str().expect("a field's name");
    let got = field(name, facts);
    match condition[0].as_str().expect("an operator") {
        "eq" => got.is_some_and(|got| got == condition[2].as_str().expect("a text")),
        "starts-with" => {
            let prefix = condition[2].as_str().expect("a text");
            let types = ["content-type", "x-oss-content-type"];
            let unnamed_type =
                prefix.is_empty() && types.iter().any(|known| bare(name).eq_ignore_ascii_case(known));
            got.map_or(unnamed_type, |got| got.starts_with(prefix))
        }
        "in" => got.is_some_and(listed),
        "not-in" => !got.is_some_and(listed),
        other => panic!("the operator {other} was accepted"),
    }
}

fn bare(name: &str) -> &str {
    name.strip_prefix('$').unwrap_or(name)
}

fn field<'a>(name: &str, facts: &PolicyFacts<'a>) -> Option<&'a str> {
    let name = bare(name).to_lowercase();
    let plain = facts.fields.iter().find(|(known, _)| known.to_lowercase() == name);
    let plain = plain.map(|(_, value)| value);
    let filled = plain.filter(|value| !value.is_empty());
    match name.as_str() {
        "bucket" => Some(facts.bucket),
        "content-type" | "x-oss-content-type" => effective_content_type(facts.fields),
        "x-oss-object-acl" => filled.or(Some("default")),
        "x-oss-storage-class" => filled.or(Some("Standard")),
        "x-oss-forbid-overwrite" => Some(if plain == Some("true") { "true" } else { "false" }),
        "callback" | "callback-var" => Some(plain.unwrap_or("").trim()),
        "cache-control" | "content-disposition" | "content-encoding" | "expires" => filled,
        variable if variable.starts_with("x:") => plain.or(Some("")),
        _ => plain,
    }
}

/// Fields whose value in the form is not always the one that counts.
const INTERPRETED: [&str; 12] = [
    "bucket",
    "content-type",
    "x-oss-content-type",
    "x-oss-object-acl",
    "x-oss-storage-class",
    "x-oss-forbid-overwrite",
    "callback",
    "callback-var",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "expires",
];

/// What an answer repeats of hostile input is bounded.
fn answer_is_short(error: WireError) {
    let xml = error.to_xml("request", "host", "http://host");
    assert!(xml.len() <= 256 * 1_024, "{} bytes", xml.len());
    let message = error.message().len();
    assert!(message <= 8 * 1_024, "a message of {message} bytes");
}

fn built_policy_admits_its_own_form_only(bucket: &str, fields: &FormFields, now: Timestamp) {
    // What these come to is not what they say.
    let special = |name: &str| INTERPRETED.contains(&name.to_lowercase().as_str());
    let usable: Vec<(&str, &str)> = fields
        .iter()
        .filter(|(name, _)| !special(name) && !name.is_empty() && !name.starts_with('$'))
        .collect();
    let mut document = PolicyDocument::new("2027-01-01T00:00:00Z".parse().unwrap()).bucket(bucket);
    for (at, (name, value)) in usable.iter().enumerate() {
        document = match at % 4 {
            0 => document.eq(name, value),
            1 => document.field(name, value),
            2 => document.is_in(name, &[*value, "another"]),
            _ => document.starts_with(name, value),
        };
    }
    let policy = Policy::parse(&document.to_base64()).expect("what the builder writes");
    assert!(policy.evaluate(&PolicyFacts::as_sent(bucket, fields), now).is_ok(), "its own form");
    let elsewhere = PolicyFacts::as_sent("another-bucket", fields);
    assert_eq!(policy.evaluate(&elsewhere, now).is_ok(), bucket == "another-bucket");
    for (name, value) in &usable {
        let changed = fields.iter().map(|(known, own)| (known, if known == *name { "\u{1}" } else { own }));
        let Ok(changed) = FormFields::from_parts(changed, fields.file().clone()) else { continue };
        let admitted = policy.evaluate(&PolicyFacts::as_sent(bucket, &changed), now).is_ok();
        assert!(!admitted || "\u{1}".starts_with(value), "{name} was changed");
    }
}
