//! Writes `Content-Disposition` with a file name from an untrusted source (RFC 6266, RFC 8187): it cannot leave its
//! quotes, name a folder, or be read as another name.

use super::url_encoding::encode;

/// The most bytes of a name: more no file system takes.
const NAME_BYTES_MAX: usize = 255;

/// What a browser does with a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It shows it where it can.
    Inline,
    /// It saves it.
    Attachment,
}

impl Disposition {
    /// The header's value for a file of this name: `filename` in ASCII for old clients, `filename*` for all others.
    /// Of a path the last part counts; control characters and those that reverse the direction of text become `_`.
    /// Without a usable name only the word.
    ///
    /// ```
    /// use countersign_protocol::content_disposition::Disposition;
    ///
    /// let header = Disposition::Attachment.with_name("../photos/猫 \"1\".jpg");
    /// assert_eq!(header, "attachment; filename=\"_ _1_.jpg\"; filename*=UTF-8''%E7%8C%AB%20%221%22.jpg");
    /// assert_eq!(Disposition::Inline.with_name(".."), "inline");
    /// ```
    pub fn with_name(self, name: &str) -> String {
        let word = match self {
            Self::Inline => "inline",
            Self::Attachment => "attachment",
        };
        let name = safe_name(name);
        if name.is_empty() {
            return word.to_owned();
        }
        // A percent sign too: some clients decode what is in quotes.
        let plain = |sign: char| if is_plain(sign) { sign } else { '_' };
        let ascii: String = name.chars().map(plain).collect();
        format!("{word}; filename=\"{ascii}\"; filename*=UTF-8''{}", encode(&name))
    }
}

fn is_plain(sign: char) -> bool {
    (sign == ' ' || sign.is_ascii_graphic()) && !matches!(sign, '"' | '\\' | '%')
}

fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let hides = |sign: char| {
        sign.is_control()
            || matches!(sign, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut name = last.replace(hides, "_");
    if name.len() > NAME_BYTES_MAX {
        let end = (0..=NAME_BYTES_MAX).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
        name.truncate(end);
    }
    if matches!(name.as_str(), "." | "..") { String::new() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_names_of_the_vectors() {
        let vectors = crate::test_vectors::read("original_name.json");
        let vectors: serde_json::Value = serde_json::from_str(&vectors).unwrap();
        let cases = vectors["cases"].as_array().unwrap();
        assert!(cases.len() > 10);
        for case in cases {
            let name = case["name"].as_str().unwrap();
            assert_eq!(Disposition::Attachment.with_name(name), case["attachment"], "{name}");
            assert_eq!(encode(name), case["callback_value"], "{name}");
            assert_eq!(name.len(), case["name_bytes"], "{name}");
        }
    }

    #[test]
    fn no_name_leaves_its_quotes_or_names_a_folder() {
        for (name, value) in [
            ("../../etc/passwd", "inline; filename=\"passwd\"; filename*=UTF-8''passwd"),
            ("C:\\Users\\li\\a.txt", "inline; filename=\"a.txt\"; filename*=UTF-8''a.txt"),
            (
                "a\r\nSet-Cookie: b",
                "inline; filename=\"a__Set-Cookie: b\"; filename*=UTF-8''a__Set-Cookie%3A%20b",
            ),
            (
                "x\"; filename=\"y",
                "inline; filename=\"x_; filename=_y\"; filename*=UTF-8''x%22%3B%20filename%3D%22y",
            ),
            ("cod\u{202e}fdp.exe", "inline; filename=\"cod_fdp.exe\"; filename*=UTF-8''cod_fdp.exe"),
            ("a\u{61c}b.exe", "inline; filename=\"a_b.exe\"; filename*=UTF-8''a_b.exe"),
            ("..", "inline"),
            ("a/", "inline"),
            ("", "inline"),
        ] {
            assert_eq!(Disposition::Inline.with_name(name), value);
        }
        assert!(Disposition::Inline.with_name(&"照".repeat(400)).len() < 1_100);
    }
}
