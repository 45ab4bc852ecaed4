//! Tells by which addresses a request came.

use std::net::IpAddr;

use countersign_server::listen::Peer;
use http::request::Parts;

/// Both ends of the connection that the request came by.
pub(super) fn peer_of(extensions: &http::Extensions) -> Peer {
    extensions.get::<Peer>().copied().unwrap_or_default()
}

/// The address of this machine that the request came to.
pub(super) fn arrived_at(parts: &Parts) -> IpAddr {
    peer_of(&parts.extensions).local.ip()
}
