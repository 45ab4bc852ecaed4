//! Builds the callback parameter, which a signer puts into the form field, header or query.
//! [`super::CallbackParameter`] reads it.
//!
//! Clauses CB-6 to CB-16.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::BodyType;

/// A callback to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackDocument {
    /// Up to five URLs separated by semicolons.
    pub url: String,
    /// The `Host` header, where it is not the URL's own.
    pub host: Option<String>,
    /// The body with its variables.
    pub body: String,
    /// How values are inserted into it.
    pub body_type: BodyType,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    callback_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_host: Option<&'a str>,
    callback_body: &'a str,
    callback_body_type: &'static str,
}

impl CallbackDocument {
    /// The JSON object.
    ///
    /// ```
    /// use countersign_protocol::callback::{BodyType, CallbackDocument};
    ///
    /// let url = "http://app.example/cb".to_owned();
    /// let asked = CallbackDocument { url, host: None, body: "key=${object}".to_owned(), body_type: BodyType::Form };
    /// let json = r#"{"callbackUrl":"http://app.example/cb","callbackBody":"key=${object}","callbackBodyType":"application/x-www-form-urlencoded"}"#;
    /// assert_eq!(asked.to_json(), json);
    /// ```
    pub fn to_json(&self) -> String {
        let members = Members {
            callback_url: &self.url,
            callback_host: self.host.as_deref(),
            callback_body: &self.body,
            callback_body_type: self.body_type.as_str(),
        };
        // Strings always serialise.
        serde_json::to_string(&members).unwrap_or_default()
    }

    /// The parameter's value.
    ///
    /// Source: CB-1 to CB-22.
    ///
    /// ```
    /// use countersign_protocol::callback::{BodyType, CallbackDocument, CallbackParameter};
    ///
    /// let written = CallbackDocument {
    ///     url: "http://app.example/oss/callback".to_owned(),
    ///     host: None,
    ///     body: "key=${object}&size=${size}".to_owned(),
    ///     body_type: BodyType::Form,
    /// };
    /// let read = CallbackParameter::parse(&written.to_base64())?.expect("it names a URL");
    /// assert_eq!(read.urls[0].to_string(), "http://app.example/oss/callback");
    /// assert_eq!(read.body.as_str(), "key=${object}&size=${size}");
    /// # Ok::<(), countersign_protocol::callback::CallbackParameterError>(())
    /// ```
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.to_json())
    }
}
