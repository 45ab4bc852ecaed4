//! The only unsafe code that ships: MD5 and RSA-MD5 signing from aws-lc, and `sync_file_range`.
//!
//! Each module is one foreign interface behind a safe type, with the argument for its soundness written
//! where the call is.

mod md5;
mod rsa_md5_key;
mod write_back;

pub use md5::Md5;
pub use rsa_md5_key::{RsaKeyError, RsaMd5Key};
pub use write_back::sync_file_range_write;
