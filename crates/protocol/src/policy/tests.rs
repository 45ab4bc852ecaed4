//! Policies: evaluation, refusals, and what the builder writes.

use proptest::prelude::*;

use super::*;
use crate::WireError;
use crate::form::{FilePart, FormFields};

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn policy(conditions: &str) -> Result<Policy, PolicyError> {
    Policy::parse_json(&format!(
        "{{\"expiration\":\"2030-01-01T00:00:00.000Z\",\"conditions\":[{conditions}]}}"
    ))
}

fn failed(conditions: &str, fields: &[(&str, &str)], content_type: Option<&str>) -> Vec<String> {
    let file = FilePart { filename: None, content_type: content_type.map(str::to_owned) };
    let fields = FormFields::from_parts(fields.iter().copied(), file).unwrap();
    let facts = PolicyFacts::as_sent("post-test", &fields);
    match policy(conditions).unwrap().evaluate(&facts, moment("2029-12-31T23:59:59Z")) {
        Ok(_) => Vec::new(),
        Err(PolicyRefusal::ConditionsFailed(failed)) => {
            failed.into_iter().map(|failed| failed.condition).collect()
        }
        Err(PolicyRefusal::Expired) => panic!("not expired yet"),
    }
}

#[test]
fn every_operator_holds_and_fails() {
    let none = Vec::<String>::new();
    let form = [("key", "user-dir/a.jpg"), ("x-oss-meta-tag", "t")];
    for (condition, met) in [
        (r#"{"key":"user-dir/a.jpg"}"#, true),
        (r#"{"key":"user-dir/A.jpg"}"#, false),
        (r#"["eq","$key","user-dir/a.jpg"]"#, true),
        (r#"["eq","KEY","user-dir/a.jpg"]"#, true),
        (r#"["eq","$key","user-dir"]"#, false),
        (r#"["starts-with","$key","user-dir\/"]"#, true),
        (r#"["starts-with","\$key","user-dir/"]"#, true),
        (r#"["starts-with","$key","user-dir/b"]"#, false),
        (r#"["starts-with","$key",""]"#, true),
        (r#"["in","$x-oss-meta-tag",["s","t"]]"#, true),
        (r#"["in","$x-oss-meta-tag",["s"]]"#, false),
        (r#"["in","$x-oss-meta-tag",[]]"#, false),
        (r#"["not-in","$x-oss-meta-tag",["s"]]"#, true),
        (r#"["not-in","$x-oss-meta-tag",["s","t"]]"#, false),
        (r#"{"bucket":"post-test"}"#, true),
        (r#"{"bucket":"other"}"#, false),
    ] {
        assert_eq!(failed(condition, &form, None) == none, met, "{condition}");
    }
}

#[test]
fn a_field_that_the_form_lacks_meets_only_not_in() {
    for condition in [r#"{"a":""}"#, r#"["starts-with","$a",""]"#, r#"["in","$a",[""]]"#] {
        assert_eq!(failed(condition, &[], None).len(), 1, "{condition}");
        assert_eq!(failed(condition, &[("A", "")], None).len(), 0, "{condition}");
    }
    assert_eq!(failed(r#"["not-in","$a",["x"]]"#, &[], None).len(), 0);
    assert_eq!(failed(r#"["starts-with","$content-type",""]"#, &[], None).len(), 0);
    assert_eq!(failed(r#"["starts-with","$content-type","image/"]"#, &[], None).len(), 1);
}

#[test]
fn an_absent_field_counts_as_what_its_absence_stores() {
    for (condition, absent, words) in [
        (
            r#"["in","$x-oss-object-acl",["default","private"]]"#,
            0,
            [("private", 0), ("", 0), ("public-read", 1)],
        ),
        (r#"["not-in","$x-oss-object-acl",["default"]]"#, 1, [("private", 0), ("", 1), ("public-read", 0)]),
        (r#"["eq","$x-oss-storage-class","Standard"]"#, 0, [("Standard", 0), ("", 0), ("IA", 1)]),
        (r#"["eq","$x-oss-forbid-overwrite","false"]"#, 0, [("false", 0), ("", 0), ("true", 1)]),
        (r#"["eq","$x-oss-forbid-overwrite","true"]"#, 1, [("false", 1), ("", 1), ("true", 0)]),
        (r#"["eq","$callback",""]"#, 0, [(" \n", 0), ("", 0), ("e30=", 1)]),
        (r#"["eq","$callback","e30="]"#, 1, [("e30=\n", 0), ("", 1), ("e30=", 0)]),
        (r#"["eq","$callback-var",""]"#, 0, [(" ", 0), ("", 0), ("e30=", 1)]),
        (r#"["eq","$x:uid",""]"#, 0, [("", 0), (" ", 1), ("42", 1)]),
        (r#"["eq","$x:uid","42"]"#, 1, [("", 1), ("42 ", 1), ("42", 0)]),
        (r#"["not-in","$cache-control",["no-cache"]]"#, 0, [("", 0), ("no-cache", 1), ("no-store", 0)]),
        (r#"["starts-with","$cache-control",""]"#, 1, [("", 1), ("no-cache", 0), ("no-store", 0)]),
    ] {
        let field = condition.split(['$', '"']).nth(4).unwrap();
        assert_eq!(failed(condition, &[], None).len(), absent, "{condition} without the field");
        for (word, failures) in words {
            assert_eq!(failed(condition, &[(field, word)], None).len(), failures, "{condition}: {word:?}");
        }
    }
}

#[test]
fn the_year_9999_means_never() {
    for date in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999Z", "9999-12-30T22:00:01Z"] {
        let json = format!("{{\"expiration\":\"{date}\",\"conditions\":[{{\"a\":\"b\"}}]}}");
        assert_eq!(Policy::parse_json(&json).unwrap().expiration(), Timestamp::MAX, "{date}");
    }
    let json = r#"{"expiration":"9999-12-32T00:00:00Z","conditions":[{"a":"b"}]}"#;
    assert_eq!(Policy::parse_json(json), Err(PolicyError::ExpirationNotADate));
}

#[test]
fn the_content_type_is_the_effective_one_and_the_key_the_literal_one() {
    let images = r#"["in","$content-type",["image\/jpg"]]"#;
    assert_eq!(failed(images, &[("Content-Type", "text/html")], Some("image/jpg")).len(), 0);
    assert_eq!(failed(images, &[("Content-Type", "image/jpg")], Some("text/html")).len(), 1);
    assert_eq!(failed(images, &[("x-oss-content-type", "text/html")], Some("image/jpg")).len(), 1);
    let pages = r#"["not-in","$x-oss-content-type",["text\/html"]]"#;
    assert_eq!(
        failed(pages, &[], Some("text/html")).len(),
        1,
        "by either name it is the type that is stored"
    );
    assert_eq!(failed(r#"["eq","$key","u/${filename}"]"#, &[("key", "u/${filename}")], None).len(), 0);
}

#[test]
fn says_what_to_do_when_the_form_lacks_the_pinned_callback_or_has_one_too_many() {
    let list = |conditions: &str, fields: &[(&str, &str)]| {
        let fields = FormFields::from_parts(fields.iter().copied(), FilePart::default()).unwrap();
        let facts = PolicyFacts::as_sent("post-test", &fields);
        let refusal =
            policy(conditions).unwrap().evaluate(&facts, moment("2029-12-31T23:59:59Z")).unwrap_err();
        WireError::from(refusal).element("FailedConditions").unwrap().to_owned()
    };
    let lacking = list(r#"["eq","$callback","e30="]"#, &[("key", "k")]);
    assert!(
        lacking.contains("the form has no field callback") && lacking.contains("callback=0"),
        "{lacking}"
    );
    let other = list(r#"["eq","$callback","e30="]"#, &[("key", "k"), ("callback", "e31=")]);
    assert!(other.ends_with(r#"got "e31=""#), "{other}");
    let too_many = list(r#"["eq","$callback",""]"#, &[("key", "k"), ("callback", "e30=")]);
    assert!(too_many.ends_with("leave the field out"), "{too_many}");
}

#[test]
fn names_all_failing_conditions_and_prints_the_first_as_oss_does() {
    let conditions =
        r#"["eq","success_action_status","200"],{"key":"a\"b"},["in","$x",["p","q"]],{"bucket":"post-test"}"#;
    let expected = [
        r#"["eq", "$success_action_status", "200"]"#,
        r#"["eq", "$key", "a\"b"]"#,
        r#"["in", "$x", ["p", "q"]]"#,
    ];
    assert_eq!(failed(conditions, &[("key", "k")], None), expected);
    let fields = FormFields::from_parts([("key", "k")], FilePart::default()).unwrap();
    let facts = PolicyFacts::as_sent("post-test", &fields);
    let refusal = policy(conditions).unwrap().evaluate(&facts, moment("2029-12-31T23:59:59Z")).unwrap_err();
    let error = WireError::from(refusal);
    assert_eq!(
        error.message(),
        r#"Invalid according to Policy: Policy Condition failed: ["eq", "$success_action_status", "200"]"#
    );
    assert_eq!((error.status(), error.ec()), (403, Some("0006-00000227")));
    let list = error.element("FailedConditions").unwrap();
    assert!(list.contains(r#"["eq", "$key", "a\"b"]: got "k""#), "{list}");
    assert!(list.contains(r#"["in", "$x", ["p", "q"]]: the form has no such field"#), "{list}");
}

#[test]
fn expires_at_its_very_moment() {
    let fields = FormFields::default();
    let facts = PolicyFacts::as_sent("post-test", &fields);
    let policy = policy(r#"["content-length-range",1,9]"#).unwrap();
    let sizes = policy.evaluate(&facts, moment("2029-12-31T23:59:59.999Z")).unwrap();
    assert_eq!(sizes, SizeRange { bytes_min: 1, bytes_max: 9 });
    let refusal = policy.evaluate(&facts, moment("2030-01-01T00:00:00Z")).unwrap_err();
    let error = WireError::from(refusal);
    assert_eq!(error.message(), "Invalid according to Policy: Policy expired.");
    assert_eq!(error.ec(), Some("0006-00000213"));
}

#[test]
fn several_ranges_all_hold_and_none_means_five_gigabytes() {
    let fields = FormFields::default();
    let facts = PolicyFacts::as_sent("b", &fields);
    let sizes = |conditions: &str| {
        policy(conditions).unwrap().evaluate(&facts, moment("2020-01-01T00:00:00Z")).unwrap()
    };
    assert_eq!(
        sizes(r#"["content-length-range",0,10],["content-length-range",5,20]"#),
        SizeRange { bytes_min: 5, bytes_max: 10 }
    );
    assert_eq!(sizes(r#"{"bucket":"b"}"#), SizeRange::ANY);
}

#[test]
fn refuses_each_malformed_condition_by_its_own_name() {
    let operator = |name: &str| PolicyError::OperatorUnknown { operator: name.to_owned() };
    for (condition, error) in [
        (r#""x""#, PolicyError::ConditionShape),
        ("1", PolicyError::ConditionShape),
        ("{}", PolicyError::SimpleConditionMembers),
        (r#"{"a":"1","b":"2"}"#, PolicyError::SimpleConditionMembers),
        (r#"{"a":1}"#, PolicyError::OperandType),
        (r#"{"$":"1"}"#, PolicyError::OperandType),
        ("[]", PolicyError::OperatorMissing),
        (r#"["$key"]"#, PolicyError::OperatorMissing),
        (r#"[["eq"],"$key","a"]"#, PolicyError::OperatorMissing),
        (r#"["ends-with","$key","a"]"#, operator("ends-with")),
        (r#"["EQ","$key","a"]"#, operator("EQ")),
        (r#"["eq","$key"]"#, PolicyError::ItemMissing),
        (r#"["starts-with","$key","a","b"]"#, PolicyError::ItemSurplus),
        (r#"["content-length-range",1,2,3]"#, PolicyError::ItemSurplus),
        (r#"["eq",1,"a"]"#, PolicyError::OperandType),
        (r#"["eq","$key",1]"#, PolicyError::OperandType),
        (r#"["in","$key","a"]"#, PolicyError::OperandType),
        (r#"["not-in","$key",["a",1]]"#, PolicyError::OperandType),
        (r#"["content-length-range",2,1]"#, PolicyError::RangeReversed),
        (r#"["content-length-range","1",2]"#, PolicyError::RangeMinimum),
        (r#"["content-length-range",-1,2]"#, PolicyError::RangeMinimum),
        (r#"["content-length-range",1,2.5]"#, PolicyError::RangeMaximum),
        (r#"["content-length-range",1,18446744073709551616]"#, PolicyError::RangeMaximum),
    ] {
        assert_eq!(policy(condition), Err(error), "{condition}");
    }
    let many = vec![r#"{"a":"b"}"#; 1_001].join(",");
    assert_eq!(policy(&many), Err(PolicyError::TooManyConditions { max: 1_000 }));
}

#[test]
fn refuses_each_malformed_document_by_its_own_name() {
    for (json, error) in [
        ("[]", PolicyError::NotAnObject),
        ("{}", PolicyError::BothMissing),
        (r#"{"conditions":[]}"#, PolicyError::ExpirationMissing),
        (r#"{"expiration":"2030-01-01T00:00:00Z"}"#, PolicyError::ConditionsMissing),
        (r#"{"expiration":1,"conditions":[{"a":"b"}]}"#, PolicyError::ExpirationNotText),
        (r#"{"expiration":"","conditions":[{"a":"b"}]}"#, PolicyError::ExpirationEmpty),
        (r#"{"expiration":"2030-01-01T00:00:00Z","conditions":{}}"#, PolicyError::ConditionsNotArray),
        (r#"{"expiration":"2030-01-01T00:00:00Z","conditions":[]}"#, PolicyError::ConditionsEmpty),
    ] {
        assert_eq!(Policy::parse_json(json), Err(error), "{json}");
    }
    for date in [
        "2030-01-01",
        "2030-13-01T00:00:00Z",
        "2030-01-01T00:00:00+08:00",
        "2030-01-01 00:00:00Z",
        "2030-01-01T00:00:00.Z",
        "+002030-01-01T00:00:00Z",
    ] {
        let json = format!("{{\"expiration\":\"{date}\",\"conditions\":[{{\"a\":\"b\"}}]}}");
        assert_eq!(Policy::parse_json(&json), Err(PolicyError::ExpirationNotADate), "{date}");
    }
    assert_eq!(Policy::parse(" \n"), Err(PolicyError::Blank));
    assert_eq!(Policy::parse("{}"), Err(PolicyError::NotBase64));
    assert!(matches!(Policy::parse("/w=="), Err(PolicyError::NotJson { .. })));
    let twice = r#"{"expiration":"2030-01-01T00:00:00Z","conditions":[{"a":"b"}],"conditions":[{"a":"c"}]}"#;
    assert!(matches!(Policy::parse_json(twice), Err(PolicyError::NamedTwice { .. })));
    let error = WireError::from(Policy::parse_json("e").unwrap_err());
    assert_eq!(error.message(), "Invalid Policy: Invalid JSON: unknown char e");
}

#[test]
fn a_hostile_policy_stays_bounded_in_what_it_makes_the_answer_say() {
    let long = "x".repeat(1 << 20);
    let conditions = format!("{{\"key\":\"{long}y\"}}");
    let fields = FormFields::from_parts([("key", long)], FilePart::default()).unwrap();
    let facts = PolicyFacts::as_sent("b", &fields);
    let refusal = policy(&conditions).unwrap().evaluate(&facts, moment("2020-01-01T00:00:00Z")).unwrap_err();
    let error = WireError::from(refusal);
    assert!(error.message().len() < 2_000 && error.element("FailedConditions").unwrap().len() < 8_000);
}

#[test]
fn the_builder_writes_what_the_samples_sign() {
    let document = PolicyDocument::new(moment("2030-01-01T00:00:00Z"))
        .bucket("examplebucket")
        .content_length_range(0, 1_048_576_000)
        .starts_with("key", "user-dir/")
        .is_in("content-type", &["image/jpg"])
        .not_in("cache-control", &["no-cache"])
        .eq("success_action_status", "200");
    assert_eq!(
        document.to_json(),
        r#"{"expiration":"2030-01-01T00:00:00.000Z","conditions":[{"bucket":"examplebucket"},["content-length-range",0,1048576000],["starts-with","$key","user-dir/"],["in","$content-type",["image/jpg"]],["not-in","$cache-control",["no-cache"]],["eq","$success_action_status","200"]]}"#
    );
}

proptest! {
    #[test]
    fn reads_back_whatever_the_builder_writes(field in "[a-z-]{1,12}", value in ".{0,40}", low in 0u64..1_000, more in 0u64..1_000) {
        let document = PolicyDocument::new(moment("2030-01-01T00:00:00Z"))
            .eq(&field, &value)
            .field(&field, &value)
            .starts_with(&field, &value)
            .is_in(&field, &[&value])
            .content_length_range(low, low + more);
        let policy = Policy::parse(&document.to_base64()).unwrap();
        prop_assert!(policy.pins(&field, &value) && policy.names(&field));
        let fields = FormFields::from_parts([(field.as_str(), value.as_str())], FilePart::default()).unwrap();
        let facts = PolicyFacts::as_sent(value.as_str(), &fields);
        if !["content-type", "callback", "callback-var", "expires"].contains(&field.as_str()) {
            let sizes = policy.evaluate(&facts, moment("2020-01-01T00:00:00Z")).unwrap();
            prop_assert_eq!(sizes, SizeRange { bytes_min: low, bytes_max: low + more });
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[\\[\\]{}\":,$\\\\ua-f0-9 \\-]{0,60}") {
        let _ = Policy::parse_json(&text);
        let _ = Policy::parse(&text);
    }
}
