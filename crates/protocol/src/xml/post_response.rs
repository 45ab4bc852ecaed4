//! The answer of a form upload with `success_action_status=201` (protocol 01 §5).

use super::writer::Writer;

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
    pub fn to_xml(&self) -> String {
        let mut writer = Writer::new("PostResponse");
        writer.leaf("Bucket", &self.bucket);
        writer.leaf("Location", &self.location);
        writer.leaf("Key", &self.key);
        writer.leaf("ETag", &self.etag);
        writer.finish()
    }
}
