//! An error as the client sees it, and its XML (protocol 06 §1). Whatever only the log may know never enters
//! a [`WireError`]; the domain's error enums are turned into one at the very edge.

use std::borrow::Cow;
use std::fmt;

use crate::ErrorCode;

/// Where the document of callback errors lives; EC numbers of the callback point into it.
const CALLBACK_DOCUMENT: &str = "docs/callback-errors.md";

/// What the client is told: code, message, EC number and the extra elements of its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireError {
    code: ErrorCode,
    message: Cow<'static, str>,
    ec: Option<&'static str>,
    elements: Vec<(&'static str, String)>,
    recommend_doc: Option<String>,
}

impl WireError {
    /// The error with its code's usual message and EC number.
    pub fn new(code: ErrorCode) -> Self {
        let message = Cow::Borrowed(code.default_message());
        Self { code, message, ec: code.default_ec(), elements: Vec::new(), recommend_doc: None }
    }

    /// Replaces the message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    /// Replaces the EC number.
    #[must_use]
    pub fn with_ec(mut self, ec: &'static str) -> Self {
        self.ec = Some(ec);
        self
    }

    /// Adds an extra element, such as `BucketName`; elements stand in the order in which they were added.
    #[must_use]
    pub fn with_element(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.elements.push((name, text.into()));
        self
    }

    /// Says where the reader finds what to do about it. Without this, callback errors point at their
    /// number in `docs/callback-errors.md` and all others at nothing.
    #[must_use]
    pub fn with_recommend_doc(mut self, address: impl Into<String>) -> Self {
        self.recommend_doc = Some(address.into());
        self
    }

    /// The code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.code.status()
    }

    /// The message for the client.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The EC number, also the value of the header `x-oss-ec`.
    pub fn ec(&self) -> Option<&'static str> {
        self.ec
    }

    /// The extra elements.
    pub fn elements(&self) -> &[(&'static str, String)] {
        &self.elements
    }

    /// The text of one extra element.
    pub fn element(&self, name: &str) -> Option<&str> {
        self.elements.iter().find(|(known, _)| *known == name).map(|(_, text)| text.as_str())
    }

    /// The address of the explanation, if there is one.
    pub fn recommend_doc(&self) -> Option<Cow<'_, str>> {
        match (&self.recommend_doc, self.ec) {
            (Some(address), _) => Some(Cow::Borrowed(address)),
            (None, Some(ec)) if ec.starts_with("0007-") => {
                Some(Cow::Owned(format!("{CALLBACK_DOCUMENT}#{ec}")))
            }
            _ => None,
        }
    }

    /// The error XML. `host_id` is the Host of the request.
    pub fn to_xml(&self, request_id: &str, host_id: &str) -> String {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n");
        push_element(&mut xml, "Code", self.code.as_str());
        push_element(&mut xml, "Message", &self.message);
        push_element(&mut xml, "RequestId", request_id);
        push_element(&mut xml, "HostId", host_id);
        for (name, text) in &self.elements {
            push_element(&mut xml, name, text);
        }
        if let Some(ec) = self.ec {
            push_element(&mut xml, "EC", ec);
        }
        if let Some(address) = self.recommend_doc() {
            push_element(&mut xml, "RecommendDoc", &address);
        }
        xml.push_str("</Error>\n");
        xml
    }
}

impl From<ErrorCode> for WireError {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}: {}", self.status(), self.code, self.message)
    }
}

impl std::error::Error for WireError {}

fn push_element(xml: &mut String, name: &str, text: &str) {
    xml.push_str("  <");
    xml.push_str(name);
    xml.push('>');
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            // A bare carriage return would be read back as a line feed.
            '\r' => xml.push_str("&#13;"),
            '\n' | '\t' => xml.push(character),
            // XML 1.0 has no way to write these, not even as references.
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => xml.push('\u{fffd}'),
            _ => xml.push(character),
        }
    }
    xml.push_str("</");
    xml.push_str(name);
    xml.push_str(">\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_elements_in_the_order_of_oss() {
        let error = WireError::new(ErrorCode::NoSuchBucket).with_element("BucketName", "gone");
        assert_eq!(
            error.to_xml("5C3D9175B6FC201293AD4890", "gone.oss-cn-hangzhou.aliyuncs.com"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n  <Code>NoSuchBucket</Code>\n  \
             <Message>The specified bucket does not exist.</Message>\n  \
             <RequestId>5C3D9175B6FC201293AD4890</RequestId>\n  \
             <HostId>gone.oss-cn-hangzhou.aliyuncs.com</HostId>\n  <BucketName>gone</BucketName>\n  \
             <EC>0015-00000101</EC>\n</Error>\n"
        );
    }

    #[test]
    fn stays_xml_whatever_the_client_sent() {
        let error = WireError::new(ErrorCode::InvalidArgument)
            .with_element("ArgumentValue", "<a href=\"x\">&\u{0}\u{1b}\r\n</Error>");
        let xml = error.to_xml("R", "h");
        assert!(
            xml.contains(
                "<ArgumentValue>&lt;a href=\"x\"&gt;&amp;\u{fffd}\u{fffd}&#13;\n&lt;/Error&gt;</ArgumentValue>"
            ),
            "{xml}"
        );
        assert_eq!(xml.matches("</Error>").count(), 1);
    }

    #[test]
    fn callback_errors_point_at_their_document_and_others_at_nothing() {
        let callback = WireError::new(ErrorCode::CallbackFailed).with_ec(crate::ec::CALLBACK_STATUS);
        assert_eq!(callback.recommend_doc().as_deref(), Some("docs/callback-errors.md#0007-00000203"));
        let named = callback.with_recommend_doc("docs/callback-errors.md#status");
        assert_eq!(named.recommend_doc().as_deref(), Some("docs/callback-errors.md#status"));
        assert_eq!(WireError::new(ErrorCode::NoSuchKey).recommend_doc(), None);
    }
}
