//! The query of a request, decoded once into an ordered list of names and values.
//!
//! `+` is a space here, as every client that form-encodes its query means it. Signatures do not come through
//! this module: they are computed by the protocol crate from the raw text.

use percent_encoding::percent_decode;

/// A decoded query. Names are case-sensitive; of a name given twice the first value counts (ADDR-18).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Decodes what follows the `?`. Bytes that are not UTF-8 become replacement characters: no name that
    /// anything here asks for holds one, and a value with one matches nothing that is stored.
    pub(crate) fn parse(raw: &str) -> Self {
        let pairs = raw
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decode(name), decode(value))
            })
            .collect();
        Self { pairs }
    }

    /// Whether there is no parameter at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The first value of `name`; empty for a bare name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether `name` is there, with or without a value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All pairs in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode(spaced.as_bytes()).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_escapes_and_plus_and_keeps_the_first_of_two() {
        let query = Query::parse("acl&prefix=a%2Fb+c&prefix=second&=&x=1=2");
        assert_eq!(query.get("acl"), Some(""));
        assert_eq!(query.get("prefix"), Some("a/b c"));
        assert_eq!(query.get("x"), Some("1=2"));
        assert!(!query.has("ACL"));
        assert_eq!(Query::parse("").iter().count(), 0);
    }
}
