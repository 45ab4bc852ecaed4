//! Entity tags: the upper-case hex MD5 of an object or what stands for it, how it is quoted, and how a condition's
//! list of tags is compared (GEN-8, OBJ-28). Knows nothing of objects or of when a condition applies.

/// The bare tag of an object: its MD5 in upper-case hex, without quotes.
///
/// ```
/// use countersign_protocol::etag;
///
/// // The MD5 of no bytes at all.
/// let md5 = [0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04, 0xe9, 0x80, 0x09, 0x98, 0xec, 0xf8, 0x42, 0x7e];
/// let tag = etag::from_md5(md5);
/// assert_eq!(etag::quoted(&tag), "\"D41D8CD98F00B204E9800998ECF8427E\"");
/// ```
pub fn from_md5(md5: [u8; 16]) -> String {
    // Every answer has one; formatting byte by byte would take a tenth of a small download.
    md5.iter().flat_map(|byte| [hex_digit(byte >> 4), hex_digit(byte & 15)]).collect()
}

/// The bare tag of an object whose MD5 is not known: its CRC-64 and its length, 32 digits too, and `-1` behind them,
/// as behind the tag of an object of one part, which clients know to be no MD5. OSS documents that the tag of a form
/// upload need not be its MD5.
///
/// ```
/// use countersign_protocol::etag;
///
/// assert_eq!(etag::from_crc64(0xab, 5), "00000000000000AB0000000000000005-1");
/// ```
pub fn from_crc64(crc64: u64, len: u64) -> String {
    format!("{crc64:016X}{len:016X}-1")
}

/// The digit of a number below 16.
fn hex_digit(number: u8) -> char {
    char::from(if number < 10 { b'0' + number } else { b'A' - 10 + number })
}

/// The tag as the `ETag` header and the listings spell it.
pub fn quoted(tag: &str) -> String {
    format!("\"{tag}\"")
}

/// Whether one of the tags of an `If-Match` or `If-None-Match` header names `tag`; `*` names any. Missing
/// quotes, a weak mark and lower case are tolerated, as OSS does.
///
/// ```
/// use countersign_protocol::etag::matches;
///
/// assert!(matches("\"A\", \"B\"", "B") && matches("b", "B") && matches("W/\"B\"", "B") && matches("*", "B"));
/// assert!(!matches("\"A\"", "B"));
/// ```
pub fn matches(list: &str, tag: &str) -> bool {
    list.split(',').any(|candidate| {
        let candidate = candidate.trim();
        let candidate = candidate.strip_prefix("W/").unwrap_or(candidate);
        candidate == "*" || candidate.trim_matches('"').eq_ignore_ascii_case(tag)
    })
}

/// Whether a single validator, as `If-Range` has it, is this tag. A weak mark, a list and `*` are not; missing quotes
/// are tolerated.
///
/// ```
/// use countersign_protocol::etag::is_exactly;
///
/// assert!(is_exactly("\"A\"", "A"));
/// assert!(!is_exactly("W/\"A\"", "A") && !is_exactly("*", "A") && !is_exactly("\"A\", \"B\"", "A"));
/// ```
pub fn is_exactly(validator: &str, tag: &str) -> bool {
    let bare = validator.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(validator);
    bare.eq_ignore_ascii_case(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_an_md5_in_upper_case() {
        let md5 = [0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0, 0xb2, 4, 0xe9, 0x80, 9, 0x98, 0xec, 0xf8, 0x42, 0x7e];
        assert_eq!(from_md5(md5), "D41D8CD98F00B204E9800998ECF8427E");
        assert_eq!(quoted("AB"), "\"AB\"");
        assert_eq!(from_crc64(0x995d_c9bb_df19_39fa, 9), "995DC9BBDF1939FA0000000000000009-1");
    }

    #[test]
    fn finds_a_tag_in_a_list_with_or_without_quotes() {
        assert!(matches("\"AA\", \"BB\"", "BB"));
        assert!(matches("bb", "BB"));
        assert!(matches("W/\"BB\"", "BB"));
        assert!(matches("*", "BB"));
        assert!(!matches("\"AA\"", "BB"));
        assert!(!matches("", "BB"));
    }
}
