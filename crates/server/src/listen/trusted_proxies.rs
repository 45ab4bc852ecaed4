//! Finds the client's address of a request: the connection's, or the one that a trusted proxy names in
//! `X-Forwarded-For`.
//!
//! Each proxy appends the address that it was called from. So the list is read from its right end, one step for
//! each hop that is trusted; the first address that is not trusted is the client, and whatever stands left of it
//! was written by that client. `docs/decisions/whose-address-a-request-has.md`.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::HeaderMap;

use crate::callback::destination_guard::{AllowedNetwork, AllowedNetworkError};

/// A network whose connections come from proxies that say truly whom they speak for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustedProxy(AllowedNetwork);

/// Why a text is no such network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustedProxyError {
    /// It is no network.
    #[error(transparent)]
    Network(#[from] AllowedNetworkError),
    /// It names a port.
    #[error(
        "a proxy's connections come from any port; write the network alone, as in 10.0.0.5 or 10.0.0.0/8"
    )]
    Port,
    /// It covers every address.
    #[error("trusting every address lets every client say that it is another one")]
    Everybody,
}

impl FromStr for TrustedProxy {
    type Err = TrustedProxyError;

    /// Reads an address or a network, as in `10.0.0.5` or `fd00::/8`.
    fn from_str(text: &str) -> Result<Self, TrustedProxyError> {
        let network: AllowedNetwork = text.parse()?;
        if network.has_port() {
            return Err(TrustedProxyError::Port);
        }
        if network.is_everything() {
            return Err(TrustedProxyError::Everybody);
        }
        Ok(Self(network))
    }
}

/// All of them; none unless the operator says so.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<TrustedProxy>);

impl FromIterator<TrustedProxy> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = TrustedProxy>>(proxies: I) -> Self {
        Self(proxies.into_iter().collect())
    }
}

impl TrustedProxies {
    /// Whether an address is one of theirs.
    pub fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|proxy| proxy.0.covers(SocketAddr::new(address, 0)))
    }

    /// Whether no proxy is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The client's address of a request that came from `nearest`. What cannot be read, and `unknown`, ends the
    /// search at the last hop that is known.
    pub(super) fn client(&self, mut nearest: IpAddr, headers: &HeaderMap) -> IpAddr {
        if self.0.is_empty() || !self.trust(nearest) {
            return nearest;
        }
        let lines = headers.get_all("x-forwarded-for").iter().rev();
        let hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for hop in hops {
            match std::str::from_utf8(hop).ok().and_then(address_of) {
                Some(address) if self.trust(nearest) => nearest = address,
                _ => break,
            }
        }
        nearest
    }
}

/// One entry: an address, with a port or in brackets where a proxy writes them.
fn address_of(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim_matches([' ', '\t']);
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    let address =
        bare.parse::<IpAddr>().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|with| with.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[&str]) -> String {
        let proxies = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"].map(|text| text.parse().unwrap());
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", http::HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        TrustedProxies::from_iter(proxies).client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn the_right_most_address_that_is_not_trusted_is_the_client() {
        assert_eq!(client("127.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(client("127.0.0.1", &["6.6.6.6, 192.0.2.1"]), "192.0.2.1", "the left one is its own word");
        assert_eq!(client("127.0.0.1", &["6.6.6.6, 192.0.2.1,10.1.2.3 , 10.0.0.1"]), "192.0.2.1");
        assert_eq!(client("127.0.0.1", &["6.6.6.6", "192.0.2.1", "10.1.2.3"]), "192.0.2.1", "several lines");
        assert_eq!(client("127.0.0.1", &["10.9.9.9, 10.0.0.1"]), "10.9.9.9", "all are trusted");
        assert_eq!(client("127.0.0.1", &[]), "127.0.0.1");
    }

    #[test]
    fn ignores_forwarded_addresses_from_untrusted_peers() {
        assert_eq!(client("192.0.2.7", &["6.6.6.6"]), "192.0.2.7");
        assert_eq!(client("192.0.2.7", &["6.6.6.6", "127.0.0.1"]), "192.0.2.7");
        let none = TrustedProxies::default();
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", http::HeaderValue::from_static("6.6.6.6"));
        assert_eq!(none.client("127.0.0.1".parse().unwrap(), &headers).to_string(), "127.0.0.1");
    }

    #[test]
    fn reads_ports_brackets_and_ipv6_and_stops_at_what_it_cannot_read() {
        assert_eq!(client("127.0.0.1", &["192.0.2.1:4711"]), "192.0.2.1");
        assert_eq!(client("127.0.0.1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(client("127.0.0.1", &["[2001:db8::1]"]), "2001:db8::1");
        assert_eq!(client("127.0.0.1", &["6.6.6.6, [2001:db8::1]:80, fd00::2"]), "2001:db8::1");
        assert_eq!(client("127.0.0.1", &["::ffff:192.0.2.1"]), "192.0.2.1");
        for unreadable in
            ["unknown", "_hidden", "", "192.0.2", "192.0.2.1.5", "fe80::1%eth0", "\"192.0.2.1\"", "é"]
        {
            assert_eq!(
                client("127.0.0.1", &[&format!("6.6.6.6, {unreadable}")]),
                "127.0.0.1",
                "{unreadable}"
            );
            let behind = format!("6.6.6.6, {unreadable}, 10.0.0.1");
            assert_eq!(client("127.0.0.1", &[&behind]), "10.0.0.1", "{unreadable}");
        }
    }

    #[test]
    fn refuses_ports_and_the_whole_internet() {
        assert!("10.0.0.0/8".parse::<TrustedProxy>().is_ok());
        assert_eq!("10.0.0.1:80".parse::<TrustedProxy>(), Err(TrustedProxyError::Port));
        assert_eq!("0.0.0.0/0".parse::<TrustedProxy>(), Err(TrustedProxyError::Everybody));
        assert_eq!("::/0".parse::<TrustedProxy>(), Err(TrustedProxyError::Everybody));
        assert!(matches!("proxy.example".parse::<TrustedProxy>(), Err(TrustedProxyError::Network(_))));
    }
}
