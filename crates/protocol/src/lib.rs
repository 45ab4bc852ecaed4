//! The OSS wire, pure: bytes in, values out; sign and verify side by side.
//!
//! Nothing here reads a clock, opens a socket or awaits: the present moment is an argument, a body is pushed
//! in pieces, and an RSA private key is a function handed in by the caller. What the server verifies is
//! therefore by construction what the application side signs.
//!
//! Ids such as `POST-12` or `CB-20` are clauses of the wire's handbook, `docs/wire` in the repository.

pub mod authorization;
pub mod callback;
mod credential;
pub mod error_reference;
pub mod form;
pub mod image;
pub mod language;
mod notation;
pub mod policy;
pub mod post_signature;
mod resource;
#[cfg(test)]
mod test_vectors;
mod wire_refusal;
pub mod xml;

pub use credential::{access_key, access_key::AccessKeySecret};
pub use credential::{credential_scope, credential_scope::CredentialScope};
pub use notation::{byte_range, content_disposition, etag, http_date, iso_time, url_encoding};
pub use resource::{acl, acl::Acl, acl::ObjectAcl};
pub use resource::{bucket_name, bucket_name::BucketName};
pub use resource::{object_key, object_key::ObjectKey};
pub use wire_refusal::ec;
pub use wire_refusal::{error_code, error_code::ErrorCode};
pub use wire_refusal::{error_xml, error_xml::WireError};
