//! The names under which a bucket's settings are kept in the store, and the access control list among
//! them. What the other settings hold is the business of their operations.

use countersign_protocol::Acl;
use countersign_store::BucketRecord;

/// The bucket's access control list, as its word on the wire.
pub const ACL: &str = "acl";
/// The CORS rules, as the XML document that set them.
pub const CORS: &str = "cors";
/// The lifecycle rules, as the XML document that set them.
pub const LIFECYCLE: &str = "lifecycle";
/// The [mode](crate::bucket_rules::mode::BucketMode), as its word on the wire; absent is `compat`.
pub const MODE: &str = "mode";
/// The storage class, as its word on the wire.
pub const STORAGE_CLASS: &str = "storage-class";
/// How redundant all buckets are: on one machine.
pub(crate) const REDUNDANCY: &str = "LRS";
/// Puts a new bucket into a resource group, and narrows the list to one. This store has one.
pub(crate) const RESOURCE_GROUP_HEADER: &str = "x-oss-resource-group-id";
/// Its id.
pub(crate) const RESOURCE_GROUP_ID: &str = "rg-default";

/// The bucket's access control list. What is absent or unreadable is private.
pub(crate) fn acl(bucket: &BucketRecord) -> Acl {
    bucket
        .settings
        .get(ACL)
        .and_then(|word| std::str::from_utf8(word).ok())
        .and_then(|word| Acl::parse(word).ok())
        .unwrap_or(Acl::Private)
}

/// The storage class that the bucket was made with.
pub(crate) fn storage_class(bucket: &BucketRecord) -> &str {
    let word = bucket.settings.get(STORAGE_CLASS).and_then(|word| std::str::from_utf8(word).ok());
    word.unwrap_or("Standard")
}
