//! The results of the list operations: buckets, objects, versions, and what is pending (protocol 04 §1, §2, §6).

pub(super) mod list_buckets;
pub(super) mod list_object_versions;
pub(super) mod list_objects;
pub(super) mod pending_lists;
