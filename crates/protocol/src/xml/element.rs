//! Reads a small XML document into a tree, bounded in bytes, depth and elements. Document types, processing
//! instructions and entities besides XML's own are refused; attributes and namespaces are ignored.
//!
//! Clauses GEN-23.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use super::XmlError;

const DEPTH_MAX: usize = 8;
const ELEMENTS_MAX: usize = 20_000;

/// An element with its own text, untrimmed, and its children in order.
///
/// ```
/// use countersign_protocol::xml::{XmlError, read};
///
/// let document = b"<Tagging><TagSet><Tag><Key>colour</Key><Value> red </Value></Tag></TagSet></Tagging>";
/// let root = read(document, "Tagging", 1024)?;
/// root.only(&["TagSet"])?;
/// for set in root.all("TagSet") {
///     for tag in set.all("Tag") {
///         assert_eq!(tag.text_of("Key")?, Some("colour"));
///         assert_eq!(tag.value_of("Value", |text| Some(text.len()))?, Some(3));
///         assert!(matches!(tag.text(), Err(XmlError::Unknown { .. })));
///     }
/// }
/// # Ok::<(), XmlError>(())
/// ```
#[derive(Debug, Default)]
pub struct Element {
    pub(super) name: String,
    text: String,
    pub(super) children: Vec<Element>,
}

/// Reads a document whose root is `root`.
pub fn read(bytes: &[u8], root: &'static str, bytes_max: usize) -> Result<Element, XmlError> {
    if bytes.len() > bytes_max {
        return Err(XmlError::TooLong { bytes_max });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::Malformed)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let element = read_tree(text)?;
    if element.name != root {
        return Err(XmlError::Root { expected: root });
    }
    Ok(element)
}

fn read_tree(text: &str) -> Result<Element, XmlError> {
    let mut reader = Reader::from_str(text);
    // The outermost entry is the document itself; the root becomes its only child.
    let mut open = vec![Element::default()];
    let mut elements = 0_usize;
    loop {
        match reader.read_event().map_err(|_| XmlError::Malformed)? {
            Event::Start(tag) => {
                enter(&mut open, &mut elements, tag.local_name().as_ref())?;
            }
            Event::Empty(tag) => {
                enter(&mut open, &mut elements, tag.local_name().as_ref())?;
                leave(&mut open)?;
            }
            Event::End(_) => leave(&mut open)?,
            Event::Text(text) => append(&mut open, &text.xml10_content())?,
            Event::CData(text) => append(&mut open, &text.xml10_content())?,
            Event::GeneralRef(reference) => append(&mut open, resolve(&reference)?.encode_utf8(&mut [0; 4]))?,
            Event::Decl(_) | Event::Comment(_) => {}
            Event::DocType(_) | Event::PI(_) => return Err(XmlError::Doctype),
            Event::Eof => break,
        }
    }
    let mut document = open.pop().ok_or(XmlError::Malformed)?;
    let complete = open.is_empty() && document.children.len() == 1 && document.text.trim().is_empty();
    document.children.pop().filter(|_| complete).ok_or(XmlError::Malformed)
}

fn enter(open: &mut Vec<Element>, elements: &mut usize, name: &str) -> Result<(), XmlError> {
    *elements += 1;
    if *elements > ELEMENTS_MAX || open.len() > DEPTH_MAX {
        return Err(XmlError::TooManyElements);
    }
    open.push(Element { name: name.to_owned(), ..Element::default() });
    Ok(())
}

fn leave(open: &mut Vec<Element>) -> Result<(), XmlError> {
    let closed = open.pop().ok_or(XmlError::Malformed)?;
    open.last_mut().ok_or(XmlError::Malformed)?.children.push(closed);
    Ok(())
}

fn append(open: &mut [Element], text: &str) -> Result<(), XmlError> {
    open.last_mut().ok_or(XmlError::Malformed)?.text.push_str(text);
    Ok(())
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, XmlError> {
    if let Some(letter) = reference.resolve_char_ref().map_err(|_| XmlError::Malformed)? {
        return Ok(letter);
    }
    match reference.xml10_content().as_ref() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(XmlError::Doctype),
    }
}

impl Element {
    /// Refuses every child that is not one of these.
    pub fn only(&self, known: &[&str]) -> Result<(), XmlError> {
        match self.children.iter().find(|child| !known.contains(&child.name.as_str())) {
            Some(child) => Err(XmlError::Unknown { name: child.name.clone(), parent: self.name.clone() }),
            None => Ok(()),
        }
    }

    /// The children of one name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The only child of a name, if it is there.
    pub(super) fn one(&self, name: &'static str) -> Result<Option<&Self>, XmlError> {
        let mut found = self.all(name);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(XmlError::Repeated { name }),
            (first, None) => Ok(first),
        }
    }

    /// The text of the only child of a name, untrimmed.
    pub fn text_of(&self, name: &'static str) -> Result<Option<&str>, XmlError> {
        self.one(name)?.map(Self::text).transpose()
    }

    /// Reads the trimmed text of the only child of a name; a text that `read` refuses is an error.
    pub fn value_of<T>(
        &self,
        name: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, XmlError> {
        let Some(text) = self.text_of(name)? else { return Ok(None) };
        let refused = || XmlError::Value { name, value: text.chars().take(256).collect() };
        read(text.trim()).map(Some).ok_or_else(refused)
    }

    /// The text of an element that holds nothing else, untrimmed.
    pub fn text(&self) -> Result<&str, XmlError> {
        self.only(&[])?;
        Ok(&self.text)
    }
}

/// `true` or `false`.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}
