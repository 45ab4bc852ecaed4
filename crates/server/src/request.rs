//! One request as operations see it: what was asked, of what, and with which headers.

pub(crate) mod context;
pub mod framing;
pub(crate) mod host;
pub(crate) mod location;
pub(crate) mod object_version;
pub(crate) mod query;
pub(crate) mod request_body;
pub(crate) mod unserved_header;

use http::request::Parts;

use crate::request::location::Location;
use crate::request::query::Query;

/// The head of a request, resolved. The body travels beside it.
#[derive(Debug)]
pub(crate) struct Call {
    /// Method, URI, headers.
    pub(crate) parts: Parts,
    /// The value of `Host` as sent; also `HostId` of errors.
    pub(crate) host: String,
    /// What the request is about.
    pub(crate) location: Location,
    /// The decoded query.
    pub(crate) query: Query,
}

impl Call {
    /// A header's value as text, where it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The bucket the request names, not yet checked.
    pub(crate) fn bucket(&self) -> Option<&str> {
        self.location.bucket()
    }
}
