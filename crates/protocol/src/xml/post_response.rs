//! Writes the answer of a form upload with `success_action_status=201` (POST-56).

use super::writer::XmlWriter;

/// Where the object is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostResponse {
    /// The bucket.
    pub bucket: String,
    /// The object's URL, encoded.
    pub location: String,
    /// The key.
    pub key: String,
    /// The tag; written without quotes.
    pub etag: String,
}

impl PostResponse {
    /// The document.
    ///
    /// ```
    /// use countersign_protocol::xml::PostResponse;
    ///
    /// let answer = PostResponse {
    ///     bucket: "demo".to_owned(),
    ///     location: "http://127.0.0.1:9817/demo/a.jpg".to_owned(),
    ///     key: "a.jpg".to_owned(),
    ///     etag: "D41D8CD98F00B204E9800998ECF8427E".to_owned(),
    /// };
    /// assert!(answer.to_xml().contains("<Key>a.jpg</Key><ETag>D41D8CD98F00B204E9800998ECF8427E</ETag></PostResponse>"));
    /// ```
    pub fn to_xml(&self) -> String {
        let mut writer = XmlWriter::new("PostResponse");
        writer.leaf("Bucket", &self.bucket);
        writer.leaf("Location", &self.location);
        writer.leaf("Key", &self.key);
        writer.leaf("ETag", &self.etag);
        writer.finish()
    }
}
