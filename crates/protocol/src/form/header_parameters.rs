//! Parses the parameters of a header, `; name=value; name="value"`, as in Content-Type and Content-Disposition. What
//! a parameter means is left to the caller.
//!
//! Clauses POST-12, POST-16.

use memchr::memchr2;

/// The first word and the parameters of a header. `None` when it is not built like that.
///
/// In a quoted value `\"` stands for a quote and `\\` for a backslash; any other backslash stands for itself,
/// because old browsers send whole Windows paths.
pub(super) fn split(header: &str) -> Option<(&str, Vec<(String, String)>)> {
    let (word, mut rest) = match header.split_once(';') {
        Some((word, rest)) => (word, rest),
        None => (header, ""),
    };
    let mut parameters = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        if rest.is_empty() {
            return Some((word.trim_matches([' ', '\t']), parameters));
        }
        let (name, after) = rest.split_once('=')?;
        let name = name.trim_matches([' ', '\t']).to_ascii_lowercase();
        if name.is_empty() || name.contains([';', '"', ' ', '\t']) {
            return None;
        }
        let (value, after) = value(after.trim_start_matches([' ', '\t']))?;
        parameters.push((name, value));
        rest = after;
    }
}

/// The only value of a parameter. `Err` when it occurs twice: readers differ in which one they take.
pub(super) fn only<'a>(parameters: &'a [(String, String)], name: &str) -> Result<Option<&'a str>, ()> {
    let mut found = parameters.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
    match (found.next(), found.next()) {
        (value, None) => Ok(value),
        _ => Err(()),
    }
}

/// One value and what follows its semicolon.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_once(';').unwrap_or((text, ""));
        let value = value.trim_matches([' ', '\t']);
        return (!value.contains('"')).then(|| (value.to_owned(), rest));
    };
    // Most values escape nothing, and end at the first quote.
    let plain = memchr2(b'"', b'\\', quoted.as_bytes()).unwrap_or(quoted.len());
    if let Some(rest) = quoted.get(plain..).and_then(|from| from.strip_prefix('"')) {
        return closed(quoted.get(..plain)?.to_owned(), rest);
    }
    let mut value = String::new();
    let mut characters = quoted.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return closed(value, quoted.get(at + 1..)?),
            '\\' => {
                let escaped = characters.next_if(|(_, next)| matches!(next, '"' | '\\'));
                value.push(escaped.map_or('\\', |(_, next)| next));
            }
            _ => value.push(character),
        }
    }
    None
}

/// A quoted value, if nothing but blanks stands between its last quote and the next semicolon.
fn closed(value: String, behind: &str) -> Option<(String, &str)> {
    let rest = behind.trim_start_matches([' ', '\t']);
    (rest.is_empty() || rest.starts_with(';')).then_some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(header: &str) -> Option<Vec<(String, String)>> {
        split(header).map(|(_, parameters)| parameters)
    }

    fn owned(pairs: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        Some(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn reads_quoted_and_plain_values_in_any_spacing() {
        assert_eq!(
            pairs("form-data; name=\"a;b\" ;FileName = x.jpg;"),
            owned(&[("name", "a;b"), ("filename", "x.jpg")])
        );
        assert_eq!(pairs("form-data;name=\"say \\\"hi\\\"\""), owned(&[("name", "say \"hi\"")]));
        assert_eq!(pairs("form-data; filename=\"C:\\tmp\\a.jpg\""), owned(&[("filename", "C:\\tmp\\a.jpg")]));
        assert_eq!(split("multipart/form-data"), Some(("multipart/form-data", vec![])));
    }

    /// A head of 64 KiB once reserved all that follows it for each of its thousands of values.
    #[test]
    fn values_that_escape_something_hold_no_more_than_they_are_long() {
        let header = format!("f{}", "; a=\"\\\"\"".repeat(9_000));
        let held: usize = pairs(&header).unwrap().iter().map(|(_, value)| value.capacity()).sum();
        assert!(held <= 2 * header.len(), "{held} bytes of {}", header.len());
    }

    #[test]
    fn refuses_what_could_be_read_in_two_ways() {
        for header in ["f; name=\"a", "f; name=\"a\"b", "f; name", "f; =a", "f; a b=c", "f; name=a\"b"] {
            assert_eq!(pairs(header), None, "{header}");
        }
        let twice = pairs("f; name=a; NAME=b").unwrap();
        assert_eq!(only(&twice, "name"), Err(()));
    }
}
