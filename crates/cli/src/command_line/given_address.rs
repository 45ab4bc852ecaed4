//! Parses addresses as flags give them: those to call, those to listen on, and the origins of pages.

use std::net::SocketAddr;

/// An address without a slash at its end.
pub(super) fn base_url(text: &str) -> Result<String, String> {
    let refusal = || "write http://HOST[:PORT] or https://HOST[:PORT]".to_owned();
    let url = reqwest::Url::parse(text).map_err(|_| refusal())?;
    let plain = matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
    if plain && url.has_host() && url.username().is_empty() {
        Ok(url.as_str().trim_end_matches('/').to_owned())
    } else {
        Err(refusal())
    }
}

/// The whole address of a key, kept as it was written: receivers compare it.
pub(super) fn key_url(text: &str) -> Result<String, String> {
    base_url(text)?;
    Ok(text.to_owned())
}

/// An address to listen on: `127.0.0.1:9817`, `[::1]:9817` or `localhost:9817`.
pub(super) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let spelled = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let spelled = spelled.as_deref().unwrap_or(text);
    spelled.parse().map_err(|_| "write ADDRESS:PORT, as in 127.0.0.1:9817".to_owned())
}

/// `https://www.example.com`, `http://127.0.0.1:8000`, or `*`.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let refusal = || "write SCHEME://HOST[:PORT] as the browser's address bar has it, or *".to_owned();
    if text == "*" {
        return Ok(text.to_owned());
    }
    let url = reqwest::Url::parse(text).map_err(|_| refusal())?;
    let origin = url.origin();
    let bare =
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if bare && origin.is_tuple() { Ok(origin.ascii_serialization()) } else { Err(refusal()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_spelled_as_browsers_send_it() {
        assert_eq!(origin("https://www.Example.com/").unwrap(), "https://www.example.com");
        assert_eq!(origin("http://127.0.0.1:8000").unwrap(), "http://127.0.0.1:8000");
        assert_eq!(origin("https://a.example:443").unwrap(), "https://a.example");
        assert_eq!(origin("*").unwrap(), "*");
        for bad in
            ["www.example.com", "https://a.example/page", "https://u@a.example", "null", "", "file:///x"]
        {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }
}
