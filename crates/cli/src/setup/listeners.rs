//! Binds the listeners: an address that was given is taken or refused; a default one moves to the next free port.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use countersign_server::listen::request_log::RequestLog;
use countersign_server::listen::{ListenOptions, TlsFiles};
use tokio::net::{TcpListener, TcpSocket};

use super::{process_limits, reload};
use crate::command_line::flag_groups::{ProxyFlags, TlsFlags};

/// How many ports are tried after a default one that is taken.
const PORTS_TRIED: u16 = 50;

/// How many connections may wait for being accepted, as far as the system permits. What comes beyond is tried
/// again by the other side a second later, so that a burst would see stalls that the store knows nothing of.
const CONNECTIONS_WAITING_MAX: u32 = 4096;

/// The address to listen on, and whether another port will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// This one or none.
    Given(SocketAddr),
    /// Loopback at this port, or at the next that is free.
    Default(u16),
}

impl Wanted {
    /// What was given, else loopback at the default port.
    pub(crate) fn or_default(given: Option<SocketAddr>, port: u16) -> Self {
        given.map_or(Wanted::Default(port), Wanted::Given)
    }
}

/// The listeners of one service; all have the same port.
#[derive(Debug)]
pub(crate) struct Bound {
    /// Open sockets, the first at the address that was wanted.
    pub(crate) listeners: Vec<TcpListener>,
    /// Their addresses, in the same order.
    pub(crate) addresses: Vec<SocketAddr>,
}

/// Binds what is wanted, and the same port on a second address where one is given.
pub(crate) async fn bind(wanted: Wanted, also: Option<IpAddr>) -> anyhow::Result<Bound> {
    match wanted {
        Wanted::Given(address) => bind_all(address, also).await.map_err(|error| refusal(&error)),
        Wanted::Default(first) => {
            for port in first..first.saturating_add(PORTS_TRIED) {
                match bind_all(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port), also).await {
                    Err(error) if error.cause.kind() == io::ErrorKind::AddrInUse => {}
                    other => return other.map_err(|error| refusal(&error)),
                }
            }
            bail!("the ports {first} to {} are all taken", first.saturating_add(PORTS_TRIED - 1))
        }
    }
}

struct BindError {
    address: SocketAddr,
    cause: io::Error,
}

fn refusal(error: &BindError) -> anyhow::Error {
    match error.cause.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow::anyhow!("the address {} is taken by another program", error.address)
        }
        io::ErrorKind::AddrNotAvailable => {
            anyhow::anyhow!("{} is no address of this machine", error.address.ip())
        }
        _ => anyhow::anyhow!("cannot listen on {}: {}", error.address, error.cause),
    }
}

async fn bind_all(address: SocketAddr, also: Option<IpAddr>) -> Result<Bound, BindError> {
    let first = bind_one(address)?;
    let bound = first.local_addr().map_err(|cause| BindError { address, cause })?;
    let mut all = Bound { addresses: vec![bound], listeners: vec![first] };
    // An unspecified address covers every other already.
    if let Some(ip) = also.filter(|ip| *ip != bound.ip() && !bound.ip().is_unspecified()) {
        let second = SocketAddr::new(ip, bound.port());
        all.listeners.push(bind_one(second)?);
        all.addresses.push(second);
    }
    Ok(all)
}

fn bind_one(address: SocketAddr) -> Result<TcpListener, BindError> {
    listening(address).map_err(|cause| BindError { address, cause })
}

fn listening(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A start right behind an end finds connections of the old process that are still closing.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(CONNECTIONS_WAITING_MAX)
}

/// How connections are treated, behind which proxies, and with TLS where a certificate was given; SIGHUP reads it again.
/// `servers` is how many of this process share its file descriptors.
pub(crate) fn options(
    tls: &TlsFlags,
    proxy: &ProxyFlags,
    request_log: RequestLog,
    servers: usize,
) -> anyhow::Result<ListenOptions> {
    let files = match (&tls.tls_cert, &tls.tls_key) {
        (Some(cert), Some(key)) => Some(tls_files(cert, key)?),
        _ => None,
    };
    let config = files.as_ref().map(TlsFiles::config).transpose()?;
    reload::on_hangup(files)?;
    let trusted_proxies = proxy.trusted_proxy.iter().copied().collect();
    let options = ListenOptions { trusted_proxies, tls: config, request_log, ..ListenOptions::default() };
    let connections_max = process_limits::connections_max(options.connections_max, servers);
    Ok(ListenOptions { connections_max, ..options })
}

fn tls_files(cert: &Path, key: &Path) -> anyhow::Result<Arc<TlsFiles>> {
    TlsFiles::open(cert, key).context("the certificate cannot be used")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_default_port_that_is_taken_gives_way_to_the_next() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let bound = bind(Wanted::Default(port), None).await.unwrap();
        assert!(bound.addresses[0].port() > port);
        assert!(bound.addresses[0].ip().is_loopback());
    }

    #[tokio::test]
    async fn a_given_address_that_is_taken_is_refused_by_name() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let error = bind(Wanted::Given(address), None).await.unwrap_err().to_string();
        assert_eq!(error, format!("the address {address} is taken by another program"));
    }

    #[tokio::test]
    async fn both_addresses_have_the_same_port() {
        let bound = bind(Wanted::Given("127.0.0.1:0".parse().unwrap()), Some("127.0.0.2".parse().unwrap()));
        let bound = bound.await.unwrap();
        assert_eq!(bound.listeners.len(), 2);
        assert_eq!(bound.addresses[0].port(), bound.addresses[1].port());
    }
}
