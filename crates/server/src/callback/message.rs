//! A callback with every value in it, as it is sent and as the outbox keeps it until the application has
//! acknowledged. It needs neither the object nor the form any more.
//!
//! Clauses CB-68.

use countersign_protocol::callback::CallbackUrl;
use serde::{Deserialize, Serialize};

/// One callback with every value in it; the payload of an outbox entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackMessage {
    /// One to five URLs, to be tried in order; written as text.
    #[serde(with = "written_urls")]
    pub urls: Vec<CallbackUrl>,
    /// The `Host` header, where it is not the URL's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The body to be sent.
    pub body: String,
    /// Its type.
    pub content_type: String,
    /// Further request headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_headers: Vec<(String, String)>,
    /// The bucket of the upload.
    pub bucket: String,
    /// The upload's request id.
    pub request_id: String,
    /// Who uploaded.
    pub requester: String,
    /// Whether every destination was refused. Such an entry is kept to be looked at, for as long as there is room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// How long the body was, where only its beginning is kept; what is kept then is not to be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_bytes: Option<u64>,
}

impl CallbackMessage {
    /// What is kept when every destination was refused: so many bytes of the body at most.
    pub(crate) fn refused_form(&self, body_bytes_max: usize) -> Self {
        let mut kept = Self { refused: true, ..self.clone() };
        if kept.body.len() > body_bytes_max {
            kept.body_bytes = Some(self.body.len() as u64);
            kept.body.truncate(self.body.floor_char_boundary(body_bytes_max));
        }
        kept
    }

    /// The form in which the outbox keeps it.
    pub(crate) fn to_payload(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and numbers are written into memory")
    }

    /// Reads the payload of an outbox entry.
    ///
    /// # Errors
    /// When the bytes are no payload of this server.
    pub fn from_payload(payload: &[u8]) -> Result<Self, PayloadError> {
        serde_json::from_slice(payload).map_err(PayloadError)
    }
}

/// An outbox entry that this server did not write.
#[derive(Debug, thiserror::Error)]
#[error("the owed callback cannot be read")]
pub struct PayloadError(#[source] serde_json::Error);

/// URLs as texts: what the outbox keeps is read by people too.
mod written_urls {
    use countersign_protocol::callback::CallbackUrl;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(urls: &[CallbackUrl], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(urls.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Vec<CallbackUrl>, D::Error> {
        let written = Vec::<String>::deserialize(from)?;
        written.iter().map(|url| CallbackUrl::parse(url).map_err(D::Error::custom)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_kept_as_text_and_come_back_as_they_were() {
        let payload = concat!(
            r#"{"urls":["http://app.example.com/cb?a=b","https://10.0.0.1:8443/"],"body":"b","content_type":"t","#,
            r#""bucket":"bucket","request_id":"id","requester":"r"}"#
        );
        let message = CallbackMessage::from_payload(payload.as_bytes()).unwrap();
        let hosts: Vec<&str> = message.urls.iter().map(|url| url.host.as_str()).collect();
        assert_eq!(hosts, ["app.example.com", "10.0.0.1"]);
        assert_eq!(String::from_utf8(message.to_payload()).unwrap(), payload);
    }

    #[test]
    fn refuses_a_stored_callback_whose_url_is_invalid() {
        let payload = r#"{"urls":["http://"],"body":"","content_type":"t","bucket":"b","request_id":"i","requester":"r"}"#;
        let error = CallbackMessage::from_payload(payload.as_bytes()).unwrap_err();
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("the host is invalid"));
    }
}
