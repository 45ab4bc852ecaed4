//! Applies a bucket's CORS rules: which rule answers a browser, and the headers it gets (CORS-6 to CORS-19).
//!
//! Pure: rules and a question in, headers out. The document form is the protocol crate's; the operations that
//! store it are in `operations/bucket/cors.rs`. Rules only decide about headers: a request whose origin matches none is
//! carried out all the same, and only a preflight is refused.

use countersign_protocol::{
    ErrorCode, WireError,
    xml::{CorsConfiguration, CorsRule},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
        ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
    },
};

/// What a browser asks: where from, for which method, with which headers of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CrossOrigin {
    origin: String,
    method: String,
    headers: Vec<String>,
}

/// Why a preflight cannot even be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PreflightError {
    /// There is no `Origin`.
    #[error("the preflight has no Origin")]
    NoOrigin,
    /// There is no `Access-Control-Request-Method`.
    #[error("the preflight has no Access-Control-Request-Method")]
    NoMethod,
    /// No rule lets it through, or the bucket has none.
    #[error("no rule allows this cross-origin request")]
    NotAllowed {
        /// Whether the path names an object.
        object: bool,
    },
}

impl From<PreflightError> for WireError {
    fn from(error: PreflightError) -> Self {
        let insufficient = |message: &'static str| Self::new(ErrorCode::BadRequest).with_message(message);
        match error {
            PreflightError::NoOrigin => {
                insufficient("Insufficient information. Origin request header needed.")
            }
            PreflightError::NoMethod => {
                insufficient("Insufficient information. Request Access-Control-Request-Method header needed.")
            }
            PreflightError::NotAllowed { object } => Self::new(ErrorCode::AccessForbidden)
                .with_element("Method", "OPTIONS")
                .with_element("ResourceType", if object { "OBJECT" } else { "BUCKET" }),
        }
    }
}

impl CrossOrigin {
    /// The question that an ordinary request asks along the way; `None` when it is not cross-origin.
    pub(crate) fn of_request(method: &Method, headers: &HeaderMap) -> Option<Self> {
        let origin = text(headers, ORIGIN)?;
        Some(Self { origin, method: method.as_str().to_owned(), headers: Vec::new() })
    }

    /// The question of a preflight.
    pub(crate) fn of_preflight(headers: &HeaderMap) -> Result<Self, PreflightError> {
        let origin = text(headers, ORIGIN).ok_or(PreflightError::NoOrigin)?;
        let method = text(headers, ACCESS_CONTROL_REQUEST_METHOD).ok_or(PreflightError::NoMethod)?;
        let asked =
            headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS).iter().filter_map(|list| list.to_str().ok());
        let names = asked.flat_map(|list| list.split(',')).map(|name| name.trim().to_owned());
        Ok(Self { origin, method, headers: names.filter(|name| !name.is_empty()).collect() })
    }

    /// Where it is asked from, as the browser says.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// The first rule that lets this through: origin, method and every header.
    pub(crate) fn rule<'c>(&self, configuration: &'c CorsConfiguration) -> Option<&'c CorsRule> {
        configuration.rules.iter().find(|rule| {
            self.allowed_origin(rule).is_some()
                && rule.allowed_methods.iter().any(|method| method.eq_ignore_ascii_case(&self.method))
                && self.headers.iter().all(|name| rule.allowed_headers.iter().any(|wild| matches(wild, name)))
        })
    }

    /// The headers that this rule grants, put into an answer.
    pub(crate) fn grant(&self, rule: &CorsRule, answer: &mut HeaderMap) {
        let mut put = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                answer.insert(name, value);
            }
        };
        put(ACCESS_CONTROL_ALLOW_ORIGIN, self.allowed_origin(rule).unwrap_or_default());
        put(ACCESS_CONTROL_ALLOW_METHODS, &rule.allowed_methods.join(", "));
        if !self.headers.is_empty() {
            put(ACCESS_CONTROL_ALLOW_HEADERS, &self.headers.join(", "));
        }
        if !rule.expose_headers.is_empty() {
            put(ACCESS_CONTROL_EXPOSE_HEADERS, &rule.expose_headers.join(", "));
        }
        if let Some(seconds) = rule.max_age_seconds {
            put(ACCESS_CONTROL_MAX_AGE, &seconds.to_string());
        }
    }

    /// `*` when the rule names every origin, else the origin itself; `None` when the rule is not for it.
    fn allowed_origin(&self, rule: &CorsRule) -> Option<&str> {
        if rule.allowed_origins.iter().any(|pattern| pattern == "*") {
            return Some("*");
        }
        rule.allowed_origins
            .iter()
            .any(|pattern| matches(pattern, &self.origin))
            .then_some(self.origin.as_str())
    }
}

/// What every answer of a bucket with such rules says to caches.
pub(crate) fn vary(configuration: &CorsConfiguration, answer: &mut HeaderMap) {
    if configuration.response_vary {
        answer.append(VARY, HeaderValue::from_static("Origin"));
    }
}

/// Whether a pattern with at most one `*` covers a text; letter case is of no importance in either of the two
/// things that are compared so, origins and header names.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    match pattern.split_once('*') {
        None => pattern == text,
        Some((front, back)) => {
            text.len() >= front.len() + back.len() && text.starts_with(front) && text.ends_with(back)
        }
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests;
