//! Reads the request of DeleteMultipleObjects and writes its result (OBJ-31).

use super::element::{boolean, read};
use super::writer::XmlWriter;
use super::{NameEncoding, XmlError};

const BYTES_MAX: usize = 2 * 1024 * 1024;
const OBJECTS_MAX: usize = 1000;

/// The request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteObjects {
    /// Whether a success is to be answered with an empty body.
    pub quiet: bool,
    /// What to delete, in order.
    pub objects: Vec<ObjectToDelete>,
}

/// One object of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectToDelete {
    /// The key as written; blanks at its ends belong to it.
    pub key: String,
    /// The version, where one is named.
    pub version_id: Option<String>,
}

impl DeleteObjects {
    /// Reads the request's body: 1 to 1,000 objects in at most 2 MB.
    ///
    /// # Errors
    /// [`XmlError`]: not well-formed, no object, too many of them, or an element that means nothing here.
    ///
    /// ```
    /// use countersign_protocol::xml::DeleteObjects;
    ///
    /// let asked = DeleteObjects::parse(b"<Delete><Object><Key> a.jpg</Key></Object><Quiet>true</Quiet></Delete>")?;
    /// assert!(asked.quiet);
    /// assert_eq!(asked.objects[0].key, " a.jpg", "the blank is part of the key");
    /// assert!(DeleteObjects::parse(b"<Delete></Delete>").is_err());
    /// # Ok::<(), countersign_protocol::xml::XmlError>(())
    /// ```
    pub fn parse(bytes: &[u8]) -> Result<Self, XmlError> {
        let root = read(bytes, "Delete", BYTES_MAX)?;
        root.only(&["Quiet", "Object"])?;
        if root.all("Object").count() > OBJECTS_MAX {
            return Err(XmlError::TooManyItems { name: "Object", items_max: OBJECTS_MAX });
        }
        let objects = root.all("Object").map(|object| {
            object.only(&["Key", "VersionId"])?;
            match object.text_of("Key")? {
                None | Some("") => Err(XmlError::Missing { name: "Key" }),
                Some(key) => Ok(ObjectToDelete {
                    key: key.to_owned(),
                    version_id: object.text_of("VersionId")?.map(|text| text.trim().to_owned()),
                }),
            }
        });
        let objects = objects.collect::<Result<Vec<_>, _>>()?;
        if objects.is_empty() {
            return Err(XmlError::Missing { name: "Object" });
        }
        Ok(Self { quiet: root.value_of("Quiet", boolean)?.unwrap_or(false), objects })
    }
}

/// The result when it is not quiet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeleteResult {
    /// How names are written.
    pub encoding: NameEncoding,
    /// What is gone, in the order of the request; what was never there counts as gone.
    pub deleted: Vec<Deleted>,
}

/// One deleted object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// The key.
    pub key: String,
    /// The version, where one was named.
    pub version_id: Option<String>,
}

impl DeleteResult {
    /// The document.
    ///
    /// ```
    /// use countersign_protocol::xml::{DeleteResult, Deleted, NameEncoding};
    ///
    /// let gone = Deleted { key: "a b.jpg".to_owned(), version_id: None };
    /// let xml = DeleteResult { encoding: NameEncoding::Url, deleted: vec![gone] }.to_xml();
    /// assert!(xml.contains("<EncodingType>url</EncodingType><Deleted><Key>a%20b.jpg</Key></Deleted>"), "{xml}");
    /// ```
    pub fn to_xml(&self) -> String {
        let mut writer = XmlWriter::new("DeleteResult");
        if self.encoding == NameEncoding::Url {
            writer.leaf("EncodingType", "url");
        }
        for deleted in &self.deleted {
            writer.open("Deleted");
            writer.leaf("Key", self.encoding.apply(&deleted.key));
            writer.optional("VersionId", deleted.version_id.as_ref());
            writer.close();
        }
        writer.finish()
    }
}
