//! The users that quotas are divided among: client addresses, keys of header-signed requests, destinations of
//! callbacks.

use countersign_protocol::callback::CallbackUrl;
use countersign_quota::client_network::ClientNetwork;

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

    #[test]
    fn a_destination_is_scheme_host_and_port_in_one_spelling() {
        let of = |url: &str| CallbackDestination::from(&CallbackUrl::parse(url).unwrap());
        assert_eq!(of("http://App.Example.com/a?b=c"), of("http://app.example.com.:80/"));
        assert_ne!(of("https://app.example.com:80/"), of("http://app.example.com/"));
        assert_ne!(of("http://app.example.com:81/"), of("http://app.example.com/"));
    }
}
