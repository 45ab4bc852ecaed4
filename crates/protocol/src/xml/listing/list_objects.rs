//! Writes the results of ListObjects, versions 1 and 2 (LIST-1 to LIST-9).

use jiff::Timestamp;

use crate::xml::writer::XmlWriter;
use crate::xml::{NameEncoding, Owner};
use crate::{etag, iso_time};

/// One object of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectEntry {
    /// The key.
    pub key: String,
    /// When it was last written.
    pub last_modified: Timestamp,
    /// The tag without quotes.
    pub etag: String,
    /// `Normal`, `Appendable`, `Multipart` or `Symlink`.
    pub object_type: String,
    /// Bytes.
    pub size: u64,
    /// `Standard` and so on.
    pub storage_class: String,
    /// Always in version 1, on demand in version 2.
    pub owner: Option<Owner>,
}

/// A page of version 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListObjects {
    /// The bucket.
    pub name: String,
    /// What keys begin with.
    pub prefix: String,
    /// After which name the page begins.
    pub marker: String,
    /// How many names the page may have.
    pub max_keys: u32,
    /// What folds names into common prefixes.
    pub delimiter: String,
    /// How names are written.
    pub encoding: NameEncoding,
    /// Where the next page begins; its presence says that there is one.
    pub next_marker: Option<String>,
    /// The objects.
    pub contents: Vec<ObjectEntry>,
    /// The folded names.
    pub common_prefixes: Vec<String>,
}

/// A page of version 2.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListObjectsV2 {
    /// The bucket.
    pub name: String,
    /// What keys begin with.
    pub prefix: String,
    /// After which name the listing begins, as asked.
    pub start_after: Option<String>,
    /// How many names the page may have.
    pub max_keys: u32,
    /// What folds names into common prefixes.
    pub delimiter: String,
    /// How names are written.
    pub encoding: NameEncoding,
    /// The token of this page, as asked.
    pub continuation_token: Option<String>,
    /// The token of the next page; its presence says that there is one.
    pub next_continuation_token: Option<String>,
    /// The objects.
    pub contents: Vec<ObjectEntry>,
    /// The folded names.
    pub common_prefixes: Vec<String>,
}

impl ListObjects {
    /// The document.
    ///
    /// Source: LIST-1 to LIST-7.
    ///
    /// ```
    /// use countersign_protocol::xml::{ListObjects, NameEncoding, ObjectEntry};
    ///
    /// let page = ListObjects {
    ///     name: "demo".to_owned(),
    ///     max_keys: 1,
    ///     encoding: NameEncoding::Url,
    ///     next_marker: Some("a b.jpg".to_owned()),
    ///     contents: vec![ObjectEntry {
    ///         key: "a b.jpg".to_owned(),
    ///         last_modified: "2026-11-22T12:00:00Z".parse()?,
    ///         etag: "D41D8CD98F00B204E9800998ECF8427E".to_owned(),
    ///         object_type: "Normal".to_owned(),
    ///         size: 0,
    ///         storage_class: "Standard".to_owned(),
    ///         owner: None,
    ///     }],
    ///     ..Default::default()
    /// };
    /// let xml = page.to_xml();
    /// assert!(xml.contains("<IsTruncated>true</IsTruncated><NextMarker>a%20b.jpg</NextMarker>"), "{xml}");
    /// assert!(xml.contains("<ETag>\"D41D8CD98F00B204E9800998ECF8427E\"</ETag>"));
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn to_xml(&self) -> String {
        let mut writer = XmlWriter::new("ListBucketResult");
        writer.leaf("Name", &self.name);
        writer.leaf("Prefix", self.encoding.apply(&self.prefix));
        writer.leaf("Marker", self.encoding.apply(&self.marker));
        writer.plain("MaxKeys", self.max_keys);
        writer.leaf("Delimiter", self.encoding.apply(&self.delimiter));
        encoding_type(&mut writer, self.encoding);
        writer.plain("IsTruncated", self.next_marker.is_some());
        writer.optional("NextMarker", self.next_marker.as_ref().map(|name| self.encoding.apply(name)));
        names(&mut writer, self.encoding, &self.contents, &self.common_prefixes);
        writer.finish()
    }
}

impl ListObjectsV2 {
    /// The document. A token is opaque but encoded like the names, because SDKs decode it with them.
    pub fn to_xml(&self) -> String {
        let encoded = |name: &Option<String>| name.as_ref().map(|name| self.encoding.apply(name));
        let mut writer = XmlWriter::new("ListBucketResult");
        writer.leaf("Name", &self.name);
        writer.leaf("Prefix", self.encoding.apply(&self.prefix));
        writer.optional("StartAfter", encoded(&self.start_after));
        writer.plain("MaxKeys", self.max_keys);
        writer.leaf("Delimiter", self.encoding.apply(&self.delimiter));
        encoding_type(&mut writer, self.encoding);
        writer.plain("IsTruncated", self.next_continuation_token.is_some());
        writer.optional("ContinuationToken", encoded(&self.continuation_token));
        writer.optional("NextContinuationToken", encoded(&self.next_continuation_token));
        writer.plain("KeyCount", self.contents.len() + self.common_prefixes.len());
        names(&mut writer, self.encoding, &self.contents, &self.common_prefixes);
        writer.finish()
    }
}

fn encoding_type(writer: &mut XmlWriter, encoding: NameEncoding) {
    if encoding == NameEncoding::Url {
        writer.leaf("EncodingType", "url");
    }
}

fn names(writer: &mut XmlWriter, encoding: NameEncoding, contents: &[ObjectEntry], prefixes: &[String]) {
    for entry in contents {
        writer.open("Contents");
        writer.leaf("Key", encoding.apply(&entry.key));
        writer.leaf("LastModified", iso_time::format(entry.last_modified));
        writer.leaf("ETag", etag::quoted(&entry.etag));
        writer.leaf("Type", &entry.object_type);
        writer.plain("Size", entry.size);
        writer.leaf("StorageClass", &entry.storage_class);
        if let Some(owner) = &entry.owner {
            writer.owner(owner);
        }
        writer.close();
    }
    for prefix in prefixes {
        writer.open("CommonPrefixes");
        writer.leaf("Prefix", encoding.apply(prefix));
        writer.close();
    }
}
