//! An object's head: what is kept beside its bytes, read from requests and shown in answers.

pub mod attribute_headers;
pub mod object_attributes;
pub(crate) mod object_headers;
pub(crate) mod object_version;
pub(crate) mod precondition;
