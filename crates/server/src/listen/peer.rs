//! Who is at the other end of a connection.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Who is at the other end of the connection; every request carries it as an extension.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Address and port.
    pub address: SocketAddr,
    /// The client's address: the other end's own, or what a trusted proxy there says of whom it speaks for.
    pub client: IpAddr,
    /// The address of this machine that the connection came to, as the system knows it: unlike the Host
    /// header it cannot be made up, and whoever came to it can come to it again.
    pub local: SocketAddr,
    /// Whether the connection is TLS.
    pub secure: bool,
}

impl Default for Peer {
    fn default() -> Self {
        let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        Self { address: nowhere, client: nowhere.ip(), local: nowhere, secure: false }
    }
}
