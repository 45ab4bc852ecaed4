//! Writes the result of GetBucketAcl and GetObjectAcl (BKT-11, OBJ-18).

use super::Owner;
use super::writer::XmlWriter;

/// Who owns it and what anyone may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessControlPolicy {
    /// Whose it is.
    pub owner: Owner,
    /// The word of the list: `private`, `public-read`, `public-read-write`, or an object's `default`.
    pub grant: &'static str,
}

impl AccessControlPolicy {
    /// The document.
    ///
    /// ```
    /// use countersign_protocol::xml::{AccessControlPolicy, Owner};
    ///
    /// let answer = AccessControlPolicy { owner: Owner { id: "42".to_owned() }, grant: "public-read" };
    /// assert!(answer.to_xml().contains("<AccessControlList><Grant>public-read</Grant></AccessControlList>"));
    /// ```
    pub fn to_xml(&self) -> String {
        let mut writer = XmlWriter::new("AccessControlPolicy");
        writer.owner(&self.owner);
        writer.open("AccessControlList");
        writer.leaf("Grant", self.grant);
        writer.finish()
    }
}
