//! Refuses requests over loopback whose Host is not one of this machine's own names (DNS rebinding).
//!
//! Over loopback no token is asked for. Otherwise a foreign page, whose own name was made to lead to 127.0.0.1, would
//! have the same origin as this server and read signatures and ledger.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use countersign_app::answer::Answer;
use http::uri::Authority;
use http::{StatusCode, header};

use super::arrival::peer_of;

/// Where a callback comes in: it is signed, and its Host is whatever the signer chose as `callbackHost`.
const CALLBACK_PATH: &str = "/callback";

/// The name under which the world knows the page, besides its numbers and localhost.
#[derive(Debug, Clone)]
pub(crate) struct KnownHost {
    public: Option<String>,
}

impl KnownHost {
    /// With the public address of the page, where it has one.
    pub(crate) fn new(public_app_url: Option<&str>) -> Self {
        let authority = public_app_url.and_then(|url| url.split("://").nth(1)?.split('/').next());
        KnownHost { public: authority.and_then(name_of) }
    }

    fn knows(&self, host: &str) -> bool {
        let Some(name) = name_of(host) else { return false };
        let number = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
        number || name == "localhost" || name.ends_with(".localhost") || self.public.as_ref() == Some(&name)
    }
}

/// Passes on what asks for a known name.
pub(crate) async fn demand(State(known): State<Arc<KnownHost>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    let at_loopback = peer_of(request.extensions()).local.ip().is_loopback();
    let is_strange = at_loopback && host.is_some_and(|host| !known.knows(host));
    if is_strange && request.uri().path() != CALLBACK_PATH {
        let message = "this address answers to its number, to localhost and to the name in --public-app-url";
        return Answer::refusal(StatusCode::MISDIRECTED_REQUEST, "UnknownHost", message).into_response();
    }
    next.run(request).await
}

/// The host without its port, in lower case.
fn name_of(authority: &str) -> Option<String> {
    authority.parse::<Authority>().ok().map(|authority| authority.host().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_ip_addresses_localhost_and_the_public_name_only() {
        let known = KnownHost::new(Some("https://Photos.example.com:8443"));
        for host in ["127.0.0.1:9818", "[::1]:9818", "localhost", "a.localhost:1", "photos.example.com:8443"]
        {
            assert!(known.knows(host), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "a b"] {
            assert!(!known.knows(host), "{host}");
        }
        assert!(!KnownHost::new(None).knows("photos.example.com"));
    }
}
