//! Which operation a request asks for: host, path, method and query in, an [`Operation`] out.
//!
//! Pure and closed: every operation that protocol 04 names is found by name. One that is not built is
//! [`Operation::NotBuilt`] with that name and never falls through to another operation, so that
//! `DELETE /?policy` cannot delete a bucket. The words that choose an operation are data, in
//! [`crate::request::subresource`]; what an operation does not name is refused in `query_parameter.rs`.

use countersign_protocol::url_encoding;
use http::Method;
use percent_encoding::percent_decode_str;

use super::query_parameter;
use crate::request::host::Addressed;
use crate::request::query::Query;
use crate::request::subresource;

/// The path under which the store's own pages live, on the bare endpoint only. No bucket name can hold `_`.
pub(crate) const OWN_PATH: &str = "/_countersign/";

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// The account: the bare endpoint without a bucket.
    Service,
    /// A page of the store itself: what follows [`OWN_PATH`].
    Own(String),
    /// A bucket, by a name not yet checked.
    Bucket(String),
    /// An object: bucket name and key, decoded but neither checked.
    Object {
        /// The bucket's name as the host or the path gave it.
        bucket: String,
        /// The key's bytes, percent-decoded.
        key: Vec<u8>,
    },
}

impl Location {
    /// Finds bucket and key. `path` is the raw path; its escapes are decoded, and a bare `+` is a space, as in a
    /// query: clients that form-encode their keys mean that, and a plus is written `%2B`. `//`, `.` and `..` are
    /// parts of a key like any other.
    pub(crate) fn find(addressed: &Addressed, path: &str) -> Self {
        match addressed {
            Addressed::Bucket(bucket) => Self::of(bucket.clone(), path.strip_prefix('/').unwrap_or(path)),
            Addressed::Endpoint => {
                if let Some(own) = path.strip_prefix(OWN_PATH) {
                    return Self::Own(own.to_owned());
                }
                let rest = path.strip_prefix('/').unwrap_or(path);
                if rest.is_empty() {
                    return Self::Service;
                }
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                Self::of(percent_decode_str(bucket).decode_utf8_lossy().into_owned(), key)
            }
        }
    }

    fn of(bucket: String, raw_key: &str) -> Self {
        if raw_key.is_empty() {
            return Self::Bucket(bucket);
        }
        Self::Object { bucket, key: url_encoding::decode_query(raw_key) }
    }

    /// The bucket, if the request names one.
    pub(crate) fn bucket(&self) -> Option<&str> {
        match self {
            Self::Service | Self::Own(_) => None,
            Self::Bucket(bucket) | Self::Object { bucket, .. } => Some(bucket),
        }
    }

    /// The word OSS uses for it in `ResourceType`.
    pub(crate) fn resource_type(&self) -> &'static str {
        match self {
            Self::Service | Self::Own(_) => "SERVICE",
            Self::Bucket(_) => "BUCKET",
            Self::Object { .. } => "OBJECT",
        }
    }
}

/// The operations of the API, by the names of its reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    ListBuckets,
    PutBucket,
    DeleteBucket,
    HeadBucket,
    GetBucketInfo,
    GetBucketLocation,
    GetBucketAcl,
    PutBucketAcl,
    GetBucketCors,
    PutBucketCors,
    DeleteBucketCors,
    GetBucketLifecycle,
    PutBucketLifecycle,
    DeleteBucketLifecycle,
    ListObjects,
    ListObjectsV2,
    ListObjectVersions,
    ListMultipartUploads,
    ListLiveChannel,
    DeleteMultipleObjects,
    PostObject,
    PutObject,
    GetObject,
    HeadObject,
    GetObjectMeta,
    DeleteObject,
    GetObjectAcl,
    /// `OPTIONS`: the preflight of a browser.
    OptionObject,
    /// An operation of the API that this store does not have, by its name.
    NotBuilt(&'static str),
}

/// Why no operation was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RouteError {
    /// The API has no such method on this resource.
    #[error("the method is not allowed against this resource")]
    MethodNotAllowed,
    /// A word of the API that this store does not know on this resource.
    #[error("the word {0} belongs to an operation that is not served here")]
    WordNotServed(String),
    /// A parameter that neither the operation nor the API knows, where none is ignored.
    #[error("the query parameter {name:?} is not one of this operation")]
    UnknownParameter {
        /// The parameter's name, decoded.
        name: String,
        /// Its value, decoded; empty for a bare name.
        value: String,
    },
}

/// Finds the operation. `copies` says whether the request has the header `x-oss-copy-source`, the one header
/// that turns an operation into another.
pub(crate) fn operation(
    method: &Method,
    location: &Location,
    query: &Query,
    copies: bool,
) -> Result<Operation, RouteError> {
    if method == Method::OPTIONS {
        return Ok(Operation::OptionObject);
    }
    let rows = match location {
        Location::Own(_) => return Err(RouteError::MethodNotAllowed),
        Location::Service => subresource::SERVICE,
        Location::Bucket(_) => subresource::BUCKET,
        Location::Object { .. } => subresource::OBJECT,
    };
    let row = rows.iter().find(|row| row.matches(query));
    let found = match row {
        Some(row) => row.operation(method, copies),
        None => plain(method, location, query, copies),
    };
    let Some(found) = found else {
        // A word that has no row here says more than the method.
        let word = query_parameter::foreign_word(query).filter(|_| row.is_none());
        return Err(
            word.map_or(RouteError::MethodNotAllowed, |word| RouteError::WordNotServed(word.to_owned()))
        );
    };
    query_parameter::check(found, query)?;
    Ok(found)
}

/// The operation without any sub-resource.
fn plain(method: &Method, location: &Location, query: &Query, copies: bool) -> Option<Operation> {
    Some(match (location, method.as_str()) {
        (Location::Service, "GET") => Operation::ListBuckets,
        (Location::Bucket(_), "GET") if query.get("list-type") == Some("2") => Operation::ListObjectsV2,
        (Location::Bucket(_), "GET") => Operation::ListObjects,
        (Location::Bucket(_), "PUT") => Operation::PutBucket,
        (Location::Bucket(_), "DELETE") => Operation::DeleteBucket,
        (Location::Bucket(_), "HEAD") => Operation::HeadBucket,
        (Location::Bucket(_), "POST") => Operation::PostObject,
        (Location::Object { .. }, "PUT") if copies => Operation::NotBuilt("CopyObject"),
        (Location::Object { .. }, "PUT") => Operation::PutObject,
        (Location::Object { .. }, "GET") => Operation::GetObject,
        (Location::Object { .. }, "HEAD") => Operation::HeadObject,
        (Location::Object { .. }, "DELETE") => Operation::DeleteObject,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
