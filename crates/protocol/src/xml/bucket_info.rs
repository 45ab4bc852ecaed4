//! Writes the results of GetBucketInfo and GetBucketLocation (BKT-8, BKT-9).

use jiff::Timestamp;

use super::Owner;
use super::writer::XmlWriter;
use crate::acl::Acl;
use crate::iso_time;

/// What a bucket says of itself. What is not offered (monitoring, replication, versions) is written as off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketInfo {
    /// The name.
    pub name: String,
    /// When it was made.
    pub creation_date: Timestamp,
    /// Where clients reach it; they do connect to this.
    pub extranet_endpoint: String,
    /// The same from inside.
    pub intranet_endpoint: String,
    /// The region, `cn-hangzhou`; `Location` is written with `oss-` in front.
    pub region: String,
    /// `Standard` and so on.
    pub storage_class: String,
    /// The resource group it belongs to.
    pub resource_group_id: String,
    /// `LRS` and so on.
    pub data_redundancy_type: String,
    /// Whose it is.
    pub owner: Owner,
    /// What anyone may do.
    pub acl: Acl,
}

impl BucketInfo {
    /// The document.
    ///
    /// Source: BKT-8.
    ///
    /// ```
    /// use countersign_protocol::Acl;
    /// use countersign_protocol::xml::{BucketInfo, Owner};
    ///
    /// let info = BucketInfo {
    ///     name: "demo".to_owned(),
    ///     creation_date: "2026-11-22T12:00:00Z".parse()?,
    ///     extranet_endpoint: "127.0.0.1:9817".to_owned(),
    ///     intranet_endpoint: "127.0.0.1:9817".to_owned(),
    ///     region: "cn-hangzhou".to_owned(),
    ///     storage_class: "Standard".to_owned(),
    ///     resource_group_id: "rg-1".to_owned(),
    ///     data_redundancy_type: "LRS".to_owned(),
    ///     owner: Owner { id: "42".to_owned() },
    ///     acl: Acl::Private,
    /// };
    /// let xml = info.to_xml();
    /// assert!(xml.contains("<Location>oss-cn-hangzhou</Location><Name>demo</Name>"), "{xml}");
    /// assert!(xml.contains("<Grant>private</Grant>"));
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn to_xml(&self) -> String {
        let mut writer = XmlWriter::new("BucketInfo");
        writer.open("Bucket");
        writer.leaf("AccessMonitor", "Disabled");
        writer.plain("BlockPublicAccess", false);
        writer.leaf("Comment", "");
        writer.leaf("CreationDate", iso_time::format(self.creation_date));
        writer.leaf("CrossRegionReplication", "Disabled");
        writer.leaf("DataRedundancyType", &self.data_redundancy_type);
        writer.leaf("ExtranetEndpoint", &self.extranet_endpoint);
        writer.leaf("IntranetEndpoint", &self.intranet_endpoint);
        writer.leaf("Location", format!("oss-{}", self.region));
        writer.leaf("Name", &self.name);
        writer.leaf("ResourceGroupId", &self.resource_group_id);
        writer.leaf("StorageClass", &self.storage_class);
        writer.leaf("TransferAcceleration", "Disabled");
        writer.owner(&self.owner);
        writer.open("AccessControlList");
        writer.leaf("Grant", self.acl.as_str());
        writer.close();
        writer.open("BucketPolicy");
        writer.leaf("LogBucket", "");
        writer.leaf("LogPrefix", "");
        writer.close();
        writer.open("ServerSideEncryptionRule");
        writer.leaf("SSEAlgorithm", "None");
        writer.finish()
    }
}

/// The document of GetBucketLocation for a region such as `cn-hangzhou`.
///
/// ```
/// let xml = countersign_protocol::xml::location_constraint("cn-hangzhou");
/// assert!(xml.ends_with("<LocationConstraint>oss-cn-hangzhou</LocationConstraint>"));
/// ```
pub fn location_constraint(region: &str) -> String {
    let mut writer = XmlWriter::new("LocationConstraint");
    writer.text(format!("oss-{region}"));
    writer.finish()
}
