//! The only unsafe code: RSA-MD5 signing and MD5 from aws-lc, sync_file_range.
