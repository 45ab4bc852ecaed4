//! What requests act on: buckets and objects by name, and the access control lists they carry.

pub mod acl;
pub mod bucket_name;
pub mod object_key;
