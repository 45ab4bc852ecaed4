//! Who shares are divided among: client addresses, keys of header-signed requests, destinations of callbacks.

use std::net::{IpAddr, Ipv6Addr};

use countersign_protocol::callback::CallbackUrl;

/// How many leading bits of an IPv6 address are one customer's: the rest is that customer's to choose.
const V6_CUSTOMER_BITS: u32 = 64;

/// A client's address as shares count it: an IPv4 address, or the /64 of an IPv6 one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClientNetwork(IpAddr);

impl From<IpAddr> for ClientNetwork {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let mask = u128::MAX << (u128::BITS - V6_CUSTOMER_BITS);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// Who an upload counts to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum UploadHolder {
    /// A client: forms, signed URLs and anonymous requests. One key signs all users' forms, so that it says nothing
    /// about who sends them.
    Client(ClientNetwork),
    /// The key that signed the request's headers; only who has the secret can count here.
    Key(String),
}

/// Where a callback goes, as shares count it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CallbackDestination {
    tls: bool,
    host: String,
    port: u16,
}

impl From<&CallbackUrl> for CallbackDestination {
    fn from(url: &CallbackUrl) -> Self {
        // A name with its final dot is the same name.
        let host = url.host.strip_suffix('.').unwrap_or(&url.host).to_ascii_lowercase();
        Self { tls: url.tls, host, port: url.port }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> ClientNetwork {
        ClientNetwork::from(address.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn an_ipv6_address_counts_by_its_64_bits_and_an_ipv4_address_by_all() {
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }

    #[test]
    fn a_destination_is_scheme_host_and_port_in_one_spelling() {
        let of = |url: &str| CallbackDestination::from(&CallbackUrl::parse(url).unwrap());
        assert_eq!(of("http://App.Example.com/a?b=c"), of("http://app.example.com.:80/"));
        assert_ne!(of("https://app.example.com:80/"), of("http://app.example.com/"));
        assert_ne!(of("http://app.example.com:81/"), of("http://app.example.com/"));
    }
}
