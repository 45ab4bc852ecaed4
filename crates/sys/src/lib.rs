//! The only unsafe code that ships: MD5 and RSA-MD5 signing from aws-lc, `sync_file_range`, and
//! a layer under SQLite's log.
//!
//! Each module is one foreign interface behind a safe type, with the argument for its soundness written
//! where the call is.

mod gathered_log;
mod md5;
mod rsa_md5_key;
mod write_back;

pub use gathered_log::{gathered_log_vfs, sync_database};
pub use md5::Md5;
pub use rsa_md5_key::{RsaKeyError, RsaMd5Key};
pub use write_back::sync_file_range_write;
