//! Chooses the store's address for a client: the one of this machine's addresses that the client demonstrably
//! reaches.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The addresses of one service, from which one is chosen for each asker.
#[derive(Debug, Clone)]
pub(crate) struct Reachable {
    scheme: &'static str,
    listening: Vec<SocketAddr>,
    public: Option<String>,
}

impl Reachable {
    /// A service that listens on these addresses, and is known to the world under `public` where given.
    pub(crate) fn new(secure: bool, listening: Vec<SocketAddr>, public: Option<String>) -> Self {
        Reachable { scheme: if secure { "https" } else { "http" }, listening, public }
    }

    /// The address for someone who reached this machine at `local`: the public one where there is one; else
    /// the service's address of the same number; else its first.
    pub(crate) fn url_for(&self, local: IpAddr) -> String {
        if let Some(public) = &self.public {
            return public.clone();
        }
        let same = self.listening.iter().find(|address| address.ip() == local);
        let everywhere = self.listening.iter().find(|address| address.ip().is_unspecified());
        match (same, everywhere) {
            (Some(address), _) => self.url(*address),
            (None, Some(address)) if !local.is_unspecified() => {
                self.url(SocketAddr::new(local, address.port()))
            }
            _ => self.own_url(),
        }
    }

    /// The address for this machine itself, whatever the world calls the service.
    pub(crate) fn own_url(&self) -> String {
        self.url(self.own_address())
    }

    /// The address and port for this machine itself.
    pub(crate) fn own_address(&self) -> SocketAddr {
        let loopback = self.listening.iter().find(|address| address.ip().is_loopback());
        let first = loopback.or(self.listening.first()).copied();
        let first = first.unwrap_or_else(|| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0));
        if first.ip().is_unspecified() {
            SocketAddr::new(Ipv4Addr::LOCALHOST.into(), first.port())
        } else {
            first
        }
    }

    /// The addresses by which this machine is reached here; one that listens everywhere stands for `all`.
    pub(crate) fn origins(&self, all: &[IpAddr]) -> Vec<String> {
        let mut origins = vec![self.own_url(), self.own_url().replace("//127.0.0.1", "//localhost")];
        for address in &self.listening {
            if address.ip().is_unspecified() {
                origins.extend(all.iter().map(|ip| self.url(SocketAddr::new(*ip, address.port()))));
            } else {
                origins.push(self.url(*address));
            }
        }
        origins.sort();
        origins.dedup();
        origins
    }

    /// Whether anything but this machine can come here.
    pub(crate) fn is_open(&self) -> bool {
        self.listening.iter().any(|address| !address.ip().is_loopback())
    }

    /// The address that others can come to; where everything is listened on, the one that `find` knows.
    pub(crate) fn open_address(&self, find: impl FnOnce() -> Option<IpAddr>) -> Option<IpAddr> {
        let open = self.listening.iter().map(SocketAddr::ip).find(|ip| !ip.is_loopback())?;
        if open.is_unspecified() { find() } else { Some(open) }
    }

    fn url(&self, address: SocketAddr) -> String {
        format!("{}://{address}", self.scheme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reachable(addresses: &[&str], public: Option<&str>) -> Reachable {
        let listening = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Reachable::new(false, listening, public.map(str::to_owned))
    }

    fn url_for(reachable: &Reachable, local: &str) -> String {
        reachable.url_for(local.parse().unwrap())
    }

    #[test]
    fn a_phone_gets_the_address_it_came_by() {
        let store = reachable(&["127.0.0.1:9817", "192.168.1.5:9817"], None);
        assert_eq!(url_for(&store, "192.168.1.5"), "http://192.168.1.5:9817");
        assert_eq!(url_for(&store, "127.0.0.1"), "http://127.0.0.1:9817");
    }

    #[test]
    fn a_listener_on_every_address_is_reached_by_the_same_number() {
        let store = reachable(&["0.0.0.0:9817"], None);
        assert_eq!(url_for(&store, "10.0.0.3"), "http://10.0.0.3:9817");
        assert_eq!(store.own_url(), "http://127.0.0.1:9817");
        let six = reachable(&["[::]:9817"], None);
        assert_eq!(url_for(&six, "::1"), "http://[::1]:9817");
    }

    #[test]
    fn an_address_that_is_not_its_own_is_never_given_out() {
        let store = reachable(&["127.0.0.1:9817"], None);
        assert_eq!(url_for(&store, "192.168.1.5"), "http://127.0.0.1:9817");
    }

    #[test]
    fn the_public_address_takes_precedence() {
        let store = reachable(&["127.0.0.1:9817"], Some("https://store.example.com"));
        assert_eq!(url_for(&store, "127.0.0.1"), "https://store.example.com");
        assert_eq!(store.own_url(), "http://127.0.0.1:9817");
    }

    #[test]
    fn the_origins_are_its_own_addresses_and_no_other() {
        let page = reachable(&["127.0.0.1:9818", "192.168.1.5:9818"], None);
        let all: Vec<IpAddr> = vec!["10.0.0.3".parse().unwrap()];
        assert_eq!(
            page.origins(&all),
            ["http://127.0.0.1:9818", "http://192.168.1.5:9818", "http://localhost:9818"]
        );
        let everywhere = reachable(&["0.0.0.0:9818"], None);
        assert_eq!(
            everywhere.origins(&all),
            ["http://10.0.0.3:9818", "http://127.0.0.1:9818", "http://localhost:9818"]
        );
    }

    #[test]
    fn a_listener_is_open_unless_it_is_on_loopback() {
        assert!(!reachable(&["127.0.0.1:1", "[::1]:1"], None).is_open());
        assert!(reachable(&["0.0.0.0:1"], None).is_open());
        let open = |addresses| reachable(addresses, None).open_address(|| "10.0.0.9".parse().ok());
        assert_eq!(open(&["127.0.0.1:1", "[::1]:1"]), None);
        assert_eq!(open(&["127.0.0.1:1", "10.0.0.1:1"]), "10.0.0.1".parse().ok());
        assert_eq!(open(&["0.0.0.0:1"]), "10.0.0.9".parse().ok());
    }
}
