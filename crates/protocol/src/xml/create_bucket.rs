//! Reads the optional body of PutBucket (BKT-3).

use super::XmlError;
use super::element::read;

const BYTES_MAX: usize = 16 * 1024;
const STORAGE_CLASSES: [&str; 5] = ["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"];
const REDUNDANCY_TYPES: [&str; 2] = ["LRS", "ZRS"];

/// What a new bucket is to be like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateBucketConfiguration {
    /// `Standard` and so on.
    pub storage_class: Option<String>,
    /// `LRS` or `ZRS`.
    pub data_redundancy_type: Option<String>,
    /// The region that older SDKs name, `oss-cn-hangzhou`.
    pub location_constraint: Option<String>,
}

impl CreateBucketConfiguration {
    /// Reads the body; an empty one asks for nothing.
    ///
    /// # Errors
    /// [`XmlError`] for a document that is not well-formed, and for unknown elements and values.
    ///
    /// ```
    /// use countersign_protocol::xml::CreateBucketConfiguration;
    ///
    /// assert_eq!(CreateBucketConfiguration::parse(b"")?, CreateBucketConfiguration::default());
    /// let asked = b"<CreateBucketConfiguration><StorageClass>IA</StorageClass></CreateBucketConfiguration>";
    /// assert_eq!(CreateBucketConfiguration::parse(asked)?.storage_class.as_deref(), Some("IA"));
    /// # Ok::<(), countersign_protocol::xml::XmlError>(())
    /// ```
    pub fn parse(bytes: &[u8]) -> Result<Self, XmlError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let root = read(bytes, "CreateBucketConfiguration", BYTES_MAX)?;
        root.only(&["StorageClass", "DataRedundancyType", "LocationConstraint"])?;
        let one_of =
            |words: &'static [&'static str]| move |text: &str| words.contains(&text).then(|| text.to_owned());
        Ok(Self {
            storage_class: root.value_of("StorageClass", one_of(&STORAGE_CLASSES))?,
            data_redundancy_type: root.value_of("DataRedundancyType", one_of(&REDUNDANCY_TYPES))?,
            location_constraint: root.text_of("LocationConstraint")?.map(|text| text.trim().to_owned()),
        })
    }
}
