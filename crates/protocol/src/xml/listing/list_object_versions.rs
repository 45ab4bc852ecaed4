//! Writes the result of ListObjectVersions (LIST-10, LIST-11) for buckets that have no versioning: every object is its
//! own latest version, and there are no delete markers.

use super::list_objects::ObjectEntry;
use crate::xml::writer::XmlWriter;
use crate::xml::{NameEncoding, Owner};
use crate::{etag, iso_time};

/// The id of the version that an object without versions has.
pub const NULL_VERSION: &str = "null";

/// A page of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListObjectVersions {
    /// The bucket.
    pub name: String,
    /// What keys begin with.
    pub prefix: String,
    /// After which key the page begins.
    pub key_marker: String,
    /// After which version of that key, as asked.
    pub version_id_marker: String,
    /// How many names the page may have.
    pub max_keys: u32,
    /// What folds names into common prefixes.
    pub delimiter: String,
    /// How names are written.
    pub encoding: NameEncoding,
    /// Where the next page begins; its presence says that there is one.
    pub next_key_marker: Option<String>,
    /// The objects.
    pub versions: Vec<ObjectEntry>,
    /// Whose they are, where an entry does not say so itself.
    pub owner: Owner,
    /// The folded names.
    pub common_prefixes: Vec<String>,
}

impl ListObjectVersions {
    /// The document.
    ///
    /// ```
    /// use countersign_protocol::xml::{ListObjectVersions, NameEncoding, Owner};
    ///
    /// let page = ListObjectVersions {
    ///     name: "demo".to_owned(),
    ///     prefix: String::new(),
    ///     key_marker: String::new(),
    ///     version_id_marker: String::new(),
    ///     max_keys: 100,
    ///     delimiter: String::new(),
    ///     encoding: NameEncoding::None,
    ///     next_key_marker: Some("a.jpg".to_owned()),
    ///     versions: Vec::new(),
    ///     owner: Owner { id: "42".to_owned() },
    ///     common_prefixes: vec!["photos/".to_owned()],
    /// };
    /// let xml = page.to_xml();
    /// assert!(xml.contains("<NextKeyMarker>a.jpg</NextKeyMarker><NextVersionIdMarker>null</NextVersionIdMarker>"));
    /// assert!(xml.contains("<CommonPrefixes><Prefix>photos/</Prefix></CommonPrefixes>"));
    /// ```
    pub fn to_xml(&self) -> String {
        let encoded = |name: &str| self.encoding.apply(name);
        let mut writer = XmlWriter::new("ListVersionsResult");
        writer.leaf("Name", &self.name);
        writer.leaf("Prefix", encoded(&self.prefix));
        writer.leaf("KeyMarker", encoded(&self.key_marker));
        writer.leaf("VersionIdMarker", &self.version_id_marker);
        writer.plain("MaxKeys", self.max_keys);
        writer.leaf("Delimiter", encoded(&self.delimiter));
        if self.encoding == NameEncoding::Url {
            writer.leaf("EncodingType", "url");
        }
        writer.plain("IsTruncated", self.next_key_marker.is_some());
        if let Some(next) = &self.next_key_marker {
            writer.leaf("NextKeyMarker", encoded(next));
            writer.leaf("NextVersionIdMarker", NULL_VERSION);
        }
        for version in &self.versions {
            writer.open("Version");
            writer.leaf("Key", encoded(&version.key));
            writer.leaf("VersionId", NULL_VERSION);
            writer.plain("IsLatest", true);
            writer.leaf("LastModified", iso_time::format(version.last_modified));
            writer.leaf("ETag", etag::quoted(&version.etag));
            writer.leaf("Type", &version.object_type);
            writer.plain("Size", version.size);
            writer.leaf("StorageClass", &version.storage_class);
            writer.owner(version.owner.as_ref().unwrap_or(&self.owner));
            writer.close();
        }
        for prefix in &self.common_prefixes {
            writer.open("CommonPrefixes");
            writer.leaf("Prefix", encoded(prefix));
            writer.close();
        }
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_is_its_own_latest_version() {
        let page = ListObjectVersions {
            name: "demo".into(),
            prefix: "a/".into(),
            key_marker: String::new(),
            version_id_marker: String::new(),
            max_keys: 1,
            delimiter: String::new(),
            encoding: NameEncoding::Url,
            next_key_marker: Some("a/b c".into()),
            versions: vec![ObjectEntry {
                key: "a/b c".into(),
                last_modified: "2023-11-12T16:43:40Z".parse().unwrap(),
                etag: "00".into(),
                object_type: "Normal".into(),
                size: 3,
                storage_class: "Standard".into(),
                owner: None,
            }],
            owner: Owner { id: "1".into() },
            common_prefixes: Vec::new(),
        };
        assert_eq!(
            page.to_xml(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListVersionsResult><Name>demo</Name>\
             <Prefix>a%2F</Prefix><KeyMarker></KeyMarker><VersionIdMarker></VersionIdMarker>\
             <MaxKeys>1</MaxKeys><Delimiter></Delimiter><EncodingType>url</EncodingType>\
             <IsTruncated>true</IsTruncated><NextKeyMarker>a%2Fb%20c</NextKeyMarker>\
             <NextVersionIdMarker>null</NextVersionIdMarker><Version><Key>a%2Fb%20c</Key>\
             <VersionId>null</VersionId><IsLatest>true</IsLatest>\
             <LastModified>2023-11-12T16:43:40.000Z</LastModified><ETag>\"00\"</ETag><Type>Normal</Type>\
             <Size>3</Size><StorageClass>Standard</StorageClass><Owner><ID>1</ID>\
             <DisplayName>1</DisplayName></Owner></Version></ListVersionsResult>"
        );
    }
}
