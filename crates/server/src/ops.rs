//! The operations, one file each, by the names of the API reference. Each gets the request's context, its
//! head and its body, and gives an answer or an error; common headers are set by the caller.

pub(crate) mod bucket;
pub(crate) mod delete_multiple_objects;
pub(crate) mod delete_object;
pub(crate) mod get_object;
pub(crate) mod head_object;
pub(crate) mod listing;
pub(crate) mod object_acl;
pub(crate) mod object_meta;
pub(crate) mod option_object;
pub(crate) mod own_page;
pub(crate) mod post_object;
pub(crate) mod put_object;
