//! The XML documents of the API (GEN-4 to GEN-6, GEN-23): results are written, requests are read. No result carries a
//! namespace, because clients then find no element (GEN-5).
//!
//! Reading is bounded and refuses document types, entities and whatever element it does not know; writing
//! escapes text and leaves out what is absent. What a document means is the server's question, and a document that one
//! operation alone reads or writes may stand in the file of that operation, made with [`read`] and [`XmlWriter`].

mod access_control;
mod bucket_info;
mod cors;
mod create_bucket;
mod delete_objects;
mod element;
mod lifecycle;
mod listing;
mod post_response;
mod writer;
mod xml_error;

pub use access_control::AccessControlPolicy;
pub use bucket_info::{BucketInfo, location_constraint};
pub use cors::{CorsConfiguration, CorsRule};
pub use create_bucket::CreateBucketConfiguration;
pub use delete_objects::{DeleteObjects, DeleteResult, Deleted, ObjectToDelete};
pub use element::{Element, read};
pub use lifecycle::{AbortMultipartUpload, Expiration, LifecycleConfiguration, LifecycleRule};
pub use listing::list_buckets::{BucketEntry, BucketPage, ListBuckets};
pub use listing::list_object_versions::{ListObjectVersions, NULL_VERSION};
pub use listing::list_objects::{ListObjects, ListObjectsV2, ObjectEntry};
pub use listing::pending_lists::{NoLiveChannels, NoMultipartUploads};
pub use post_response::PostResponse;
pub use writer::{XmlWriter, is_writable};
pub use xml_error::XmlError;

use crate::url_encoding::encode;

/// Whether names in a listing are percent-encoded: `encoding-type=url`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NameEncoding {
    /// As they are. Control characters cannot be written in XML and become U+FFFD.
    #[default]
    None,
    /// Percent-encoded, a slash included.
    Url,
}

impl NameEncoding {
    /// Reads the query's `encoding-type`; `None` for any other word than `url` in any letter case.
    ///
    /// ```
    /// use countersign_protocol::xml::NameEncoding;
    ///
    /// assert_eq!(NameEncoding::parse("URL"), Some(NameEncoding::Url));
    /// assert_eq!(NameEncoding::parse("base64"), None);
    /// ```
    pub fn parse(word: &str) -> Option<Self> {
        word.eq_ignore_ascii_case("url").then_some(Self::Url)
    }

    fn apply(self, name: &str) -> String {
        match self {
            Self::None => name.to_owned(),
            Self::Url => encode(name),
        }
    }
}

/// An owner; OSS shows the account number for both id and display name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The account number.
    pub id: String,
}

#[cfg(test)]
mod tests;
