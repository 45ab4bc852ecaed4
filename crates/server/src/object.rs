//! An object's head: what is kept beside its bytes, read from requests and shown in answers.

pub mod attribute_headers;
pub mod attributes;
pub(crate) mod etag;
pub(crate) mod precondition;
