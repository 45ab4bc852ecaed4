//! Reads where the administration listener is to be: an address, or `none`.

use std::net::SocketAddr;

use super::given_address::listen_address;

/// The value of `--admin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AdminAddress {
    /// There is none.
    None,
    /// At this address.
    At(SocketAddr),
}

/// The parser of the flag.
pub(super) fn admin_address(text: &str) -> Result<AdminAddress, String> {
    if text == "none" {
        return Ok(AdminAddress::None);
    }
    let refusal = |_| "write ADDRESS:PORT, as in 127.0.0.1:9819, or none".to_owned();
    listen_address(text).map(AdminAddress::At).map_err(refusal)
}
