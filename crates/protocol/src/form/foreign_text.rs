//! Handles form text that is not UTF-8, as pages in GBK or Latin-1 send it in names and values.
//!
//! Its encoding is not known, so its letters cannot be read. They are told apart from text, so that they can be passed
//! over where nothing depends on them and refused where something does.
//!
//! Clauses POST-25.

use std::borrow::Cow;

/// The first of 256 characters for private use that stand for bytes in a line that is not UTF-8.
const FIRST: u32 = 0xF700;

/// A line of a part's header.
pub(super) struct Line<'l>(Cow<'l, str>);

impl<'l> Line<'l> {
    /// Reads a line. In one that is not UTF-8 each byte beyond ASCII becomes a character of its own; so does the byte
    /// behind it if that can be the second half of a character in GBK or Big5, where it may look like a backslash.
    pub(super) fn read(line: &'l [u8]) -> Self {
        if let Ok(text) = std::str::from_utf8(line) {
            return Self(Cow::Borrowed(text));
        }
        let mut bytes = line.iter().copied().peekable();
        let mut text = String::with_capacity(line.len());
        while let Some(byte) = bytes.next() {
            if byte.is_ascii() {
                text.push(char::from(byte));
                continue;
            }
            text.extend(stand_in(byte));
            text.extend(bytes.next_if(|second| *second >= 0x40).and_then(stand_in));
        }
        Self(Cow::Owned(text))
    }

    /// The line with its foreign bytes replaced.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Whether a piece of this line holds bytes that are not UTF-8.
    pub(super) fn is_foreign(&self, piece: &str) -> bool {
        let stands_in = |letter: char| (FIRST..FIRST + 256).contains(&u32::from(letter));
        matches!(self.0, Cow::Owned(_)) && piece.contains(stands_in)
    }
}

fn stand_in(byte: u8) -> Option<char> {
    char::from_u32(FIRST + u32::from(byte))
}

/// Whether this store looks at a field of this name, whatever a policy or a callback says.
pub(super) fn is_looked_at(name: &str) -> bool {
    const NAMES: [&str; 13] = [
        "key",
        "policy",
        "OSSAccessKeyId",
        "Signature",
        "callback",
        "callback-var",
        "success_action_redirect",
        "success_action_status",
        "Content-Type",
        "Cache-Control",
        "Content-Disposition",
        "Content-Encoding",
        "Expires",
    ];
    let is_of_oss = name.get(..6).is_some_and(|head| head.eq_ignore_ascii_case("x-oss-"));
    is_of_oss || NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}
