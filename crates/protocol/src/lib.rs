//! The OSS wire, pure: bytes in, values out; sign and verify side by side.
