//! The operations that list: buckets, objects, versions, and what is pending. Here is what their requests
//! have in common.
//!
//! Clauses LIST-1 to LIST-9.

use countersign_protocol::{ErrorCode, WireError, xml::NameEncoding, xml::ObjectEntry};
use countersign_store::{Entry, ListPage, ObjectRecord};

use crate::object::attributes::ObjectAttributes;
use crate::object::etag::etag_of;
use crate::request::query::Query;

/// The parameters that narrow a list, of whatever kind and version: clients send those of the others too.
pub(crate) const PARAMETERS: &[&str] = &[
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "key-marker",
    "list-type",
    "marker",
    "max-keys",
    "max-uploads",
    "prefix",
    "start-after",
    "upload-id-marker",
    "version-id-marker",
];
/// How many names a page has when the request does not say.
pub(crate) const NAMES_DEFAULT: u32 = 100;
/// How many it has at most.
pub(crate) const NAMES_MAX: u32 = 1000;

/// The size of the page that a request asks for in this parameter.
pub(crate) fn page_size(query: &Query, name: &'static str, default: u32) -> Result<u32, WireError> {
    let Some(text) = query.get(name).filter(|text| !text.is_empty()) else { return Ok(default) };
    text.parse().ok().filter(|size| (1..=NAMES_MAX).contains(size)).ok_or_else(|| {
        WireError::new(ErrorCode::InvalidArgument)
            .with_message("Argument must be an integer between 1 and 1000.")
            .with_element("ArgumentName", name)
            .with_element("ArgumentValue", text)
    })
}

/// How the request wants names to be written.
pub(crate) fn name_encoding(query: &Query) -> Result<NameEncoding, WireError> {
    let Some(word) = query.get("encoding-type").filter(|word| !word.is_empty()) else {
        return Ok(NameEncoding::None);
    };
    NameEncoding::parse(word).ok_or_else(|| {
        WireError::new(ErrorCode::InvalidArgument)
            .with_message("Invalid Encoding Method specified in Request.")
            .with_element("ArgumentName", "encoding-type")
            .with_element("ArgumentValue", word)
    })
}

/// A parameter's value, empty where it is absent.
pub(crate) fn text(query: &Query, name: &str) -> String {
    query.get(name).unwrap_or_default().to_owned()
}

/// The objects and the common prefixes of a page, as documents show them.
pub(crate) fn shown(page: ListPage) -> (Vec<ObjectEntry>, Vec<String>) {
    let (mut objects, mut prefixes) = (Vec::new(), Vec::new());
    for entry in page.entries {
        match entry {
            Entry::Object(record) => objects.push(object_entry(&record)),
            Entry::CommonPrefix(prefix) => prefixes.push(name(&prefix)),
        }
    }
    (objects, prefixes)
}

fn object_entry(record: &ObjectRecord) -> ObjectEntry {
    let attributes = ObjectAttributes::decode(&record.attributes);
    ObjectEntry {
        key: name(&record.key),
        last_modified: record.modified,
        etag: etag_of(record.md5, record.crc64, record.len),
        object_type: "Normal".to_owned(),
        size: record.len,
        storage_class: attributes.storage_class().to_owned(),
        owner: None,
    }
}

/// A key as text. Keys are checked to be UTF-8 before they are stored.
pub(crate) fn name(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
