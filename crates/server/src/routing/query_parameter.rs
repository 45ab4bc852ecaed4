//! Refuses a query with a parameter that its operation does not accept.
//!
//! A word of the API that the operation does not name belongs to another operation: the request is refused by
//! that word, so that no word ever reaches an operation that ignores it. A name that the API does not know is
//! ignored when it has a value, as OSS does; without one it could be a word that is newer than this list, so
//! it is refused, but where clients write cache busters. What an operation accepts is said in its declaration.
//!
//! Clauses ADDR-10, ADDR-13, ADDR-14.

use countersign_protocol::authorization::sub_resource;

use crate::operations::operation::{Operation, Place, UnknownParameters};
use crate::request::query::Query;
use crate::routing::route_error::RouteError;

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
pub(super) fn check(operation: &Operation, query: &Query) -> Result<(), RouteError> {
    let unknown = operation.unknown_parameters;
    if unknown == UnknownParameters::Unread {
        return Ok(());
    }
    for (name, value) in query.iter() {
        // Without versions, `null` is the object itself, whatever is done with it.
        let itself = operation.place == Place::Object && name == "versionId" && value == "null";
        let payer = name == PAYER && unknown != UnknownParameters::Refused;
        if itself || payer || operation.accepts(name) || signs(query, name) {
            continue;
        }
        if sub_resource::is_word(name) {
            return Err(RouteError::WordNotServed(name.to_owned()));
        }
        let ignored = match unknown {
            UnknownParameters::Ignored | UnknownParameters::Unread => true,
            UnknownParameters::IgnoredWithValue => !value.is_empty(),
            UnknownParameters::Refused => false,
        };
        if !ignored {
            return Err(RouteError::UnknownParameter { name: name.to_owned(), value: value.to_owned() });
        }
    }
    Ok(())
}
