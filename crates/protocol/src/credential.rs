//! What requests and forms are signed with: the secret half of a key, and the V4 scope with its signing key.

pub mod access_key;
pub mod credential_scope;
