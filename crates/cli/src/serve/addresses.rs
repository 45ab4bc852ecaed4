//! The addresses of a start of `serve`, and who can come to the page by them.

use std::net::{IpAddr, SocketAddr};

use crate::network::reachable::Reachable;

/// The addresses of this start.
pub(super) struct Addresses {
    pub(super) store: Reachable,
    pub(super) app: Reachable,
    /// The local network's, when it was asked for or is listened on among all.
    pub(super) lan: Option<IpAddr>,
    /// Where the store calls the application.
    pub(super) callback: SocketAddr,
    pub(super) reach: Reach,
}

/// Who can come to the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// This machine only.
    Home,
    /// Others too, by an address of their own; what comes over loopback is from home.
    Network,
    /// Others too, and what comes over loopback may be theirs: a proxy hands it on, or loopback itself was
    /// named as the address for others.
    Anyhow,
}

impl Reach {
    pub(super) fn of(app: &Reachable, lan: Option<IpAddr>, public: Option<&str>, proxied: bool) -> Self {
        if proxied || public.is_some() || lan.is_some_and(|lan| lan.is_loopback()) {
            Reach::Anyhow
        } else if lan.is_some() || app.is_open() {
            Reach::Network
        } else {
            Reach::Home
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(listening: &[&str], lan: Option<&str>, public: Option<&str>, proxied: bool) -> Reach {
        let listening = listening.iter().map(|address| address.parse().unwrap()).collect();
        Reach::of(
            &Reachable::new(false, listening, None),
            lan.map(|lan| lan.parse().unwrap()),
            public,
            proxied,
        )
    }

    #[test]
    fn only_loopback_needs_no_token() {
        assert_eq!(reach(&["127.0.0.1:1"], None, None, false), Reach::Home);
        assert_eq!(
            reach(&["127.0.0.1:1", "192.168.1.5:1"], Some("192.168.1.5"), None, false),
            Reach::Network
        );
        assert_eq!(reach(&["0.0.0.0:1"], None, None, false), Reach::Network);
    }

    #[test]
    fn behind_a_proxy_loopback_needs_a_token_too() {
        assert_eq!(reach(&["127.0.0.1:1"], None, Some("https://up.example.com"), false), Reach::Anyhow);
        assert_eq!(reach(&["127.0.0.1:1"], Some("127.0.0.1"), None, false), Reach::Anyhow);
        assert_eq!(
            reach(&["127.0.0.1:1"], None, None, true),
            Reach::Anyhow,
            "--trusted-proxy says there is one"
        );
    }
}
