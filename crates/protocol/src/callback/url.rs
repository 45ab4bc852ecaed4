//! Parses a callback URL: scheme optional, host a name or a dotted address, no IPv6 literal, path and query already
//! encoded (CB-9 to CB-13). Whether the address may be called is the server's decision.

use std::fmt;
use std::net::Ipv4Addr;

/// A URL to be called, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackUrl {
    /// Whether it is https.
    pub tls: bool,
    /// The host: a name, or an IPv4 address in digits.
    pub host: String,
    /// The port, the scheme's own when none is written.
    pub port: u16,
    /// Host and port as written: the default `Host` header.
    pub authority: String,
    /// The path, still encoded; begins with a slash.
    pub path: String,
    /// The query without its question mark, still encoded.
    pub raw_query: Option<String>,
}

/// A URL whose spelling is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackUrlError {
    /// A scheme besides http and https.
    #[error("the scheme is neither http nor https")]
    Scheme,
    /// A byte that has to be percent-encoded, or must not occur at all.
    #[error("a character is neither printable ASCII nor percent-encoded")]
    Character,
    /// No host, a user name in front of it, or a host of impossible spelling.
    #[error("the host is invalid")]
    Host,
    /// A port that is no number from 1 to 65535.
    #[error("the port is invalid")]
    Port,
    /// A fragment, which would never be sent.
    #[error("a fragment is not sent")]
    Fragment,
}

impl CallbackUrl {
    /// Takes a URL apart.
    ///
    /// Source: CB-9 to CB-13.
    ///
    /// # Errors
    /// [`CallbackUrlError`]. Whether the address may be called is not judged here.
    ///
    /// ```
    /// use countersign_protocol::callback::{CallbackUrl, url::CallbackUrlError};
    ///
    /// let url = CallbackUrl::parse("app.example.com:8080/oss?id=1")?;
    /// assert_eq!((url.tls, url.host.as_str(), url.port), (false, "app.example.com", 8080));
    /// assert_eq!(url.path_and_query(), "/oss?id=1");
    ///
    /// assert_eq!(CallbackUrl::parse("http://user@app.example.com/"), Err(CallbackUrlError::Host));
    /// assert_eq!(CallbackUrl::parse("ftp://app.example.com/"), Err(CallbackUrlError::Scheme));
    /// assert!(CallbackUrl::parse("http://[::1]/").is_err(), "no IPv6 literal");
    /// assert_eq!(CallbackUrl::parse("http://2130706433/"), Err(CallbackUrlError::Host), "127.0.0.1 in disguise");
    /// # Ok::<(), CallbackUrlError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, CallbackUrlError> {
        // A backtick too: no client sends it as it is, and an object whose call cannot be sent is stored by then.
        let legal = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'`');
        if !text.bytes().all(legal) {
            return Err(CallbackUrlError::Character);
        }
        if text.contains('#') {
            return Err(CallbackUrlError::Fragment);
        }
        let (tls, rest, bare) = split_scheme(text)?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (host, port) = split_port(authority)?;
        // `my` is a slip of the pen, `http://my/` and `my:8080` are a container's name.
        check_host(host, !bare || port.is_some() || !tail.is_empty())?;
        let (path, raw_query) = match tail.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (tail, None),
        };
        Ok(Self {
            tls,
            host: host.to_owned(),
            port: port.unwrap_or(if tls { 443 } else { 80 }),
            authority: authority.to_owned(),
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
            raw_query,
        })
    }

    /// Path and query as they stand in the request line.
    pub fn path_and_query(&self) -> String {
        match &self.raw_query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }
}

impl CallbackUrl {
    /// Scheme, host and port, which is what a log may have of it: the address of a webhook often holds its token, in
    /// the path as well as in the query.
    ///
    /// ```
    /// use countersign_protocol::callback::CallbackUrl;
    /// let url = CallbackUrl::parse("https://app.example/hooks/s3cret?token=1").unwrap();
    /// assert_eq!(url.origin(), "https://app.example:443");
    /// ```
    pub fn origin(&self) -> String {
        format!("{}://{}:{}", if self.tls { "https" } else { "http" }, self.host, self.port)
    }
}

impl fmt::Display for CallbackUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(formatter, "{scheme}://{}{}", self.authority, self.path_and_query())
    }
}

/// Whether it is https, what follows the scheme, and whether there was none.
fn split_scheme(text: &str) -> Result<(bool, &str, bool), CallbackUrlError> {
    let Some((scheme, rest)) = text.split_once("://") else { return Ok((false, text, true)) };
    if scheme.eq_ignore_ascii_case("http") {
        Ok((false, rest, false))
    } else if scheme.eq_ignore_ascii_case("https") {
        Ok((true, rest, false))
    } else if scheme.contains(['/', '?', ':']) {
        // The query of a URL without scheme may itself hold one.
        Ok((false, text, true))
    } else {
        Err(CallbackUrlError::Scheme)
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), CallbackUrlError> {
    let Some((host, port)) = authority.split_once(':') else { return Ok((authority, None)) };
    if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CallbackUrlError::Port);
    }
    match port.parse() {
        Ok(port) if port > 0 => Ok((host, Some(port))),
        _ => Err(CallbackUrlError::Port),
    }
}

/// A dotted IPv4 address, or a name. What some resolver would read as an address in another notation
/// (`0x7f.1`, `2130706433`) is refused.
fn check_host(host: &str, single_label: bool) -> Result<(), CallbackUrlError> {
    if host.parse::<Ipv4Addr>().is_ok() {
        return Ok(());
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let labels: Vec<&str> = name.split('.').collect();
    let last_is_number = labels.last().is_some_and(|last| {
        let digits = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
        last.bytes().all(|byte| byte.is_ascii_digit())
            || digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    });
    let enough = labels.len() > 1 || single_label || name.eq_ignore_ascii_case("localhost");
    if name.len() > 253 || last_is_number || !enough || !labels.into_iter().all(label) {
        return Err(CallbackUrlError::Host);
    }
    Ok(())
}

/// Whether a text may stand in a `Host` header: name or address, and perhaps a port.
pub(super) fn is_host_header(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let (host, port) = text.split_once(':').unwrap_or((text, "0"));
    !host.is_empty()
        && text.len() <= 260
        && host.bytes().all(legal)
        && !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests;
