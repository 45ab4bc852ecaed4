//! A callback as it arrived: kept whole, so that the ledger can show it and a signature can be checked again.

use bytes::Bytes;
use http::{HeaderMap, Method, request::Parts};
use serde::ser::{Serialize, SerializeStruct, Serializer};

/// One request with its whole body.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    /// The method, `POST` for a callback.
    pub method: Method,
    /// Path and query, undecoded, as this server received them.
    pub path: String,
    /// The headers, in the order received.
    pub headers: HeaderMap,
    /// The body, byte for byte.
    pub body: Bytes,
}

impl RecordedRequest {
    /// Puts a request's head and its collected body together. A router that was mounted below another path sees
    /// a shortened one; `OriginalUri` remembers what arrived.
    ///
    /// ```
    /// use countersign_app::recorded_request::RecordedRequest;
    ///
    /// let (head, _) = http::Request::post("/callback?id=1").header("x-oss-bucket", "demo").body(())?.into_parts();
    /// let recorded = RecordedRequest::new(&head, "size=42".into());
    /// assert_eq!(recorded.path, "/callback?id=1");
    /// assert_eq!(recorded.header_pairs(), [("x-oss-bucket".to_owned(), "demo".to_owned())]);
    /// # Ok::<(), http::Error>(())
    /// ```
    #[must_use]
    pub fn new(parts: &Parts, body: Bytes) -> Self {
        let original = parts.extensions.get::<axum::extract::OriginalUri>();
        let uri = original.map_or(&parts.uri, |original| &original.0);
        let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        Self { method: parts.method.clone(), path: path.to_owned(), headers: parts.headers.clone(), body }
    }

    /// The headers as pairs of text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn header_pairs(&self) -> Vec<(String, String)> {
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        self.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
    }
}

impl Serialize for RecordedRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("RecordedRequest", 4)?;
        object.serialize_field("method", self.method.as_str())?;
        object.serialize_field("path", &self.path)?;
        object.serialize_field("headers", &self.header_pairs())?;
        object.serialize_field("body", &String::from_utf8_lossy(&self.body))?;
        object.end()
    }
}
