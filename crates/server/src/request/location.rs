//! Finds bucket and key of a request in its host and its path. Whether they exist, and whether the names are legal,
//! is not checked here.
//!
//! Clauses ADDR-1 to ADDR-5.

use countersign_protocol::url_encoding;
use percent_encoding::percent_decode_str;

use crate::request::host::Addressed;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_and_key_come_from_host_or_path() {
        let object = |bucket: &str, key: &str| Location::Object { bucket: bucket.into(), key: key.into() };
        let table = [
            (None, "/", Location::Service),
            (None, "", Location::Service),
            (None, "/demo", Location::Bucket("demo".into())),
            (None, "/demo/", Location::Bucket("demo".into())),
            (None, "/demo/key", object("demo", "key")),
            (None, "//key", object("", "key")),
            (None, "/demo//key", object("demo", "/key")),
            (None, "/demo/a/../b", object("demo", "a/../b")),
            (None, "/_countersign/healthz", Location::Own("healthz".into())),
            (Some("demo"), "/", Location::Bucket("demo".into())),
            (Some("demo"), "", Location::Bucket("demo".into())),
            (Some("demo"), "/_countersign/healthz", object("demo", "_countersign/healthz")),
            (Some("demo"), "/demo/key", object("demo", "demo/key")),
            (Some("demo"), "//a//", object("demo", "/a//")),
            (Some("demo"), "/a+b%2Bc%25%E5%9B%BE", object("demo", "a b+c%图")),
        ];
        for (host, path, expected) in table {
            let addressed = host.map_or(Addressed::Endpoint, |bucket| Addressed::Bucket(bucket.to_owned()));
            assert_eq!(Location::find(&addressed, path), expected, "{host:?} {path}");
        }
    }
}
