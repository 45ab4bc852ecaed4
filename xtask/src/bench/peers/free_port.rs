//! Finds a free port for a server that cannot find one itself.

use std::net::TcpListener;

/// A port of 127.0.0.1 that was free a moment ago.
pub(super) fn free_address() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
