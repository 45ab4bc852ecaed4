//! Forms as browsers send them, signed as an application server signs them.

use countersign_protocol::callback::{BodyType, CallbackDocument};
use countersign_protocol::policy::PolicyDocument;
use countersign_protocol::{AccessKeySecret, post_signature};
use jiff::Timestamp;

use crate::running_store::{BUCKET, KEY_ID, KEY_SECRET, NOW_SECOND, RunningStore};
use crate::wire_client::{Answer, request, send};

pub(crate) const HOST: &str = "demo.oss.test";
const BOUNDARY: &str = "----countersignTest7MA4YWxk";

/// A form under construction.
#[derive(Clone)]
pub(crate) struct Form {
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) file: Vec<u8>,
    pub(crate) filename: Option<String>,
    pub(crate) part_type: Option<String>,
    pub(crate) after: Vec<(String, String)>,
}

impl Form {
    /// A form without policy.
    pub(crate) fn anonymous(key: &str, file: &[u8]) -> Self {
        Self {
            fields: vec![("key".to_owned(), key.to_owned())],
            file: file.to_vec(),
            filename: Some("local.bin".to_owned()),
            part_type: None,
            after: Vec::new(),
        }
    }

    /// A form signed with V1 under a policy for this bucket and up to 1 MiB.
    pub(crate) fn signed(key: &str, file: &[u8]) -> Self {
        Self::anonymous(key, file).sign(&policy().content_length_range(0, 1 << 20))
    }

    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn sign(self, policy: &PolicyDocument) -> Self {
        self.sign_text(&policy.to_base64())
    }

    pub(crate) fn sign_text(self, policy: &str) -> Self {
        let secret = AccessKeySecret::from(KEY_SECRET);
        let signature = post_signature::sign_v1(&secret, policy);
        self.field("OSSAccessKeyId", KEY_ID).field("policy", policy).field("Signature", &signature)
    }

    pub(crate) fn callback(self, url: &str, body: &str, body_type: BodyType) -> Self {
        let document = CallbackDocument { url: url.to_owned(), host: None, body: body.to_owned(), body_type };
        self.field("callback", &document.to_base64())
    }

    pub(crate) fn head(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, value) in &self.fields {
            body.extend_from_slice(field(name, value).as_bytes());
        }
        let filename =
            self.filename.as_ref().map(|name| format!("; filename=\"{name}\"")).unwrap_or_default();
        let part_type =
            self.part_type.as_ref().map(|kind| format!("Content-Type: {kind}\r\n")).unwrap_or_default();
        let header = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"{filename}\r\n{part_type}\r\n"
        );
        body.extend_from_slice(header.as_bytes());
        body
    }

    pub(crate) fn tail(&self) -> Vec<u8> {
        let mut body = b"\r\n".to_vec();
        for (name, value) in &self.after {
            body.extend_from_slice(field(name, value).as_bytes());
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        body
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        [self.head(), self.file.clone(), self.tail()].concat()
    }

    pub(crate) fn content_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    pub(crate) fn request(&self, headers: &[(&str, &str)]) -> Vec<u8> {
        let content_type = Self::content_type();
        let headers = [&[("Content-Type", content_type.as_str())], headers].concat();
        request("POST /", HOST, &headers, &self.body())
    }

    pub(crate) async fn post(&self, store: &RunningStore) -> Answer {
        send(store.address, &self.request(&[])).await
    }
}

fn field(name: &str, value: &str) -> String {
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

/// A policy for the test's bucket that is good for an hour.
pub(crate) fn policy() -> PolicyDocument {
    PolicyDocument::new(Timestamp::from_second(NOW_SECOND + 3600).unwrap()).bucket(BUCKET)
}
