//! The names of buckets and objects, and the access control lists that they carry.

pub mod acl;
pub mod bucket_name;
pub mod object_key;
