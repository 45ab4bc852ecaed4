//! The OSS wire, pure: bytes in, values out; sign and verify side by side.
//!
//! Nothing here reads a clock, opens a socket or awaits: the present moment is an argument, a body is pushed
//! in pieces, and an RSA private key is a function handed in by the caller. What the server verifies is
//! therefore by construction what the application side signs.

pub mod access_key;
pub mod acl;
pub mod authorization;
pub mod bucket_name;
pub mod byte_range;
pub mod callback;
pub mod credential_scope;
pub mod ec;
pub mod error_code;
pub mod error_xml;
pub mod etag;
pub mod form;
pub mod http_date;
pub mod iso_time;
pub mod object_key;
pub mod policy;
pub mod post_signature;
pub mod url_encoding;
pub mod xml;

pub use access_key::AccessKeySecret;
pub use acl::{Acl, ObjectAcl};
pub use bucket_name::BucketName;
pub use credential_scope::CredentialScope;
pub use error_code::ErrorCode;
pub use error_xml::WireError;
pub use object_key::ObjectKey;
