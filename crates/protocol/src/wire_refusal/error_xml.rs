//! An error as the client sees it, and its XML (ERR-1 to ERR-4). Details that are only for the log never enter a
//! [`WireError`]; the domain's errors are turned into one at the very edge.

use std::borrow::Cow;
use std::fmt;

use crate::ErrorCode;

/// What of a value is shown in an element at most: a field of a form may be megabytes long.
const ELEMENT_BYTES_MAX: usize = 16 * 1024;

/// What the client is told: code, message, EC number and the extra elements of its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireError {
    code: ErrorCode,
    message: Cow<'static, str>,
    ec: Option<&'static str>,
    elements: Vec<(&'static str, String)>,
    topic: Option<&'static str>,
}

impl WireError {
    /// The error with its code's usual message and EC number.
    ///
    /// Source: ERR-1 to ERR-4.
    ///
    /// ```
    /// use countersign_protocol::{ErrorCode, WireError};
    ///
    /// let error = WireError::new(ErrorCode::NoSuchKey).with_element("Key", "a&b.jpg");
    /// assert_eq!((error.status(), error.ec()), (404, Some("0026-00000001")));
    /// assert_eq!((error.element("Key"), error.topic()), (Some("a&b.jpg"), "NoSuchKey"));
    /// ```
    pub fn new(code: ErrorCode) -> Self {
        let message = Cow::Borrowed(code.default_message());
        Self { code, message, ec: code.default_ec(), elements: Vec::new(), topic: None }
    }

    /// Replaces the message.
    ///
    /// ```
    /// use countersign_protocol::{ErrorCode, WireError};
    ///
    /// let error = WireError::new(ErrorCode::InvalidArgument).with_message("max-keys is no number.").with_ec("0017-00000204");
    /// assert_eq!((error.code(), error.message(), error.ec()), (ErrorCode::InvalidArgument, "max-keys is no number.", Some("0017-00000204")));
    /// ```
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
        let mut text: String = text.into();
        text.truncate(text.floor_char_boundary(ELEMENT_BYTES_MAX));
        self.elements.push((name, text));
        self
    }

    /// Names the page of the error reference that explains this error; without it, the page of its code does.
    ///
    /// ```
    /// use countersign_protocol::{ErrorCode, WireError};
    ///
    /// let error = WireError::new(ErrorCode::CallbackFailed).with_topic("timed-out");
    /// assert_eq!(error.topic(), "timed-out");
    /// ```
    #[must_use]
    pub fn with_topic(mut self, topic: &'static str) -> Self {
        self.topic = Some(topic);
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
    ///
    /// ```
    /// use countersign_protocol::{ErrorCode, WireError};
    ///
    /// let error = WireError::new(ErrorCode::NoSuchKey).with_element("Key", "a.jpg");
    /// assert_eq!(error.elements(), [("Key", "a.jpg".to_owned())]);
    /// ```
    pub fn elements(&self) -> &[(&'static str, String)] {
        &self.elements
    }

    /// The text of one extra element.
    pub fn element(&self, name: &str) -> Option<&str> {
        self.elements.iter().find(|(known, _)| *known == name).map(|(_, text)| text.as_str())
    }

    /// The name of the page in [`crate::error_reference`] that explains this error.
    pub fn topic(&self) -> &'static str {
        self.topic.unwrap_or(self.code.as_str())
    }

    /// The error XML. `host_id` is the Host of the request, `reference` the address below which the error
    /// reference is served, such as `http://oss.example.com/_countersign/docs/errors`.
    ///
    /// ```
    /// use countersign_protocol::{ErrorCode, WireError};
    ///
    /// let error = WireError::new(ErrorCode::NoSuchKey).with_element("Key", "a&b.jpg");
    /// let xml = error.to_xml("5F0000", "demo.localhost", "http://127.0.0.1:9817/_countersign/docs/errors/");
    /// assert!(xml.contains("<Code>NoSuchKey</Code>") && xml.contains("<RequestId>5F0000</RequestId>"));
    /// assert!(xml.contains("<Key>a&amp;b.jpg</Key>"));
    /// ```
    pub fn to_xml(&self, request_id: &str, host_id: &str, reference: &str) -> String {
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
        push_element(&mut xml, "RecommendDoc", &format!("{reference}/{}", self.topic()));
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
            error.to_xml(
                "5C3D9175B6FC201293AD4890",
                "gone.oss-cn-hangzhou.aliyuncs.com",
                "http://oss-cn-hangzhou.aliyuncs.com/_countersign/docs/errors"
            ),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n  <Code>NoSuchBucket</Code>\n  \
             <Message>The specified bucket does not exist.</Message>\n  \
             <RequestId>5C3D9175B6FC201293AD4890</RequestId>\n  \
             <HostId>gone.oss-cn-hangzhou.aliyuncs.com</HostId>\n  <BucketName>gone</BucketName>\n  \
             <EC>0015-00000101</EC>\n  \
             <RecommendDoc>http://oss-cn-hangzhou.aliyuncs.com/_countersign/docs/errors/NoSuchBucket</RecommendDoc>\n</Error>\n"
        );
    }

    #[test]
    fn stays_xml_whatever_the_client_sent() {
        let error = WireError::new(ErrorCode::InvalidArgument)
            .with_element("ArgumentValue", "<a href=\"x\">&\u{0}\u{1b}\r\n</Error>");
        let xml = error.to_xml("R", "h", "http://h");
        assert!(
            xml.contains(
                "<ArgumentValue>&lt;a href=\"x\"&gt;&amp;\u{fffd}\u{fffd}&#13;\n&lt;/Error&gt;</ArgumentValue>"
            ),
            "{xml}"
        );
        assert_eq!(xml.matches("</Error>").count(), 1);
    }

    #[test]
    fn an_error_links_to_the_page_of_its_topic_and_else_of_its_code() {
        let error = WireError::new(ErrorCode::CallbackFailed).with_ec(crate::ec::CALLBACK_STATUS);
        let link = |error: &WireError| {
            let xml = error.to_xml("R", "h", "http://h/errors");
            let (_, rest) = xml.split_once("<RecommendDoc>").unwrap();
            rest.split_once('<').unwrap().0.to_owned()
        };
        assert_eq!(link(&error), "http://h/errors/CallbackFailed");
        assert_eq!(link(&error.with_topic("timed-out")), "http://h/errors/timed-out");
    }
}
