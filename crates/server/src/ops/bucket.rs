//! The operations on a bucket itself: its life, its access control list, its rules, what it says of itself.

pub(crate) mod acl;
pub(crate) mod cors;
pub(crate) mod delete_bucket;
pub(crate) mod head_bucket;
pub(crate) mod info;
pub(crate) mod lifecycle;
pub(crate) mod location;
pub(crate) mod put_bucket;
