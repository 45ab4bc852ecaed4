//! Percent-encoding as OSS writes and reads it.
//!
//! Owns the one rule that signatures, callback bodies, presigned URLs and url-encoded listings have in
//! common: `A-Z a-z 0-9 - _ . ~` stand for themselves, every other byte becomes `%XX` in upper case, and a
//! space is `%20`. It knows nothing of what the bytes mean.
//!
//! Clauses GEN-9, GEN-14, V4-13, V4-14.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

/// All bytes but the unreserved ones.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The same, but a slash stands for itself, as in a path.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// Encodes every byte that is not unreserved; `/` becomes `%2F`.
///
/// ```
/// use countersign_protocol::url_encoding::{decode, encode};
///
/// assert_eq!(encode("a b/c~+猫"), "a%20b%2Fc~%2B%E7%8C%AB");
/// assert_eq!(decode("a%20b%2Fc~%2B%E7%8C%AB"), "a b/c~+猫".as_bytes());
/// ```
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    percent_encode(bytes.as_ref(), RESERVED).to_string()
}

/// Encodes like [`encode`] but keeps `/`.
///
/// ```
/// assert_eq!(countersign_protocol::url_encoding::encode_path("photos/a b.jpg"), "photos/a%20b.jpg");
/// ```
pub fn encode_path(bytes: impl AsRef<[u8]>) -> String {
    percent_encode(bytes.as_ref(), RESERVED_IN_PATH).to_string()
}

/// Decodes `%XX`; a `+` stays a plus and a broken escape stays as it is.
pub fn decode(text: impl AsRef<[u8]>) -> Vec<u8> {
    percent_decode(text.as_ref()).collect()
}

/// Decodes a name or value of a query: `+` is a space, then `%XX`.
///
/// ```
/// use countersign_protocol::url_encoding::{decode, decode_query};
///
/// assert_eq!((decode_query("a+b%2Bc"), decode("a+b%2Bc")), (b"a b+c".to_vec(), b"a+b+c".to_vec()));
/// ```
pub fn decode_query(text: &str) -> Vec<u8> {
    if text.contains('+') { decode(text.replace('+', " ")) } else { decode(text) }
}

/// The pairs of a raw query in order, decoded; a parameter without `=` has an empty value. Empty items
/// (`a&&b`) are skipped.
///
/// ```
/// use countersign_protocol::url_encoding::query_pairs;
///
/// let pairs = query_pairs("prefix=a%2F&&acl");
/// assert_eq!(pairs, [(b"prefix".to_vec(), b"a/".to_vec()), (b"acl".to_vec(), Vec::new())]);
/// ```
pub fn query_pairs(raw_query: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    raw_query
        .split('&')
        .filter(|item| !item.is_empty())
        .map(|item| {
            let (name, value) = item.split_once('=').unwrap_or((item, ""));
            (decode_query(name), decode_query(value))
        })
        .collect()
}

/// The first value of a query parameter, decoded; bytes that are not UTF-8 are replaced.
///
/// ```
/// use countersign_protocol::url_encoding::query_value;
///
/// assert_eq!(query_value("prefix=a%2F&acl&prefix=b", "prefix").as_deref(), Some("a/"));
/// assert_eq!(query_value("prefix=a%2F&acl", "acl").as_deref(), Some(""));
/// assert_eq!(query_value("prefix=a%2F&acl", "marker"), None);
/// ```
pub fn query_value(raw_query: &str, name: &str) -> Option<String> {
    query_pairs(raw_query)
        .into_iter()
        .find(|(candidate, _)| candidate == name.as_bytes())
        .map(|(_, value)| String::from_utf8_lossy(&value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_unreserved_and_encodes_the_rest_in_upper_case() {
        assert_eq!(encode("aZ0-_.~"), "aZ0-_.~");
        assert_eq!(encode("a/b c+é"), "a%2Fb%20c%2B%C3%A9");
        assert_eq!(encode_path("a/b c+d"), "a/b%20c%2Bd");
    }

    #[test]
    fn reads_a_plus_as_a_space_only_in_a_query() {
        assert_eq!(decode("a+b%2Bc"), b"a+b+c");
        assert_eq!(decode_query("a+b%2Bc"), b"a b+c");
    }

    #[test]
    fn splits_a_query_into_pairs_in_order() {
        let pairs = query_pairs("b=2&a&&c=%2B=1");
        let texts: Vec<_> = pairs.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
        assert_eq!(texts, [(&b"b"[..], &b"2"[..]), (b"a", b""), (b"c", b"+=1")]);
        assert_eq!(query_value("a=1&a=2", "a").as_deref(), Some("1"));
        assert_eq!(query_value("a=1", "b"), None);
    }
}
