//! A client as the tests need it: one request, signed in any of the five ways, and its answer.

use bytes::Bytes;
use countersign_protocol::AccessKeySecret;
use countersign_protocol::authorization::{RequestView, v1, v4};
use countersign_protocol::error_reference::Topic;
use countersign_protocol::http_date;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpStream;

use crate::running_store::{KEY_ID, KEY_SECRET, REGION, RunningStore};

/// How a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signing {
    Anonymous,
    HeaderV1,
    HeaderV4,
    UrlV1,
    UrlV4,
}

pub(crate) const SIGNED: [Signing; 4] =
    [Signing::HeaderV1, Signing::HeaderV4, Signing::UrlV1, Signing::UrlV4];

/// A request in the making. Bucket and key are decoded; the path is encoded when it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    method: &'static str,
    bucket: Option<String>,
    key: String,
    query: String,
    raw_path: Option<&'static str>,
    host: Option<String>,
    headers: Vec<(String, Vec<u8>)>,
    body: Bytes,
    signing: Signing,
    key_id: String,
    secret: String,
    region: String,
    dated: Option<Timestamp>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The text of the first element of this name.
    pub(crate) fn element(&self, name: &str) -> Option<String> {
        self.elements(name).into_iter().next()
    }

    pub(crate) fn elements(&self, name: &str) -> Vec<String> {
        let text = self.text();
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let found = text.split(open.as_str()).skip(1).filter_map(|rest| rest.split(close.as_str()).next());
        found.map(str::to_owned).collect()
    }

    /// Every refusal that any test meets links to a page of the error reference that exists.
    fn assert_that_a_refusal_is_explained(&self) {
        if let Ok(text) = std::str::from_utf8(&self.body)
            && text.contains("<Error>")
        {
            let link = self.element("RecommendDoc").unwrap_or_else(|| panic!("no link in {text}"));
            let (_, topic) = link.rsplit_once("/_countersign/docs/errors/").unwrap();
            assert!(Topic::find(topic).is_some(), "`{topic}` is not in the error reference: {text}");
        }
    }

    /// Status, code and message of an error.
    pub(crate) fn refusal(&self) -> (u16, String, String) {
        (self.status, self.element("Code").unwrap_or_default(), self.element("Message").unwrap_or_default())
    }
}

impl Ask {
    /// Signed with V1 in the header and path-style, unless said otherwise.
    pub(crate) fn new(method: &'static str, bucket: &str, key: &str) -> Self {
        Self {
            method,
            bucket: (!bucket.is_empty()).then(|| bucket.to_owned()),
            key: key.to_owned(),
            query: String::new(),
            raw_path: None,
            host: None,
            headers: Vec::new(),
            body: Bytes::new(),
            signing: Signing::HeaderV1,
            key_id: KEY_ID.to_owned(),
            secret: KEY_SECRET.to_owned(),
            region: REGION.to_owned(),
            dated: None,
        }
    }

    pub(crate) fn query(mut self, query: &str) -> Self {
        self.query = query.to_owned();
        self
    }

    /// The path as it is sent, whatever is signed.
    pub(crate) fn raw_path(mut self, path: &'static str) -> Self {
        self.raw_path = Some(path);
        self
    }

    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn signing(mut self, signing: Signing) -> Self {
        self.signing = signing;
        self
    }

    pub(crate) fn anonymous(self) -> Self {
        self.signing(Signing::Anonymous)
    }

    /// The Host header; when it names the bucket, the path does not.
    pub(crate) fn host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    pub(crate) fn credentials(mut self, key_id: &str, secret: &str) -> Self {
        (self.key_id, self.secret) = (key_id.to_owned(), secret.to_owned());
        self
    }

    pub(crate) fn region(mut self, region: &str) -> Self {
        self.region = region.to_owned();
        self
    }

    /// Signs as if it were this time.
    pub(crate) fn dated(mut self, time: Timestamp) -> Self {
        self.dated = Some(time);
        self
    }

    /// The request's head, signed, as target and headers.
    pub(crate) fn prepare(&self, store: &RunningStore) -> (String, Vec<(String, Vec<u8>)>) {
        let now = self.dated.unwrap_or_else(|| store.now());
        let mut headers = self.headers.clone();
        let host = self.host.clone().unwrap_or_else(|| store.address.to_string());
        headers.push(("host".to_owned(), host.clone().into_bytes()));
        if self.signing == Signing::HeaderV1 {
            headers.push(("date".to_owned(), http_date::format(now).into_bytes()));
        }
        if self.signing == Signing::HeaderV4 {
            let date = now.strftime("%Y%m%dT%H%M%SZ").to_string();
            headers.push(("x-oss-date".to_owned(), date.into_bytes()));
            headers.push(("x-oss-content-sha256".to_owned(), b"UNSIGNED-PAYLOAD".to_vec()));
        }
        let mut query = self.query.clone();
        let authorization = {
            let view = RequestView {
                method: self.method,
                bucket: self.bucket.as_deref(),
                key: (!self.key.is_empty()).then_some(self.key.as_str()),
                raw_query: (!query.is_empty()).then_some(query.as_str()),
                headers: headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect(),
            };
            let secret = AccessKeySecret::from(self.secret.as_str());
            let in_ten_minutes = now + SignedDuration::from_mins(10);
            match self.signing {
                Signing::Anonymous => None,
                Signing::HeaderV1 => Some(Ok(v1::sign_header(&view, &self.key_id, &secret))),
                Signing::HeaderV4 => {
                    Some(Ok(v4::sign_header(&view, &self.key_id, &secret, &self.region, &[]).unwrap()))
                }
                Signing::UrlV1 => Some(Err(v1::sign_url(&view, &self.key_id, &secret, in_ten_minutes))),
                Signing::UrlV4 => {
                    Some(Err(v4::sign_url(&view, &self.key_id, &secret, &self.region, now, 600)))
                }
            }
        };
        match authorization {
            Some(Ok(header)) => headers.push(("authorization".to_owned(), header.into_bytes())),
            Some(Err(signed_query)) => query = signed_query,
            None => {}
        }
        (self.target(&host, &query), headers)
    }

    fn target(&self, host: &str, query: &str) -> String {
        let key = countersign_protocol::url_encoding::encode_path(&self.key);
        let path = match &self.bucket {
            Some(bucket) if host.starts_with(&format!("{bucket}.")) || host.starts_with("pictures.") => {
                format!("/{key}")
            }
            Some(bucket) => format!("/{bucket}/{key}"),
            None => "/".to_owned(),
        };
        let path = self.raw_path.map_or(path, str::to_owned);
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }

    pub(crate) async fn send(&self, store: &RunningStore) -> Answer {
        let (target, headers) = self.prepare(store);
        let mut request = Request::builder().method(self.method).uri(target);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(self.body.clone())).unwrap();
        let stream = TcpStream::connect(store.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let (head, body) = sender.send_request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = Answer { status: head.status.as_u16(), headers: head.headers, body };
        answer.assert_that_a_refusal_is_explained();
        answer
    }
}

/// Creates the bucket `demo`.
pub(crate) async fn create_demo(store: &RunningStore) {
    assert_eq!(Ask::new("PUT", "demo", "").send(store).await.status, 200);
}

/// Puts an object into `demo`.
pub(crate) async fn put(store: &RunningStore, key: &str, body: impl Into<Bytes>) {
    let answer = Ask::new("PUT", "demo", key).body(body).send(store).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}
