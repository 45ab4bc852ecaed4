//! Writes the callback parameter: what a signer puts into the form field, header or query so that
//! [`super::CallbackParameter`] reads it back.

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
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.to_json())
    }
}
