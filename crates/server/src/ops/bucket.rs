//! The operations on a bucket itself: its life, its access control list, its rules, what it says of itself.

pub(crate) mod bucket_acl;
pub(crate) mod bucket_cors;
pub(crate) mod bucket_info;
pub(crate) mod bucket_lifecycle;
pub(crate) mod bucket_location;
pub(crate) mod delete_bucket;
pub(crate) mod head_bucket;
pub(crate) mod put_bucket;
