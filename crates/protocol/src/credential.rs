//! What requests and forms are signed with: the secret of an access key, and the V4 scope with its signing key.

pub mod access_key;
pub mod credential_scope;
