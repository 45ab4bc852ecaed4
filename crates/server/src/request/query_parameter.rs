//! Which query parameters an operation names, and what becomes of one that it does not.
//!
//! A word of the API that the operation does not name belongs to another operation: the request is refused by
//! that word, so that no word ever reaches an operation that ignores it. A name that the API does not know is
//! ignored when it has a value, as OSS does; without one it could be a word that is newer than this list, so
//! it is refused, but where clients write cache busters. Deleting a bucket takes no parameter at all.

use countersign_protocol::authorization::sub_resource;

use crate::request::query::Query;
use crate::request::route::{Operation, RouteError};

/// What makes a URL a signed one, in V1 and V4.
const SIGNATURE: &[&str] = &[
    "OSSAccessKeyId",
    "Expires",
    "Signature",
    "x-oss-signature-version",
    "x-oss-credential",
    "x-oss-signature",
];
/// What belongs to the signature of a signed URL besides.
const IN_SIGNED_URL: &[&str] =
    &["security-token", "x-oss-date", "x-oss-expires", "x-oss-additional-headers", "x-oss-security-token"];
/// Who pays. The owner of this store does, whatever is said.
const PAYER: &str = "x-oss-request-payer";
/// What narrows a list, of whatever version.
const LIST: &[&str] = &[
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "key-marker",
    "list-type",
    "marker",
    "max-keys",
    "max-uploads",
    "prefix",
    "start-after",
    "upload-id-marker",
    "version-id-marker",
];
/// What replaces headers of an object that is read.
const RESPONSE_HEADERS: &[&str] = &[
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
];

impl Operation {
    /// The parameters of the operation itself, beside its signature's.
    fn parameters(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::ListBuckets | Self::ListObjects => &[LIST],
            Self::ListObjectsV2 => &[LIST, &["continuation-token"]],
            Self::ListObjectVersions => &[LIST, &["versions"]],
            Self::ListMultipartUploads => &[LIST, &["uploads"]],
            Self::ListLiveChannel => &[LIST, &["live"]],
            Self::GetBucketInfo => &[&["bucketInfo"]],
            Self::GetBucketLocation => &[&["location"]],
            Self::GetBucketAcl | Self::PutBucketAcl => &[&["acl"]],
            Self::GetBucketCors | Self::PutBucketCors | Self::DeleteBucketCors => &[&["cors"]],
            Self::GetBucketLifecycle | Self::PutBucketLifecycle | Self::DeleteBucketLifecycle => {
                &[&["lifecycle"]]
            }
            Self::DeleteMultipleObjects => &[&["delete", "encoding-type"]],
            Self::PutObject => &[&["callback", "callback-var", "x-oss-traffic-limit"]],
            Self::GetObject => &[RESPONSE_HEADERS, &["versionId", "x-oss-traffic-limit"]],
            Self::HeadObject | Self::DeleteObject => &[&["versionId"]],
            Self::GetObjectMeta => &[&["objectMeta", "versionId"]],
            Self::GetObjectAcl => &[&["acl", "versionId"]],
            Self::PutBucket
            | Self::DeleteBucket
            | Self::HeadBucket
            | Self::PostObject
            | Self::OptionObject
            | Self::NotBuilt(_) => &[],
        }
    }

    fn names(self, parameter: &str) -> bool {
        (parameter == PAYER && self != Self::DeleteBucket)
            || self.parameters().iter().any(|group| group.contains(&parameter))
    }

    fn reads_an_object(self) -> bool {
        matches!(self, Self::GetObject | Self::HeadObject | Self::GetObjectMeta | Self::GetObjectAcl)
    }

    fn is_on_an_object(self) -> bool {
        self.reads_an_object() || matches!(self, Self::PutObject | Self::DeleteObject)
    }

    /// Whether pages write a bare number behind such a URL to get past a cache.
    fn has_cache_busters(self) -> bool {
        self.reads_an_object() || self == Self::PostObject
    }
}

/// Whether a parameter is part of the signature of this URL. Any operation may be asked for by a signed URL.
fn signs(query: &Query, parameter: &str) -> bool {
    SIGNATURE.contains(&parameter)
        || (IN_SIGNED_URL.contains(&parameter) && SIGNATURE.iter().any(|name| query.has(name)))
}

/// The first word of the API in a query that is not part of a signature.
pub(super) fn foreign_word(query: &Query) -> Option<&str> {
    let mut names = query.iter().map(|(name, _)| name);
    names.find(|name| sub_resource::is_word(name) && !signs(query, name))
}

/// Refuses a query with a parameter that is not the operation's.
pub(super) fn check(operation: Operation, query: &Query) -> Result<(), RouteError> {
    // A preflight carries the query of the request that it asks about and does nothing itself; an operation
    // that is not built is refused in any case.
    if matches!(operation, Operation::OptionObject | Operation::NotBuilt(_)) {
        return Ok(());
    }
    for (name, value) in query.iter() {
        // Without versions, `null` is the object itself, whatever is done with it.
        let itself = operation.is_on_an_object() && name == "versionId" && value == "null";
        if itself || operation.names(name) || signs(query, name) {
            continue;
        }
        if sub_resource::is_word(name) {
            return Err(RouteError::WordNotServed(name.to_owned()));
        }
        let ignored = if value.is_empty() {
            operation.has_cache_busters()
        } else {
            operation != Operation::DeleteBucket
        };
        if !ignored {
            return Err(RouteError::UnknownParameter { name: name.to_owned(), value: value.to_owned() });
        }
    }
    Ok(())
}
