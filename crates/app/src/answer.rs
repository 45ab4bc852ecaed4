//! An answer of the application server: status, type and bytes. They are kept together because the ledger stores and
//! the store relays exactly these three.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::json;

use crate::upload_facts::UploadFacts;

/// The type of every answer that is made here; relayed answers keep their own.
pub const JSON_TYPE: &str = "application/json";

/// An answer to a callback or to a question, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status. For a callback the store takes 200 and nothing else for a yes.
    pub status: StatusCode,
    /// `Content-Type`, if there is one.
    pub content_type: Option<String>,
    /// The body, byte for byte.
    pub body: Bytes,
}

impl Answer {
    /// An answer in JSON.
    ///
    /// ```
    /// use countersign_app::answer::Answer;
    /// use http::StatusCode;
    ///
    /// let answer = Answer::json(StatusCode::OK, &serde_json::json!({ "Status": "OK", "id": 42 }));
    /// assert_eq!(answer.content_type.as_deref(), Some("application/json"));
    /// assert_eq!(answer.body, r#"{"Status":"OK","id":42}"#);
    /// ```
    #[must_use]
    pub fn json(status: StatusCode, value: &serde_json::Value) -> Self {
        Self { status, content_type: Some(JSON_TYPE.to_owned()), body: Bytes::from(value.to_string()) }
    }

    /// A refusal in the shape the tutorial's client understands: it throws `message` when `Status` is not "OK".
    ///
    /// ```
    /// use countersign_app::answer::Answer;
    /// use http::StatusCode;
    ///
    /// let no = Answer::refusal(StatusCode::FORBIDDEN, "QuotaExceeded", "your album is full");
    /// assert!(!no.accepts(), "the store tells the uploader 203, and the object stays");
    /// assert_eq!(no.body, r#"{"Status":"QuotaExceeded","message":"your album is full"}"#);
    /// ```
    #[must_use]
    pub fn refusal(status: StatusCode, code: &str, message: &str) -> Self {
        Self::json(status, &json!({ "Status": code, "message": message }))
    }

    /// A refusal of what the one who asks can mend.
    pub(crate) fn bad_request(code: &str, message: &str) -> Self {
        Self::refusal(StatusCode::BAD_REQUEST, code, message)
    }

    /// The tutorial's yes: `"Status":"OK"`, with what the callback said about the upload.
    ///
    /// ```
    /// use countersign_app::{answer::Answer, upload_facts::UploadFacts};
    ///
    /// let facts = UploadFacts::of(b"filename=user-dir%2Fa.jpg&size=108904&mimeType=image%2Fjpeg&height=278&width=200");
    /// let yes = Answer::accepting(&facts);
    /// assert!(yes.accepts());
    /// let told: serde_json::Value = serde_json::from_slice(&yes.body)?;
    /// assert_eq!((&told["Status"], &told["key"], &told["size"]), (&"OK".into(), &"user-dir/a.jpg".into(), &108904.into()));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn accepting(facts: &UploadFacts) -> Self {
        let value = json!({
            "Status": "OK",
            "key": facts.key,
            "name": facts.name,
            "size": facts.size,
            "mimeType": facts.mime_type,
            "height": facts.height,
            "width": facts.width,
        });
        Self::json(StatusCode::OK, &value)
    }

    /// Whether the store will tell the uploader that the application said yes.
    #[must_use]
    pub fn accepts(&self) -> bool {
        self.status == StatusCode::OK
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let length = HeaderValue::from(self.body.len());
        let mut response = (self.status, axum::body::Body::from(self.body)).into_response();
        // Set by hand although HTTP framing would add it: OSS refuses a callback answer without it.
        response.headers_mut().insert(header::CONTENT_LENGTH, length);
        response.headers_mut().remove(header::CONTENT_TYPE);
        if let Some(value) = self.content_type.and_then(|text| HeaderValue::from_str(&text).ok()) {
            response.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        response
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Answer", 3)?;
        object.serialize_field("status", &self.status.as_u16())?;
        object.serialize_field("contentType", &self.content_type)?;
        object.serialize_field("body", &String::from_utf8_lossy(&self.body))?;
        object.end()
    }
}
