//! Writes empty results of ListMultipartUploads and ListLiveChannel (LIST-12). The store has
//! neither, but the clean-up of every SDK asks for them.

use crate::xml::NameEncoding;
use crate::xml::writer::XmlWriter;

/// The unfinished multipart uploads of a bucket: none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoMultipartUploads {
    /// The bucket.
    pub bucket: String,
    /// What keys begin with, as asked.
    pub prefix: String,
    /// What folds names into common prefixes, as asked.
    pub delimiter: String,
    /// After which key the page begins, as asked.
    pub key_marker: String,
    /// After which upload of that key, as asked.
    pub upload_id_marker: String,
    /// How many uploads the page may have.
    pub max_uploads: u32,
    /// How names are written.
    pub encoding: NameEncoding,
}

impl NoMultipartUploads {
    /// The document.
    ///
    /// ```
    /// use countersign_protocol::xml::{NameEncoding, NoMultipartUploads};
    ///
    /// let bucket = "demo".to_owned();
    /// let none = NoMultipartUploads { bucket, max_uploads: 1_000, encoding: NameEncoding::None, ..Default::default() };
    /// assert!(none.to_xml().contains("<MaxUploads>1000</MaxUploads><IsTruncated>false</IsTruncated>"));
    /// ```
    pub fn to_xml(&self) -> String {
        let mut writer = XmlWriter::new("ListMultipartUploadsResult");
        if self.encoding == NameEncoding::Url {
            writer.leaf("EncodingType", "url");
        }
        writer.leaf("Bucket", &self.bucket);
        writer.leaf("KeyMarker", self.encoding.apply(&self.key_marker));
        writer.leaf("UploadIdMarker", &self.upload_id_marker);
        writer.leaf("NextKeyMarker", "");
        writer.leaf("NextUploadIdMarker", "");
        writer.leaf("Delimiter", self.encoding.apply(&self.delimiter));
        writer.leaf("Prefix", self.encoding.apply(&self.prefix));
        writer.plain("MaxUploads", self.max_uploads);
        writer.plain("IsTruncated", false);
        writer.finish()
    }
}

/// The live channels of a bucket: none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoLiveChannels {
    /// What names begin with, as asked.
    pub prefix: String,
    /// After which name the page begins, as asked.
    pub marker: String,
    /// How many names the page may have.
    pub max_keys: u32,
}

impl NoLiveChannels {
    /// The document.
    pub fn to_xml(&self) -> String {
        let mut writer = XmlWriter::new("ListLiveChannelResult");
        writer.leaf("Prefix", &self.prefix);
        writer.leaf("Marker", &self.marker);
        writer.plain("MaxKeys", self.max_keys);
        writer.plain("IsTruncated", false);
        writer.leaf("NextMarker", "");
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_nothing_still_says_what_was_asked() {
        let uploads = NoMultipartUploads {
            bucket: "demo".into(),
            prefix: "a/".into(),
            max_uploads: 10,
            encoding: NameEncoding::Url,
            ..NoMultipartUploads::default()
        };
        let text = uploads.to_xml();
        assert!(text.contains("<EncodingType>url</EncodingType><Bucket>demo</Bucket>"), "{text}");
        assert!(text.contains("<Prefix>a%2F</Prefix><MaxUploads>10</MaxUploads>"), "{text}");
        assert!(text.ends_with("<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"), "{text}");
        let channels = NoLiveChannels { max_keys: 100, ..NoLiveChannels::default() };
        assert!(channels.to_xml().contains("<MaxKeys>100</MaxKeys><IsTruncated>false</IsTruncated>"));
    }
}
