//! Decides which addresses callbacks may go to (CB-46; SSRF): public ones, and the operator's allowed networks.
//!
//! Pure: it judges addresses. Resolving names and connecting is [`crate::callback::client`]'s, which connects to the
//! very address that was judged here. A name that resolves to several addresses is judged address by
//! address, so that one public entry cannot smuggle in a private one.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// A network that callbacks may go to although it is not public, and the one port there if only one is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllowedNetwork {
    /// The network's address; bits behind the prefix are zero.
    network: IpAddr,
    /// How many leading bits count.
    prefix_bits: u8,
    /// The only port, or any.
    port: Option<u16>,
}

/// Why a text names no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllowedNetworkError {
    /// The address cannot be read.
    #[error("{0:?} is no address or network; write 10.0.0.0/8, 127.0.0.1/32:9818 or [::1]/128:9818")]
    Address(String),
    /// The prefix cannot be read or is longer than the address.
    #[error("{0:?} is no prefix length for that address")]
    Prefix(String),
    /// The port cannot be read.
    #[error("{0:?} is no port")]
    Port(String),
}

impl AllowedNetwork {
    /// The network of exactly one address and port.
    pub fn exactly(address: SocketAddr) -> Self {
        let ip = address.ip().to_canonical();
        Self { network: ip, prefix_bits: address_bits(ip), port: Some(address.port()) }
    }

    /// Whether it is for one port only.
    pub(crate) fn has_port(&self) -> bool {
        self.port.is_some()
    }

    /// Whether it covers all addresses of its family.
    pub(crate) fn is_everything(&self) -> bool {
        self.prefix_bits == 0
    }

    /// Whether it covers an address.
    pub fn covers(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        self.port.is_none_or(|port| port == address.port())
            && self.network.is_ipv4() == ip.is_ipv4()
            && masked(ip, self.prefix_bits) == self.network
    }
}

impl FromStr for AllowedNetwork {
    type Err = AllowedNetworkError;

    /// Reads `CIDR[:PORT]`. A bare address is a network of one. An IPv6 network with a port is written
    /// `[fd00::]/8:443`.
    fn from_str(text: &str) -> Result<Self, AllowedNetworkError> {
        let bad_address = || AllowedNetworkError::Address(text.to_owned());
        let (address, rest) = if let Some(inner) = text.strip_prefix('[') {
            inner.split_once(']').ok_or_else(bad_address)?
        } else if text.matches(':').count() > 1 {
            text.split_at(text.find('/').unwrap_or(text.len()))
        } else {
            text.split_at(text.find(['/', ':']).unwrap_or(text.len()))
        };
        let ip: IpAddr = address.parse().map_err(|_| bad_address())?;
        let (prefix, port) = match rest.strip_prefix('/') {
            Some(rest) => match rest.split_once(':') {
                Some((prefix, port)) => (Some(prefix), Some(port)),
                None => (Some(rest), None),
            },
            None => (None, rest.strip_prefix(':')),
        };
        if prefix.is_none() && port.is_none() && !rest.is_empty() {
            return Err(bad_address());
        }
        let prefix_bits = match prefix {
            None => address_bits(ip),
            Some(digits) => {
                let bits = digits.parse().ok().filter(|bits| *bits <= address_bits(ip));
                bits.ok_or_else(|| AllowedNetworkError::Prefix(digits.to_owned()))?
            }
        };
        let port =
            port.map(|digits| digits.parse().map_err(|_| AllowedNetworkError::Port(digits.to_owned())));
        Ok(Self { network: masked(ip, prefix_bits), prefix_bits, port: port.transpose()? })
    }
}

impl fmt::Display for AllowedNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.network, self.port) {
            (IpAddr::V6(network), Some(_)) => write!(f, "[{network}]/{}", self.prefix_bits)?,
            (network, _) => write!(f, "{network}/{}", self.prefix_bits)?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// A destination that the operator has not permitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the callback address {address} is not public; --callback-allow {network} would permit it")]
pub(crate) struct DestinationRefused {
    /// Where the callback would have gone.
    pub address: SocketAddr,
    /// What the operator would have to list.
    pub network: AllowedNetwork,
}

impl DestinationRefused {
    /// The option that would permit the destination, as it is typed.
    pub(crate) fn option(&self) -> String {
        format!("--callback-allow {}", self.network)
    }
}

/// Decides about one address.
///
/// # Errors
/// [`DestinationRefused`] for an address that is neither public nor permitted.
pub(crate) fn check(
    address: SocketAddr,
    permitted: &[AllowedNetwork],
) -> Result<SocketAddr, DestinationRefused> {
    if is_public(address.ip()) || permitted.iter().any(|network| network.covers(address)) {
        return Ok(address);
    }
    Err(DestinationRefused { address, network: AllowedNetwork::exactly(address) })
}

/// Whether an address is one of the public Internet's: not special by the registries of RFC 6890.
fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => !V4_SPECIAL.iter().any(|(network, bits)| within_v4(ip, *network, *bits)),
        IpAddr::V6(ip) => {
            within_v6(ip, Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
                && !V6_SPECIAL.iter().any(|(network, bits)| within_v6(ip, *network, *bits))
        }
    }
}

/// The IPv4 networks that are not the public Internet.
const V4_SPECIAL: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The networks inside 2000::/3 that are not the public Internet or hide an IPv4 address: Teredo and the
/// other protocol assignments, 6to4, documentation.
const V6_SPECIAL: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

fn within_v4(ip: Ipv4Addr, network: Ipv4Addr, bits: u8) -> bool {
    masked(IpAddr::V4(ip), bits) == IpAddr::V4(network)
}

fn within_v6(ip: Ipv6Addr, network: Ipv6Addr, bits: u8) -> bool {
    masked(IpAddr::V6(ip), bits) == IpAddr::V6(network)
}

fn address_bits(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

/// The address with all but its leading bits cleared.
fn masked(ip: IpAddr, bits: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & mask))
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str, permitted: &[&str]) -> bool {
        let permitted: Vec<AllowedNetwork> = permitted.iter().map(|text| text.parse().unwrap()).collect();
        check(address.parse().unwrap(), &permitted).is_err()
    }

    #[test]
    fn refuses_every_range_that_is_not_the_public_internet() {
        for ip in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "203.0.113.9",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            assert!(refused(&format!("{ip}:80"), &[]), "{ip}");
            assert!(refused(&format!("[::ffff:{ip}]:80"), &[]), "mapped {ip}");
        }
        for ip in [
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2001:0:1::1",
            "100::1",
            "::7f00:1",
            "3fff::1",
            "4000::1",
        ] {
            assert!(refused(&format!("[{ip}]:80"), &[]), "{ip}");
        }
    }

    #[test]
    fn lets_public_addresses_through() {
        for address in [
            "8.8.8.8:80",
            "100.63.255.255:80",
            "100.128.0.0:80",
            "172.15.0.1:80",
            "172.32.0.1:80",
            "198.17.0.1:80",
            "223.255.255.255:443",
            "[2606:4700::1]:443",
            "[2400:3200::1]:443",
        ] {
            assert!(!refused(address, &[]), "{address}");
        }
    }

    #[test]
    fn an_allowed_network_may_name_one_port() {
        assert!(!refused("127.0.0.1:9818", &["127.0.0.1/32:9818"]));
        assert!(refused("127.0.0.1:9817", &["127.0.0.1/32:9818"]));
        assert!(refused("127.0.0.2:9818", &["127.0.0.1:9818"]));
        assert!(!refused("10.9.8.7:1", &["192.168.0.0/16", "10.0.0.0/8"]));
        assert!(!refused("[::ffff:10.9.8.7]:1", &["10.0.0.0/8"]));
        assert!(!refused("10.9.8.7:1", &["10.200.0.1/8"]), "host bits of a network are of no importance");
        assert!(!refused("[fd00::1]:443", &["[fd00::]/8:443"]));
        assert!(refused("[fd00::1]:444", &["[fd00::]/8:443"]));
        assert!(!refused("[::1]:5", &["::1"]));
        assert!(!refused("127.0.0.1:5", &["0.0.0.0/0"]));
    }

    #[test]
    fn the_refusal_names_the_line_that_would_permit_it() {
        let refusal = check("[::ffff:127.0.0.1]:8080".parse().unwrap(), &[]).unwrap_err();
        assert!(refusal.to_string().contains("--callback-allow 127.0.0.1/32:8080 "), "{refusal}");
        let line = refusal.network.to_string();
        assert_eq!(line.parse(), Ok(refusal.network));
        assert!(!refused("127.0.0.1:8080", &[&line]));
        let six = check("[::1]:81".parse().unwrap(), &[]).unwrap_err();
        assert_eq!(six.network.to_string(), "[::1]/128:81");
        assert_eq!("[::1]/128:81".parse(), Ok(six.network));
    }

    #[test]
    fn refuses_text_that_names_no_network() {
        for text in [
            "",
            "localhost",
            "10.0.0.0/33",
            "10.0.0.0/x",
            "10.0.0.1:http",
            "10.0.0.0/8:70000",
            "[::1",
            "::1/129",
            "[::1]x",
        ] {
            assert!(text.parse::<AllowedNetwork>().is_err(), "{text}");
        }
    }
}
