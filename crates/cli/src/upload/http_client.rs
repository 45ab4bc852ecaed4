//! Makes the HTTP client for the application server and for the store.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::{Client, Url};

/// A server that is there takes a connection within this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A client for an address; what is on this machine is never asked through a proxy.
pub(super) fn client_for(url: &Url) -> anyhow::Result<Client> {
    let builder =
        Client::builder().connect_timeout(CONNECT_TIMEOUT).redirect(reqwest::redirect::Policy::none());
    let builder = if is_loopback(url) { builder.no_proxy() } else { builder };
    builder.build().context("no HTTP client can be made")
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let named = host == "localhost" || host.ends_with(".localhost");
    named || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_known_in_all_its_spellings() {
        for local in [
            "http://127.0.0.1:1/",
            "http://127.9.9.9/",
            "http://[::1]:2/",
            "http://localhost/",
            "http://demo.localhost:3/",
        ] {
            assert!(is_loopback(&local.parse().unwrap()), "{local}");
        }
        for far in ["http://192.168.1.5/", "https://localhost.example.com/"] {
            assert!(!is_loopback(&far.parse().unwrap()), "{far}");
        }
    }
}
