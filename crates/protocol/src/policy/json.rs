//! Reads the JSON of policies. It exists because OSS's policies are not quite JSON: `\$` is an escape of its own,
//! which has to be understood where `\\$` is told from it, in the tokenizer. In all else it is stricter than most: a
//! member named twice is refused, depth and number of values are bounded.
//!
//! Clauses POL-3, POL-12 to POL-16.

use std::collections::HashSet;

use super::PolicyError;

/// Real policies are three deep.
const DEPTH_MAX: usize = 16;
/// Real policies hold some dozens of values.
const VALUES_MAX: usize = 20_000;

/// A JSON value. Numbers stay as they were written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool,
    Number(String),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Reads one value that takes up the whole text.
pub(super) fn read(text: &str) -> Result<Json, PolicyError> {
    let mut reader = Reader { rest: text, depth: 0, values: 0 };
    let value = reader.value()?;
    match reader.next_solid() {
        None => Ok(value),
        Some(character) => Err(unknown(character)),
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
    values: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Result<Json, PolicyError> {
        self.values += 1;
        if self.values > VALUES_MAX {
            return Err(not_json("too many values"));
        }
        match self.next_solid() {
            Some('"') => self.text().map(Json::Text),
            Some('[') => self.nested(Self::array),
            Some('{') => self.nested(Self::object),
            Some('t') => self.word("rue", Json::Bool),
            Some('f') => self.word("alse", Json::Bool),
            Some('n') => self.word("ull", Json::Null),
            Some(first @ ('-' | '0'..='9')) => self.number(first),
            Some(character) => Err(unknown(character)),
            None => Err(not_json("")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Json, PolicyError>) -> Result<Json, PolicyError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(not_json("nested too deeply"));
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn array(&mut self) -> Result<Json, PolicyError> {
        let mut items = Vec::new();
        if self.next_is(']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value()?);
            match self.next_solid() {
                Some(',') => {}
                Some(']') => return Ok(Json::Array(items)),
                _ => return Err(not_json(", or ] expected")),
            }
        }
    }

    fn object(&mut self) -> Result<Json, PolicyError> {
        let mut members: Vec<(String, Json)> = Vec::new();
        let mut names = HashSet::new();
        if self.next_is('}') {
            return Ok(Json::Object(members));
        }
        loop {
            match self.next_solid() {
                Some('"') => {}
                Some(character) => return Err(unknown(character)),
                None => return Err(not_json("")),
            }
            let name = self.text()?;
            // Most objects of a policy have one member, which needs no set.
            if let Some((first, _)) = members.first() {
                if names.is_empty() {
                    names.insert(first.clone());
                }
                if !names.insert(name.clone()) {
                    return Err(PolicyError::NamedTwice { name: name.chars().take(64).collect() });
                }
            }
            if self.next_solid() != Some(':') {
                return Err(not_json(": expected"));
            }
            members.push((name, self.value()?));
            match self.next_solid() {
                Some(',') => {}
                Some('}') => return Ok(Json::Object(members)),
                _ => return Err(not_json(", or } expected")),
            }
        }
    }

    /// The rest of a string whose opening quote has been read.
    fn text(&mut self) -> Result<String, PolicyError> {
        let mut text = String::new();
        loop {
            let plain = self.rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            // All three are characters of one byte, so what stands before one is whole characters.
            let (before, rest) =
                plain.and_then(|end| self.rest.split_at_checked(end)).ok_or_else(|| not_json(""))?;
            text.push_str(before);
            self.rest = rest;
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape()?),
                Some(control) => return Err(unknown(control)),
                None => return Err(not_json("")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, PolicyError> {
        match self.next() {
            Some(plain @ ('"' | '\\' | '/' | '$')) => Ok(plain),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('u') => self.unicode_escape(),
            _ => Err(not_json("unknown escape")),
        }
    }

    fn unicode_escape(&mut self) -> Result<char, PolicyError> {
        let first = self.four_digits()?;
        let mut units = vec![first];
        if (0xd800..0xdc00).contains(&first) {
            if self.next() != Some('\\') || self.next() != Some('u') {
                return Err(not_json("half a surrogate pair"));
            }
            units.push(self.four_digits()?);
        }
        match char::decode_utf16(units).next() {
            Some(Ok(character)) => Ok(character),
            _ => Err(not_json("half a surrogate pair")),
        }
    }

    fn four_digits(&mut self) -> Result<u16, PolicyError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.next().and_then(|digit| digit.to_digit(16));
            unit = unit << 4 | digit.ok_or_else(|| not_json("unknown escape"))?;
        }
        u16::try_from(unit).map_err(|_| not_json("unknown escape"))
    }

    fn number(&mut self, first: char) -> Result<Json, PolicyError> {
        let mut written = String::from(first);
        while let Some(next) = self.next_if(|next| matches!(next, '0'..='9' | '.' | 'e' | 'E' | '+' | '-')) {
            written.push(next);
        }
        match serde_json::from_str::<serde_json::Value>(&written) {
            Ok(serde_json::Value::Number(_)) => Ok(Json::Number(written)),
            _ => Err(not_json("")),
        }
    }

    fn word(&mut self, rest: &str, value: Json) -> Result<Json, PolicyError> {
        for expected in rest.chars() {
            match self.next() {
                Some(character) if character == expected => {}
                Some(character) => return Err(unknown(character)),
                None => return Err(not_json("")),
            }
        }
        Ok(value)
    }

    /// Whether the next character that is no white space is the given one, which is then used up.
    fn next_is(&mut self, wanted: char) -> bool {
        self.skip_space();
        self.next_if(|next| next == wanted).is_some()
    }

    fn next(&mut self) -> Option<char> {
        self.next_if(|_| true)
    }

    fn next_if(&mut self, wanted: impl FnOnce(char) -> bool) -> Option<char> {
        let mut rest = self.rest.chars();
        let next = rest.next().filter(|next| wanted(*next))?;
        self.rest = rest.as_str();
        Some(next)
    }

    fn next_solid(&mut self) -> Option<char> {
        self.skip_space();
        self.next()
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }
}

fn unknown(character: char) -> PolicyError {
    not_json(&format!("unknown char {character}"))
}

fn not_json(detail: &str) -> PolicyError {
    PolicyError::NotJson { detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(written: &str) -> Result<String, PolicyError> {
        match read(written)? {
            Json::Text(text) => Ok(text),
            other => panic!("{other:?}"),
        }
    }

    fn detail(written: &str) -> String {
        match read(written) {
            Err(PolicyError::NotJson { detail }) => detail,
            other => panic!("{written} {other:?}"),
        }
    }

    #[test]
    fn an_escaped_dollar_is_a_dollar_and_an_escaped_backslash_stays_one() {
        assert_eq!(text(r#""\$key""#).unwrap(), "$key");
        assert_eq!(text(r#""\\$key""#).unwrap(), r"\$key");
        assert_eq!(text(r#""\\\$key""#).unwrap(), r"\$key");
    }

    #[test]
    fn reads_every_escape_that_the_document_lists() {
        assert_eq!(text(r#""\/\\\"\b\f\n\r\t\u7167\ud83e\uDD80""#).unwrap(), "/\\\"\u{8}\u{c}\n\r\t照🦀");
        for broken in
            [r#""\x""#, r#""\u12""#, r#""\ud83e""#, r#""\ud83ex""#, r#""\udd80""#, "\"a\nb\"", "\"a"]
        {
            assert!(text(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn reads_values_of_every_kind() {
        let value =
            read(" { \"a\" : [ 1 , -2.5e3 , true , false , null , { } , [ ] , \"}],//\" ] } ").unwrap();
        let Json::Object(members) = value else { panic!() };
        let Json::Array(items) = &members[0].1 else { panic!() };
        assert_eq!(items[1], Json::Number("-2.5e3".to_owned()));
        assert_eq!(items[7], Json::Text("}],//".to_owned()));
        assert_eq!(items.len(), 8);
    }

    #[test]
    fn says_what_it_met_in_the_words_of_oss() {
        assert_eq!(detail("e"), "unknown char e");
        assert_eq!(detail("[1 2]"), ", or ] expected");
        assert_eq!(detail("{\"a\":1 \"b\":2}"), ", or } expected");
        assert_eq!(detail("[1,2]]"), "unknown char ]");
        assert_eq!(detail("[1,]"), "unknown char ]");
        assert_eq!(detail("[1"), ", or ] expected");
        assert_eq!(detail(""), "");
        assert_eq!(detail("01"), "");
        assert_eq!(detail("1e"), "");
    }

    #[test]
    fn refuses_a_member_named_twice_however_it_is_written() {
        let twice = PolicyError::NamedTwice { name: "a".to_owned() };
        assert_eq!(read(r#"{"a":1,"b":2,"\u0061":3}"#), Err(twice));
    }

    #[test]
    fn bounds_depth_and_number_of_values() {
        assert!(read(&format!("{}{}", "[".repeat(16), "]".repeat(16))).is_ok());
        assert_eq!(detail(&"[".repeat(1_000_000)), "nested too deeply");
        assert_eq!(detail(&format!("[{}1]", "1,".repeat(500_000))), "too many values");
    }
}
