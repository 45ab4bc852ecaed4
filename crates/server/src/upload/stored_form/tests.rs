//! What is decided about a form is what is stored.

use bytes::Bytes;
use countersign_protocol::form::FilePart;
use countersign_protocol::policy::{Policy, PolicyDocument, PolicyFacts};
use countersign_store::{ContentRef, ObjectRecord, Place};
use http::HeaderMap;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::response::object_headers;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const TYPES: [&str; 7] =
    ["", "text/html", "text/html ", "image/png", "\timage/png", "TEXT/html", "image/\u{b}"];
const TEXTS: [&str; 6] = ["", "a", " a", "a ", "作者", "no-cache"];

/// A field of the form with the words that it is tried with.
const FIELDS: [(&str, &[&str]); 8] = [
    ("x-oss-object-acl", &["", "default", "private", "public-read", "\tpublic-read-write", "public-read "]),
    ("x-oss-storage-class", &["", "Standard", "standard", "IA", "ia", " IA"]),
    ("x-oss-content-type", &TYPES),
    ("Content-Type", &TYPES),
    ("Cache-Control", &TEXTS),
    ("Content-Disposition", &TEXTS),
    ("Expires", &TEXTS),
    ("x-oss-meta-a", &TEXTS),
];

/// The header in which a stored field comes back.
fn header_of(field: &str) -> &str {
    if field == "x-oss-content-type" { "content-type" } else { field }
}

#[derive(Debug, Clone)]
struct Demand {
    field: &'static str,
    operator: usize,
    word: &'static str,
}

impl Demand {
    fn write(&self, policy: PolicyDocument) -> PolicyDocument {
        let field = header_of(self.field);
        match self.operator {
            0 => policy.eq(field, self.word),
            1 => policy.starts_with(field, self.word),
            2 => policy.is_in(field, &[self.word, "default", "Standard", "application/octet-stream"]),
            _ => policy.not_in(field, &[self.word, "text/html"]),
        }
    }

    /// A second, plainer reading of the same condition.
    fn holds(&self, stored: Option<&str>) -> bool {
        match self.operator {
            0 => stored == Some(self.word),
            1 => stored.is_some_and(|stored| stored.starts_with(self.word)),
            2 => [self.word, "default", "Standard", "application/octet-stream"]
                .iter()
                .any(|word| stored == Some(word)),
            _ => stored != Some(self.word) && stored != Some("text/html"),
        }
    }
}

fn demand() -> impl Strategy<Value = Demand> {
    (select(&FIELDS[..]), 0..4usize)
        .prop_flat_map(|((field, words), operator)| (Just(field), Just(operator), select(words)))
        .prop_map(|(field, operator, word)| Demand { field, operator, word })
}

fn form() -> impl Strategy<Value = FormFields> {
    let word = |(field, words): (&'static str, &'static [&'static str])| {
        proptest::option::weighted(0.4, select(words)).prop_map(move |word| word.map(|word| (field, word)))
    };
    let key =
        select(&["a.png", "c.html", "plain", "x/${filename}", "a.jpg/"][..]).prop_map(|key| ("key", key));
    let part = (select(&[None, Some("c.html"), Some("C:\\a.png")][..]), select(&TYPES[..]));
    (key, FIELDS.map(word), part).prop_map(|(key, words, (filename, content_type))| {
        let filename = filename.map(str::to_owned);
        let file = FilePart { filename, content_type: Some(content_type.to_owned()) };
        FormFields::from_parts([Some(key)].into_iter().chain(words).flatten(), file).unwrap()
    })
}

/// What HEAD says of the object, and its own list, which GetObjectAcl says.
fn given_back(stored: &StoredForm) -> HeaderMap {
    let attributes = stored.attributes.encode();
    let content = ContentRef { id: 1, place: Place::Empty };
    let (key, modified) = (Bytes::from_static(b"k"), NOW);
    let object =
        ObjectRecord { key, sequence: 1, len: 0, md5: None, crc64: 0, modified, attributes, content };
    let attributes = ObjectAttributes::decode(&object.attributes);
    let mut headers = HeaderMap::new();
    object_headers::describe(&object, &attributes, &mut headers);
    headers.insert(ACL, http::HeaderValue::from_static(attributes.acl.as_str()));
    headers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_decision_on_the_form_is_the_decision_on_what_head_gives_back(
        fields in form(),
        header in select(&[None, Some("public-read"), Some("private")][..]),
        class in select(&["Standard", "IA"][..]),
        demand in demand(),
    ) {
        // What is refused is not stored.
        let Ok(stored) = StoredForm::read(header, &fields, class) else { return Ok(()) };
        let document = demand.write(PolicyDocument::new(Timestamp::MAX));
        let facts = PolicyFacts { bucket: "b", fields: &fields, stored: stored.values() };
        let decided = Policy::parse(&document.to_base64()).unwrap().evaluate(&facts, NOW).is_ok();
        let headers = given_back(&stored);
        let kept = headers.get(header_of(demand.field)).map(|value| std::str::from_utf8(value.as_bytes()).unwrap());
        prop_assert_eq!(decided, demand.holds(kept), "{:?} holds {:?}", demand, kept);
    }
}

fn read(fields: &[(&str, &str)], file: FilePart) -> Result<StoredForm, WireError> {
    StoredForm::read(None, &FormFields::from_parts(fields.iter().copied(), file).unwrap(), "IA")
}

#[test]
fn a_word_with_white_space_or_a_control_character_around_it_is_refused_by_name() {
    for name in WORDS {
        for value in [
            " a",
            "a ",
            "\ta",
            "a\r\n",
            "\u{3000}a",
            "a\u{a0}",
            "\u{7f}a",
            "a\u{0}",
            " ",
            "a\u{200b}",
            "\u{feff}a",
        ] {
            let refused = read(&[("key", "k"), (name, value)], FilePart::default()).unwrap_err();
            assert_eq!((refused.status(), refused.element("ArgumentName")), (400, Some(name)), "{value:?}");
        }
    }
    let part = FilePart { filename: None, content_type: Some("text/html\u{a0}".to_owned()) };
    assert_eq!(read(&[("key", "k")], part).unwrap_err().element("ArgumentName"), Some("Content-Type"));
}

#[test]
fn what_the_form_leaves_out_is_filled_in_from_the_final_key_and_the_bucket() {
    let file = FilePart { filename: Some("c.html".to_owned()), content_type: None };
    let stored = read(&[("key", "u/${filename}")], file).unwrap();
    let values = stored.values();
    assert_eq!((stored.key.as_str(), values.content_type), ("u/c.html", Some("text/html")));
    assert_eq!((values.acl, values.storage_class, values.forbid_overwrite), ("default", "IA", false));
    let photo = FilePart { filename: Some("p.HEIC".to_owned()), content_type: Some(String::new()) };
    let photo = read(&[("key", "${filename}"), ("x-oss-storage-class", "standard")], photo).unwrap();
    assert_eq!((photo.values().content_type, photo.values().storage_class), (Some("image/heic"), "Standard"));
}
