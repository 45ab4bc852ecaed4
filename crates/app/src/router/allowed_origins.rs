//! CORS headers of the signature endpoint: which pages of other origins may read its answer.
//!
//! Only the application server's own endpoints; the bucket's CORS rules belong to the store.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::admission::TOKEN_HEADER;

/// How long a browser may remember a preflight, in seconds.
const PREFLIGHT_SECONDS: &str = "600";

/// How many headers a preflight may ask for, and in how many bytes; more than that are not granted.
const ASKED_HEADERS_MAX: usize = 32;
const ASKED_BYTES_MAX: usize = 1024;

/// The origins whose pages may ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Only pages of this very address: no CORS header is sent.
    #[default]
    SameOnly,
    /// Every page, as the tutorial's samples answer. Cookies are never allowed along.
    Any,
    /// These, compared exactly (`https://app.example.com`). Cookies are allowed along where they decide.
    Listed(Vec<String>),
}

impl AllowedOrigins {
    /// Reads a list as it stands in a configuration: nothing, `*`, or origins.
    ///
    /// ```
    /// use countersign_app::router::allowed_origins::AllowedOrigins;
    ///
    /// let listed = ["https://app.example".to_owned()];
    /// assert_eq!(AllowedOrigins::from_list(listed.clone()), AllowedOrigins::Listed(listed.to_vec()));
    /// assert_eq!(AllowedOrigins::from_list([]), AllowedOrigins::SameOnly);
    /// assert_eq!(AllowedOrigins::from_list(["*".to_owned()]), AllowedOrigins::Any);
    /// ```
    pub fn from_list(origins: impl IntoIterator<Item = String>) -> Self {
        let origins: Vec<String> = origins.into_iter().collect();
        if origins.is_empty() {
            Self::SameOnly
        } else if origins.iter().any(|origin| origin == "*") {
            Self::Any
        } else {
            Self::Listed(origins)
        }
    }

    /// Adds the `Access-Control-…` headers that an answer to this request needs. With `credentials` pages of listed
    /// origins may send the user's cookies along, because these say who asks; any page may never.
    ///
    /// ```
    /// use countersign_app::router::allowed_origins::AllowedOrigins;
    /// use http::{HeaderMap, HeaderValue, header};
    ///
    /// let origins = AllowedOrigins::from_list(["https://app.example".to_owned()]);
    /// let answer_to = |origin: &'static str| {
    ///     let request = HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static(origin))]);
    ///     let mut answer = HeaderMap::new();
    ///     origins.apply(&request, true, &mut answer);
    ///     answer
    /// };
    /// assert_eq!(answer_to("https://app.example")["access-control-allow-origin"], "https://app.example");
    /// assert!(!answer_to("https://evil.example").contains_key("access-control-allow-origin"));
    /// ```
    pub fn apply(&self, request: &HeaderMap, credentials: bool, answer: &mut HeaderMap) {
        let origin = request.get(header::ORIGIN);
        let allowed = match self {
            Self::SameOnly => return,
            Self::Any => HeaderValue::from_static("*"),
            Self::Listed(list) => {
                // Also without an origin: a cache must not hand one page's answer to another.
                answer.append(header::VARY, HeaderValue::from_static("Origin"));
                match origin {
                    Some(origin) if list.iter().any(|listed| listed.as_bytes() == origin.as_bytes()) => {
                        origin.clone()
                    }
                    _ => return,
                }
            }
        };
        if origin.is_none() && *self != Self::Any {
            return;
        }
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        if credentials && *self != Self::Any {
            answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
        answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, sendable(request));
        answer.append(header::VARY, HeaderValue::from_static("Access-Control-Request-Headers"));
        // By it the page corrects the device's clock.
        answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Date"));
        answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_SECONDS));
    }
}

/// The headers that a page of an allowed origin may send: the token's, and what its preflight asks for
/// (`Authorization`, `X-CSRF-Token`, whatever a login in front wants), as far as those are names.
fn sendable(request: &HeaderMap) -> HeaderValue {
    let own = || HeaderValue::from_static(TOKEN_HEADER);
    let asked = request.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS).iter();
    let texts: Vec<&str> = asked.filter_map(|value| value.to_str().ok()).collect();
    let names = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
    let names: Vec<&str> = names.filter(|name| name.parse::<HeaderName>().is_ok()).collect();
    if names.is_empty() || names.len() > ASKED_HEADERS_MAX || texts.concat().len() > ASKED_BYTES_MAX {
        return own();
    }
    let further = names.into_iter().filter(|name| !name.eq_ignore_ascii_case(TOKEN_HEADER));
    let all: Vec<&str> = std::iter::once(TOKEN_HEADER).chain(further).collect();
    HeaderValue::from_str(&all.join(", ")).unwrap_or_else(|_| own())
}
