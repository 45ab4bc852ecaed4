//! Reads from a callback's body what it says about the upload.
//!
//! Owns the reading of the body: the tutorial's template (`filename`, `size`, `mimeType`, `height`, `width`) and
//! the names of OSS's own variables, as a form or as JSON. A body is a free template and OSS never checks that
//! it became valid, so that whatever is not understood is left out and nothing here can fail.

use countersign_protocol::callback::template::BodyType;
use percent_encoding::percent_decode_str;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::ordered_members::OrderedMembers;

/// The facts, as far as the body names them. All of them are covered by the store's signature, which makes them the
/// store's word, but for the name: that is what the client said, and the store only repeats it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadFacts {
    /// The object's key: `object`, `filename` or `key`.
    pub key: Option<String>,
    /// `name`: what the client calls the file, for people to read. Any text at all; never a path to write to.
    pub name: Option<String>,
    /// `bucket`.
    pub bucket: Option<String>,
    /// `etag`.
    pub etag: Option<String>,
    /// `reqId`: the id of the upload's request.
    pub request_id: Option<String>,
    /// `size` in bytes.
    pub size: Option<u64>,
    /// `mimeType`.
    pub mime_type: Option<String>,
    /// `height` or `imageInfo.height` in pixels; of images only.
    pub height: Option<u32>,
    /// `width` or `imageInfo.width` in pixels; of images only.
    pub width: Option<u32>,
}

impl UploadFacts {
    /// Reads a callback's body. A body that is a JSON object is read as such whatever its type says: captures of
    /// real callbacks carry either under both.
    ///
    /// Source: CB-23 to CB-39.
    ///
    /// ```
    /// use countersign_app::upload_facts::UploadFacts;
    ///
    /// let form = UploadFacts::of("object=a%20b.jpg&size=42&imageInfo.width=&name=我的照片.jpg".as_bytes());
    /// assert_eq!((form.key.as_deref(), form.size, form.width), (Some("a b.jpg"), Some(42), None));
    /// assert_eq!(form.name.as_deref(), Some("我的照片.jpg"), "as the client calls it; never a path");
    ///
    /// let json = UploadFacts::of(br#"{"object":"a.jpg","size":42,"imageInfo":{"width":200}}"#);
    /// assert_eq!((json.key.as_deref(), json.width), (Some("a.jpg"), Some(200)));
    /// ```
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        let pairs = json_pairs(body).unwrap_or_else(|| form_pairs(body));
        let text = |names: &[&str]| first(&pairs, names).map(str::to_owned);
        Self {
            key: text(&["object", "filename", "key"]),
            name: text(&["name"]),
            bucket: text(&["bucket"]),
            etag: text(&["etag"]),
            request_id: text(&["reqId"]),
            size: first(&pairs, &["size"]).and_then(|value| value.parse().ok()),
            mime_type: text(&["mimeType"]),
            height: first(&pairs, &["height", "imageInfo.height"]).and_then(|value| value.parse().ok()),
            width: first(&pairs, &["width", "imageInfo.width"]).and_then(|value| value.parse().ok()),
        }
    }

    /// One member of a callback's body.
    pub(crate) fn member(body: &[u8], name: &str) -> Option<String> {
        let pairs = json_pairs(body).unwrap_or_else(|| form_pairs(body));
        pairs.into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The names of a callback's members as they stand there, each as often as it does; `None` for what is no object
    /// where one is expected.
    pub(crate) fn member_names(body: &[u8], kind: BodyType) -> Option<Vec<String>> {
        if kind == BodyType::Json {
            let members: OrderedMembers<IgnoredAny> = serde_json::from_slice(body).ok()?;
            return Some(members.0.into_iter().map(|(name, _)| name).collect());
        }
        let text = String::from_utf8_lossy(body);
        let name = |pair: &str| form_text(pair.split_once('=').map_or(pair, |(name, _)| name));
        Some(text.split('&').map(name).collect())
    }
}

/// The first name that has a value; an empty one is how the store writes "unset".
fn first<'a>(pairs: &'a [(String, String)], names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|wanted| {
        let named = pairs.iter().find(|(name, value)| name == wanted && !value.is_empty());
        named.map(|(_, value)| value.as_str())
    })
}

fn form_pairs(body: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(body);
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (form_text(name), form_text(value)))
        .collect()
}

/// `+` is a space in a form; the store itself writes %20, and a real plus as %2B.
fn form_text(part: &str) -> String {
    percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn json_pairs(body: &[u8]) -> Option<Vec<(String, String)>> {
    let Ok(Value::Object(object)) = serde_json::from_slice(body) else { return None };
    let mut pairs = Vec::new();
    for (name, value) in object {
        match value {
            Value::String(text) => pairs.push((name, text)),
            Value::Number(number) => pairs.push((name, number.to_string())),
            Value::Object(inner) if name == "imageInfo" => {
                let named = |(part, value): (String, Value)| (format!("imageInfo.{part}"), value.to_string());
                pairs.extend(inner.into_iter().map(named));
            }
            _ => {}
        }
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_tutorials_form() {
        let facts = UploadFacts::of(
            b"filename=user-dir%2F%E7%85%A7%20a%2Bb.jpg&size=108904&mimeType=image%2Fjpeg&height=278&width=200",
        );
        assert_eq!(facts.key.as_deref(), Some("user-dir/照 a+b.jpg"));
        assert_eq!(facts.size, Some(108_904));
        assert_eq!(facts.mime_type.as_deref(), Some("image/jpeg"));
        assert_eq!((facts.height, facts.width), (Some(278), Some(200)));
    }

    #[test]
    fn leaves_out_what_is_unset() {
        let facts = UploadFacts::of(b"filename=a.txt&size=0&mimeType=&height=&width=");
        assert_eq!(facts.size, Some(0));
        assert_eq!((facts.mime_type, facts.height, facts.width), (None, None, None));
    }

    #[test]
    fn reads_a_json_body_with_the_names_of_the_variables() {
        let facts = UploadFacts::of(
            br#"{"bucket":"post-test","object":"42cf","etag":"97E1","size":31,"reqId":"5C","imageInfo":{"height":4,"width":3}}"#,
        );
        assert_eq!(facts.key.as_deref(), Some("42cf"));
        assert_eq!(facts.bucket.as_deref(), Some("post-test"));
        assert_eq!(facts.request_id.as_deref(), Some("5C"));
        assert_eq!((facts.size, facts.height, facts.width), (Some(31), Some(4), Some(3)));
    }

    #[test]
    fn reads_no_facts_from_a_body_it_does_not_understand() {
        assert_eq!(UploadFacts::of(br#"{"mimeType":"image/png", "filename","x"}"#), UploadFacts::default());
        assert_eq!(UploadFacts::of(b"\xff\xfe"), UploadFacts::default());
    }
}
