//! Parses the callback parameter and `callback-var`, and refuses malformed ones before anything is stored
//! (CB-5 to CB-22).

use serde_json::Value;

use super::URLS_MAX;
use super::cause::CallbackCause;
use super::json_object::{JsonObjectError, Members, read};
use super::outcome::wire_error;
use super::template::{BodyType, CallbackVariables, Template, TemplateError};
use super::url::{CallbackUrl, is_host_header};
use crate::error_xml::WireError;

/// The longest body that a template may grow to where nothing else is configured.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// A callback that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackParameter {
    /// One to five URLs, to be tried in order.
    pub urls: Vec<CallbackUrl>,
    /// The `Host` header, where it is not the URL's own.
    pub host: Option<String>,
    /// The body.
    pub body: Template,
    /// How values are inserted into it, and its Content-Type.
    pub body_type: BodyType,
    /// Whether TLS names the host. Kept for the record: it is always done.
    pub sni: bool,
    /// Further request headers, lower-case.
    pub additional_headers: Vec<(String, String)>,
}

/// A refused parameter: 400 InvalidArgument.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{argument_name} is refused: {}", cause.row().message)]
pub struct CallbackParameterError {
    /// Why.
    pub cause: CallbackCause,
    /// `callback` or `callback-var`.
    pub argument_name: &'static str,
    /// The decoded JSON, or the value as sent where it cannot be decoded.
    pub argument_value: String,
}

/// One of the two parameters that travel as a header or in the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// `x-oss-callback` or `callback`.
    Callback,
    /// `x-oss-callback-var` or `callback-var`.
    CallbackVar,
}

impl Argument {
    /// The name in the query and in `ArgumentName`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::CallbackVar => "callback-var",
        }
    }

    /// Chooses the one place where the parameter is; both is refused.
    ///
    /// # Errors
    /// [`CallbackParameterError`] with [`CallbackCause::HeaderAndQuery`] or [`CallbackCause::VarHeaderAndQuery`].
    ///
    /// ```
    /// use countersign_protocol::callback::{CallbackCause, parameter::Argument};
    ///
    /// assert_eq!(Argument::Callback.from_one_place(Some("e30="), None)?, Some("e30="));
    /// assert_eq!(Argument::Callback.from_one_place(None, None)?, None);
    /// let both = Argument::CallbackVar.from_one_place(Some("e30="), Some("e30=")).unwrap_err();
    /// assert_eq!(both.cause, CallbackCause::VarHeaderAndQuery);
    /// assert_eq!(both.argument_name, Argument::CallbackVar.as_str());
    /// # Ok::<(), countersign_protocol::callback::CallbackParameterError>(())
    /// ```
    pub fn from_one_place<'a>(
        self,
        header: Option<&'a str>,
        query: Option<&'a str>,
    ) -> Result<Option<&'a str>, CallbackParameterError> {
        match (header, query) {
            (Some(_), Some(query)) => Err(CallbackParameterError {
                cause: match self {
                    Self::Callback => CallbackCause::HeaderAndQuery,
                    Self::CallbackVar => CallbackCause::VarHeaderAndQuery,
                },
                argument_name: self.as_str(),
                argument_value: query.to_owned(),
            }),
            (one, other) => Ok(one.or(other)),
        }
    }
}

impl CallbackParameter {
    /// Reads the parameter. `None` means that it asks for no callback: its URL is absent or empty.
    ///
    /// Source: CB-5 to CB-22.
    ///
    /// # Errors
    /// [`CallbackParameterError`], whose cause says what to mend; nothing is stored for such a request.
    ///
    /// ```
    /// use countersign_protocol::callback::{CallbackCause, CallbackParameter};
    ///
    /// // {"callbackUrl":"a.example/cb;b.example:8080/cb","callbackBody":"key=${object}"}
    /// let sent = "eyJjYWxsYmFja1VybCI6ImEuZXhhbXBsZS9jYjtiLmV4YW1wbGU6ODA4MC9jYiIsImNhbGxiYWNrQm9keSI6ImtleT0ke29iamVjdH0ifQ==";
    /// let callback = CallbackParameter::parse(sent)?.expect("it names URLs");
    /// assert_eq!(callback.urls.len(), 2);
    /// assert_eq!(callback.host_for(&callback.urls[1]), "b.example:8080");
    ///
    /// assert_eq!(CallbackParameter::parse("e30=")?, None, "{{}} asks for no callback");
    /// assert_eq!(CallbackParameter::parse("{}").unwrap_err().cause, CallbackCause::NotBase64);
    /// # Ok::<(), countersign_protocol::callback::CallbackParameterError>(())
    /// ```
    pub fn parse(base64: &str) -> Result<Option<Self>, CallbackParameterError> {
        let (members, text) = read(base64).map_err(|error| {
            let (cause, argument_value) = match error {
                JsonObjectError::TooLong => (CallbackCause::ParameterTooLong, clipped(base64)),
                JsonObjectError::NotBase64 => (CallbackCause::NotBase64, base64.to_owned()),
                JsonObjectError::NotJson(text) => (CallbackCause::NotJson, text),
            };
            CallbackParameterError { cause, argument_name: "callback", argument_value }
        })?;
        interpret(&members).map_err(|cause| CallbackParameterError {
            cause,
            argument_name: "callback",
            argument_value: text,
        })
    }

    /// The `Host` header for one of the URLs.
    pub fn host_for<'a>(&'a self, url: &'a CallbackUrl) -> &'a str {
        self.host.as_deref().unwrap_or(&url.authority)
    }

    /// How many bytes the body has with these variables, each at its longest. Refuses what is more than `bytes_max`.
    ///
    /// # Errors
    /// [`CallbackParameterError`] with [`CallbackCause::BodyTooLong`].
    ///
    /// ```
    /// use countersign_protocol::callback::{BodyType, CallbackDocument, CallbackParameter, CallbackVariables};
    ///
    /// let body = "a=${object}&b=${object}".to_owned();
    /// let url = "app.example/cb".to_owned();
    /// let written = CallbackDocument { url, host: None, body, body_type: BodyType::Form };
    /// let callback = CallbackParameter::parse(&written.to_base64())?.expect("it names a URL");
    /// let variables = CallbackVariables { object: "x".repeat(100), ..Default::default() };
    /// assert_eq!(callback.check_body_size(&variables, 1_000)?, 205);
    /// assert!(callback.check_body_size(&variables, 204).is_err());
    /// # Ok::<(), countersign_protocol::callback::CallbackParameterError>(())
    /// ```
    pub fn check_body_size(
        &self,
        variables: &CallbackVariables,
        bytes_max: usize,
    ) -> Result<usize, CallbackParameterError> {
        let bytes = self.body.expanded_bytes_max(variables, self.body_type);
        if bytes <= bytes_max {
            return Ok(bytes);
        }
        Err(CallbackParameterError {
            cause: CallbackCause::BodyTooLong,
            argument_name: "callback",
            argument_value: self.body.as_str().to_owned(),
        })
    }
}

/// Reads `callback-var`: custom variables in order, names with their `x:`. Other names are ignored, as official
/// SDKs expect.
///
/// Source: CB-1 to CB-22.
///
/// # Errors
/// [`CallbackParameterError`] with [`CallbackCause::VarTooLong`] or [`CallbackCause::VarNotJson`].
///
/// ```
/// use countersign_protocol::callback::parameter::parse_callback_var;
///
/// // {"x:user":"42","note":"ignored"}
/// let variables = parse_callback_var("eyJ4OnVzZXIiOiI0MiIsIm5vdGUiOiJpZ25vcmVkIn0=")?;
/// assert_eq!(variables, [("x:user".to_owned(), "42".to_owned())]);
/// # Ok::<(), countersign_protocol::callback::CallbackParameterError>(())
/// ```
pub fn parse_callback_var(base64: &str) -> Result<Vec<(String, String)>, CallbackParameterError> {
    let refused = |cause, argument_value| CallbackParameterError {
        cause,
        argument_name: "callback-var",
        argument_value,
    };
    let (members, text) = read(base64).map_err(|error| match error {
        JsonObjectError::TooLong => refused(CallbackCause::VarTooLong, clipped(base64)),
        JsonObjectError::NotBase64 => refused(CallbackCause::VarNotJson, base64.to_owned()),
        JsonObjectError::NotJson(text) => refused(CallbackCause::VarNotJson, text),
    })?;
    let named = members.0.into_iter().filter(|(name, _)| name.starts_with("x:"));
    let variables = named.map(|(name, value)| match value {
        Value::String(value) => Some((name, value)),
        _ => None,
    });
    variables.collect::<Option<_>>().ok_or_else(|| refused(CallbackCause::VarNotJson, text))
}

fn interpret(members: &Members) -> Result<Option<CallbackParameter>, CallbackCause> {
    if members.get("callbackPolicy").is_some() {
        return Err(CallbackCause::PolicyUnsupported);
    }
    let urls = urls(members.get("callbackUrl"))?;
    if urls.is_empty() {
        return Ok(None);
    }
    Ok(Some(CallbackParameter {
        urls,
        host: host(members.get("callbackHost"))?,
        body: body(members.get("callbackBody"))?,
        body_type: body_type(members.get("callbackBodyType"))?,
        sni: match members.get("callbackSNI") {
            None => false,
            Some(Value::Bool(sni)) => *sni,
            Some(_) => return Err(CallbackCause::SniInvalid),
        },
        additional_headers: additional_headers(members.get("additionalHeaders"))?,
    }))
}

/// Empty items between semicolons are nothing.
fn urls(value: Option<&Value>) -> Result<Vec<CallbackUrl>, CallbackCause> {
    let text = match value {
        None => return Ok(Vec::new()),
        Some(Value::String(text)) => text,
        Some(_) => return Err(CallbackCause::UrlInvalid),
    };
    let items: Vec<&str> = text.split(';').map(str::trim).filter(|item| !item.is_empty()).collect();
    if items.len() > URLS_MAX {
        return Err(CallbackCause::TooManyUrls);
    }
    items.into_iter().map(|item| CallbackUrl::parse(item).map_err(|_| CallbackCause::UrlInvalid)).collect()
}

fn host(value: Option<&Value>) -> Result<Option<String>, CallbackCause> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if is_host_header(text) => Ok(Some(text.clone())),
        Some(_) => Err(CallbackCause::HostInvalid),
    }
}

fn body(value: Option<&Value>) -> Result<Template, CallbackCause> {
    match value {
        None => Err(CallbackCause::BodyEmpty),
        Some(Value::String(text)) => Template::parse(text).map_err(|error| match error {
            TemplateError::Empty => CallbackCause::BodyEmpty,
            TemplateError::Parenthesis => CallbackCause::BodyInvalid,
        }),
        Some(_) => Err(CallbackCause::BodyInvalid),
    }
}

fn body_type(value: Option<&Value>) -> Result<BodyType, CallbackCause> {
    match value {
        None => Ok(BodyType::default()),
        Some(Value::String(text)) => BodyType::parse(text).ok_or(CallbackCause::BodyTypeUnsupported),
        Some(_) => Err(CallbackCause::BodyTypeInvalid),
    }
}

/// Headers that the callback sets itself, or that would change how it is framed or routed.
#[rustfmt::skip]
const RESERVED_HEADERS: [&str; 16] = [
    "authorization", "connection", "content-encoding", "content-length", "content-md5", "content-type", "date",
    "expect", "host", "keep-alive", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
    "user-agent",
];

fn additional_headers(value: Option<&Value>) -> Result<Vec<(String, String)>, CallbackCause> {
    let members = match value {
        None => return Ok(Vec::new()),
        Some(Value::Object(members)) => members,
        Some(_) => return Err(CallbackCause::AdditionalHeadersInvalid),
    };
    let headers = members.iter().map(|(name, value)| {
        let name = name.to_ascii_lowercase();
        let value = value.as_str()?;
        let own = name.starts_with("x-oss-") || RESERVED_HEADERS.contains(&name.as_str());
        let legal_value = value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        (!own && is_token(&name) && legal_value).then(|| (name, value.to_owned()))
    });
    headers.collect::<Option<_>>().ok_or(CallbackCause::AdditionalHeadersInvalid)
}

/// RFC 9110's token: what a header name may consist of.
fn is_token(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(legal)
}

/// The beginning of a value that is too long to be sent back whole.
fn clipped(text: &str) -> String {
    text.chars().take(256).collect()
}

impl From<CallbackParameterError> for WireError {
    fn from(error: CallbackParameterError) -> Self {
        wire_error(error.cause.row())
            .with_element("ArgumentName", error.argument_name)
            .with_element("ArgumentValue", error.argument_value)
    }
}

#[cfg(test)]
mod tests;
