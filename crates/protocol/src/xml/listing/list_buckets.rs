//! Writes the result of ListBuckets (LIST-13 to LIST-15).

use jiff::Timestamp;

use crate::iso_time;
use crate::xml::Owner;
use crate::xml::writer::XmlWriter;

/// One bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketEntry {
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
}

/// The page, written only when the listing was asked for in pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BucketPage {
    /// What names begin with.
    pub prefix: String,
    /// After which name the page begins.
    pub marker: String,
    /// How many names the page may have.
    pub max_keys: u32,
    /// Where the next page begins; its presence says that there is one.
    pub next_marker: Option<String>,
}

/// The buckets of an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListBuckets {
    /// Whose they are.
    pub owner: Owner,
    /// In the order of their names.
    pub buckets: Vec<BucketEntry>,
    /// The page, where there is more than one or one was asked for.
    pub page: Option<BucketPage>,
}

impl ListBuckets {
    /// The document.
    ///
    /// ```
    /// use countersign_protocol::xml::{BucketPage, ListBuckets, Owner};
    ///
    /// let page = BucketPage { max_keys: 100, next_marker: Some("photos".to_owned()), ..Default::default() };
    /// let owner = Owner { id: "42".to_owned() };
    /// let xml = ListBuckets { owner, buckets: Vec::new(), page: Some(page) }.to_xml();
    /// assert!(xml.contains("<IsTruncated>true</IsTruncated><NextMarker>photos</NextMarker><Owner><ID>42</ID>"), "{xml}");
    /// ```
    pub fn to_xml(&self) -> String {
        let mut writer = XmlWriter::new("ListAllMyBucketsResult");
        if let Some(page) = &self.page {
            writer.leaf("Prefix", &page.prefix);
            writer.leaf("Marker", &page.marker);
            writer.plain("MaxKeys", page.max_keys);
            writer.plain("IsTruncated", page.next_marker.is_some());
            writer.optional("NextMarker", page.next_marker.as_ref());
        }
        writer.owner(&self.owner);
        writer.open("Buckets");
        for bucket in &self.buckets {
            writer.open("Bucket");
            writer.leaf("CreationDate", iso_time::format(bucket.creation_date));
            writer.leaf("ExtranetEndpoint", &bucket.extranet_endpoint);
            writer.leaf("IntranetEndpoint", &bucket.intranet_endpoint);
            writer.leaf("Location", format!("oss-{}", bucket.region));
            writer.leaf("Name", &bucket.name);
            writer.leaf("Region", &bucket.region);
            writer.leaf("ResourceGroupId", &bucket.resource_group_id);
            writer.leaf("StorageClass", &bucket.storage_class);
            writer.close();
        }
        writer.finish()
    }
}
