//! Writes XML documents: prolog, nested elements, escaped text. No indentation, no namespace.
//!
//! Clauses GEN-4, GEN-5.

/// A document being written.
///
/// ```
/// use countersign_protocol::xml::XmlWriter;
///
/// let mut document = XmlWriter::new("Tag");
/// document.open("Names");
/// document.leaf("Key", "salt & pepper");
/// document.close();
/// document.leaf("Value", "");
/// let text = document.finish();
/// assert!(text.ends_with("<Tag><Names><Key>salt &amp; pepper</Key></Names><Value></Value></Tag>"));
/// ```
#[derive(Debug)]
pub struct XmlWriter {
    text: String,
    open: Vec<&'static str>,
}

impl XmlWriter {
    /// A document with this root.
    pub fn new(root: &'static str) -> Self {
        let text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let mut writer = Self { text, open: Vec::new() };
        writer.open(root);
        writer
    }

    /// An element that holds elements; to be followed by [`Self::close`].
    pub fn open(&mut self, name: &'static str) {
        self.text.push('<');
        self.text.push_str(name);
        self.text.push('>');
        self.open.push(name);
    }

    /// Ends the innermost open element.
    pub fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.text.push_str("</");
            self.text.push_str(name);
            self.text.push('>');
        }
    }

    /// An element that holds text.
    pub fn leaf(&mut self, name: &'static str, text: impl AsRef<str>) {
        self.open(name);
        self.text(text);
        self.close();
    }

    /// Text in the innermost open element.
    pub(super) fn text(&mut self, text: impl AsRef<str>) {
        escape(&mut self.text, text.as_ref());
    }

    /// An element that holds a number or a boolean.
    pub(super) fn plain(&mut self, name: &'static str, value: impl ToString) {
        self.leaf(name, value.to_string());
    }

    /// An element that may be absent.
    pub(super) fn optional(&mut self, name: &'static str, text: Option<impl AsRef<str>>) {
        if let Some(text) = text {
            self.leaf(name, text);
        }
    }

    /// The same element once for each text.
    pub(super) fn each(&mut self, name: &'static str, texts: &[String]) {
        for text in texts {
            self.leaf(name, text);
        }
    }

    /// `Owner` with id and display name.
    pub(super) fn owner(&mut self, owner: &super::Owner) {
        self.open("Owner");
        self.leaf("ID", &owner.id);
        self.leaf("DisplayName", &owner.id);
        self.close();
    }

    /// Ends all open elements and gives the document.
    pub fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text
    }
}

/// Quotes need no escape in text, and OSS writes an ETag's as they are.
fn escape(target: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => target.push_str("&amp;"),
            '<' => target.push_str("&lt;"),
            '>' => target.push_str("&gt;"),
            // A bare carriage return would be read back as a line feed.
            '\r' => target.push_str("&#13;"),
            // XML 1.0 has no such characters, not even as references. OSS is believed to write the reference all the
            // same, and its JavaScript SDK reads it; anything else would name a key that does not exist.
            unwritable if is_unwritable(unwritable) => {
                target.push_str("&#");
                target.push_str(&u32::from(unwritable).to_string());
                target.push(';');
            }
            _ => target.push(letter),
        }
    }
}

/// Whether a text that is written can be read again as it was.
///
/// ```
/// use countersign_protocol::xml::is_writable;
///
/// assert!(is_writable("a\tb 猫"));
/// assert!(!is_writable("a\u{1}b"), "XML 1.0 has no such character");
/// ```
pub fn is_writable(text: &str) -> bool {
    !text.chars().any(is_unwritable)
}

/// What XML 1.0 has no way to write, not even as references.
fn is_unwritable(letter: char) -> bool {
    match letter {
        '\t' | '\n' | '\r' => false,
        '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => true,
        _ => false,
    }
}
