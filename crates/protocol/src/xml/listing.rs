//! The results of the list operations: buckets, objects, versions, and what is pending (LIST-1 to LIST-15).

pub(super) mod list_buckets;
pub(super) mod list_object_versions;
pub(super) mod list_objects;
pub(super) mod pending_lists;
