//! Expands the callback body, a template with `${variables}`, for a form or for JSON (CB-23 to CB-39). It is plain
//! text replacement, as OSS does it: the result is not checked for being a form or JSON.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::url_encoding::encode;

/// The Content-Type of the callback and the rule by which values are inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyType {
    /// `application/x-www-form-urlencoded`: each value is percent-encoded.
    #[default]
    Form,
    /// `application/json`: strings are inserted with their quotes, numbers bare.
    Json,
}

impl BodyType {
    /// The Content-Type, without a charset.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Form => "application/x-www-form-urlencoded",
            Self::Json => "application/json",
        }
    }

    /// Reads a Content-Type; only the two are known.
    ///
    /// ```
    /// use countersign_protocol::callback::BodyType;
    ///
    /// assert_eq!(BodyType::parse("Application/JSON"), Some(BodyType::Json));
    /// assert_eq!(BodyType::parse("application/json; charset=utf-8"), None);
    /// assert_eq!(BodyType::default().as_str(), "application/x-www-form-urlencoded");
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Form, Self::Json].into_iter().find(|kind| text.eq_ignore_ascii_case(kind.as_str()))
    }
}

/// What an image's own header says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageInfo {
    /// Pixels from top to bottom.
    pub height: u64,
    /// Pixels from left to right.
    pub width: u64,
    /// `jpg`, `png`, `gif`, `bmp`, `webp`, `tiff` or `heic`.
    pub format: String,
}

/// The values of one upload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallbackVariables {
    /// The bucket.
    pub bucket: String,
    /// The whole key, decoded.
    pub object: String,
    /// Upper-case hex, without quotes.
    pub etag: String,
    /// Bytes.
    pub size: u64,
    /// The stored Content-Type.
    pub mime_type: String,
    /// Only of an image.
    pub image: Option<ImageInfo>,
    /// CRC-64 of the whole object.
    pub crc64: u64,
    /// Base64; `None` after CompleteMultipartUpload.
    pub content_md5: Option<String>,
    /// Only of an upload that came through a VPC.
    pub vpc_id: Option<String>,
    /// The uploader's address.
    pub client_ip: String,
    /// The upload's request id.
    pub req_id: String,
    /// `PutObject`, `PostObject` or `CompleteMultipartUpload`.
    pub operation: String,
    /// Custom variables with their `x:`.
    pub custom: Vec<(String, String)>,
}

/// A variable's value: in JSON a string is quoted and a number is not.
enum Inserted<'a> {
    Text(&'a str),
    Number(u64),
    Unset,
}

impl CallbackVariables {
    fn value(&self, name: &str) -> Inserted<'_> {
        let image = self.image.as_ref();
        match name {
            "bucket" => Inserted::Text(&self.bucket),
            "object" => Inserted::Text(&self.object),
            "etag" => Inserted::Text(&self.etag),
            "size" => Inserted::Number(self.size),
            "mimeType" => Inserted::Text(&self.mime_type),
            "imageInfo.height" => image.map_or(Inserted::Unset, |image| Inserted::Number(image.height)),
            "imageInfo.width" => image.map_or(Inserted::Unset, |image| Inserted::Number(image.width)),
            "imageInfo.format" => image.map_or(Inserted::Unset, |image| Inserted::Text(&image.format)),
            "crc64" => Inserted::Number(self.crc64),
            "contentMd5" => self.content_md5.as_deref().map_or(Inserted::Unset, Inserted::Text),
            "vpcId" => self.vpc_id.as_deref().map_or(Inserted::Unset, Inserted::Text),
            "clientIp" => Inserted::Text(&self.client_ip),
            "reqId" => Inserted::Text(&self.req_id),
            "operation" => Inserted::Text(&self.operation),
            custom => self
                .custom
                .iter()
                .find(|(name, _)| name == custom && name.starts_with("x:"))
                .map_or(Inserted::Unset, |(_, value)| Inserted::Text(value)),
        }
    }
}

/// A body with its variables found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Variable {
        name: String,
        /// Whether the template's own text puts it between the quotes of a JSON string.
        quoted: bool,
    },
}

/// A body that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Nothing in it.
    #[error("the callback body is empty")]
    Empty,
    /// A `$(`, which looks like a variable and is none.
    #[error("variables are written ${{name}}, not $(name)")]
    Parenthesis,
}

impl Template {
    /// Finds the variables. `${` without its brace stays text.
    ///
    /// # Errors
    /// [`TemplateError::Empty`] or [`TemplateError::Parenthesis`].
    ///
    /// ```
    /// use countersign_protocol::callback::{Template, template::TemplateError};
    ///
    /// let body = Template::parse("key=${object}&who=${x:user}")?;
    /// assert!(body.names("x:user") && !body.names("size"));
    /// assert_eq!(Template::parse("key=$(object)"), Err(TemplateError::Parenthesis));
    /// # Ok::<(), TemplateError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.is_empty() {
            return Err(TemplateError::Empty);
        }
        if text.contains("$(") {
            return Err(TemplateError::Parenthesis);
        }
        let mut segments = Vec::new();
        let mut quotes = Quotes::default();
        let mut rest = text;
        while let Some((before, name, after)) = next_variable(rest) {
            quotes.pass(before);
            segments.push(Segment::Literal(before.to_owned()));
            segments.push(Segment::Variable { name: name.to_owned(), quoted: quotes.inside });
            rest = after;
        }
        segments.push(Segment::Literal(rest.to_owned()));
        Ok(Self { text: text.to_owned(), segments })
    }

    /// The template as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The body to be sent.
    ///
    /// Source: CB-23 to CB-39.
    ///
    /// ```
    /// use countersign_protocol::callback::{BodyType, CallbackVariables, Template};
    ///
    /// let upload = CallbackVariables { object: "相册/a b.jpg".to_owned(), size: 42, ..Default::default() };
    /// let form = Template::parse("key=${object}&size=${size}&width=${imageInfo.width}")?;
    /// let sent = form.expand(&upload, BodyType::Form);
    /// assert_eq!(sent, "key=%E7%9B%B8%E5%86%8C%2Fa%20b.jpg&size=42&width=");
    ///
    /// let json = Template::parse(r#"{"key":${object},"size":${size},"width":${imageInfo.width}}"#)?;
    /// let sent = json.expand(&upload, BodyType::Json);
    /// assert_eq!(sent, r#"{"key":"相册/a b.jpg","size":42,"width":null}"#);
    /// # Ok::<(), countersign_protocol::callback::template::TemplateError>(())
    /// ```
    pub fn expand(&self, variables: &CallbackVariables, body_type: BodyType) -> String {
        let mut body = String::with_capacity(self.text.len() * 2);
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => body.push_str(text),
                Segment::Variable { name, quoted } => {
                    insert(&mut body, &variables.value(name), body_type, *quoted);
                }
            }
        }
        body
    }

    /// How many bytes the body has at most with these values, of which none is longer in the end: a template may
    /// name a long variable many times, and that is to be refused before anything is stored.
    ///
    /// ```
    /// use countersign_protocol::callback::{BodyType, CallbackVariables, Template};
    ///
    /// let template = Template::parse("a=${object}&b=${object}")?;
    /// let upload = CallbackVariables { object: "x".repeat(1_000_000), ..Default::default() };
    /// assert_eq!(template.expanded_bytes_max(&upload, BodyType::Form), 2_000_005);
    /// # Ok::<(), countersign_protocol::callback::template::TemplateError>(())
    /// ```
    pub fn expanded_bytes_max(&self, variables: &CallbackVariables, body_type: BodyType) -> usize {
        // Each value is measured once, however often it is named: it may be megabytes long.
        let mut measured: HashMap<&str, usize> = HashMap::new();
        self.segments.iter().fold(0_usize, |sum, segment| {
            sum.saturating_add(match segment {
                Segment::Literal(text) => text.len(),
                Segment::Variable { name, .. } => *measured.entry(name).or_insert_with(|| {
                    let mut inserted = String::new();
                    insert(&mut inserted, &variables.value(name), body_type, false);
                    inserted.len()
                }),
            })
        })
    }

    /// Whether a variable of this name is inserted anywhere.
    pub fn names(&self, variable: &str) -> bool {
        self.segments
            .iter()
            .any(|segment| matches!(segment, Segment::Variable { name, .. } if name == variable))
    }
}

/// What stands before the next `${name}`, the name, and what follows.
fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${")?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// Follows the template's own text through JSON's quotes.
#[derive(Default)]
struct Quotes {
    inside: bool,
}

impl Quotes {
    fn pass(&mut self, text: &str) {
        let mut escaped = false;
        for byte in text.bytes() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if self.inside => escaped = true,
                b'"' => self.inside = !self.inside,
                _ => {}
            }
        }
    }
}

fn insert(body: &mut String, value: &Inserted<'_>, body_type: BodyType, quoted: bool) {
    match (value, body_type) {
        (Inserted::Number(number), _) => body.push_str(&number.to_string()),
        (Inserted::Text(text), BodyType::Form) => body.push_str(&encode(text)),
        (Inserted::Text(text), BodyType::Json) => insert_json_string(body, text),
        (Inserted::Unset, BodyType::Json) if !quoted => body.push_str("null"),
        (Inserted::Unset, _) => {}
    }
}

/// With quotes; a slash and letters beyond ASCII stay as they are.
fn insert_json_string(body: &mut String, text: &str) {
    body.push('"');
    for letter in text.chars() {
        match letter {
            '"' => body.push_str("\\\""),
            '\\' => body.push_str("\\\\"),
            '\n' => body.push_str("\\n"),
            '\r' => body.push_str("\\r"),
            '\t' => body.push_str("\\t"),
            control if u32::from(control) < 0x20 => {
                // Writing to a String cannot fail.
                let _ = write!(body, "\\u{:04x}", u32::from(control));
            }
            other => body.push(other),
        }
    }
    body.push('"');
}

#[cfg(test)]
mod tests;
