//! Builds multipart forms, well shaped or not: an ordered list of parts with every byte of their heads under the
//! test's control.

use crate::signing::{PolicyText, sign_policy_v1};
use crate::wire::Exchange;
use crate::{ACCESS_KEY_ID, ACCESS_KEY_SECRET};

/// The boundary that [`Form`] uses unless told otherwise.
pub const BOUNDARY: &str = "----countersign-conformance";

/// A form to be posted: fields in order, then the file.
#[derive(Clone, Debug)]
pub struct Form {
    fields: Vec<(String, Vec<u8>)>,
    file: Option<FilePart>,
    after: Vec<(String, Vec<u8>)>,
}

#[derive(Clone, Debug)]
struct FilePart {
    name: Option<String>,
    content_type: Option<String>,
    bytes: Vec<u8>,
}

/// A body ready to send, with the boundary that delimits it.
#[derive(Clone, Debug)]
pub struct MultipartBody {
    /// Boundary without its dashes.
    pub boundary: String,
    /// Whole body.
    pub bytes: Vec<u8>,
}

impl Form {
    /// A form without any field.
    pub fn empty() -> Form {
        Form { fields: Vec::new(), file: None, after: Vec::new() }
    }

    /// A form signed V1 for `key` with `policy`, in the order of the tutorial, file to be added.
    pub fn signed(key: &str, policy: &PolicyText) -> Form {
        Form::empty()
            .field("key", key)
            .field("policy", &policy.0)
            .field("OSSAccessKeyId", ACCESS_KEY_ID)
            .field("success_action_status", "200")
            .field("signature", sign_policy_v1(ACCESS_KEY_SECRET, policy))
    }

    /// Adds a field before the file.
    pub fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> Form {
        self.fields.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Takes every field of that name out.
    pub fn without(mut self, name: &str) -> Form {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    /// Adds a field behind the file.
    pub fn field_after(mut self, name: &str, value: impl AsRef<[u8]>) -> Form {
        self.after.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Sets the file with a name and a type.
    pub fn file(mut self, name: &str, content_type: &str, bytes: impl Into<Vec<u8>>) -> Form {
        self.file = Some(FilePart {
            name: Some(name.into()),
            content_type: Some(content_type.into()),
            bytes: bytes.into(),
        });
        self
    }

    /// Sets the file as a bare part, without name or type.
    pub fn bare_file(mut self, bytes: impl Into<Vec<u8>>) -> Form {
        self.file = Some(FilePart { name: None, content_type: None, bytes: bytes.into() });
        self
    }

    /// The body.
    pub fn encode(&self) -> MultipartBody {
        let mut bytes = Vec::new();
        for (name, value) in &self.fields {
            part(&mut bytes, &format!("Content-Disposition: form-data; name=\"{name}\""), value);
        }
        if let Some(file) = &self.file {
            let mut head = String::from("Content-Disposition: form-data; name=\"file\"");
            if let Some(name) = &file.name {
                head.push_str(&format!("; filename=\"{name}\""));
            }
            if let Some(content_type) = &file.content_type {
                head.push_str(&format!("\r\nContent-Type: {content_type}"));
            }
            part(&mut bytes, &head, &file.bytes);
        }
        for (name, value) in &self.after {
            part(&mut bytes, &format!("Content-Disposition: form-data; name=\"{name}\""), value);
        }
        bytes.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        MultipartBody { boundary: BOUNDARY.into(), bytes }
    }

    /// A POST of this form to `bucket` by virtual host under `oss-cn-hangzhou.aliyuncs.com`.
    pub fn post(&self, bucket: &str) -> Exchange {
        self.encode().post(bucket)
    }
}

impl MultipartBody {
    /// A POST of this body to `bucket`, as [`Form::post`].
    pub fn post(self, bucket: &str) -> Exchange {
        Exchange::new("POST", "/")
            .host(&format!("{bucket}.oss-cn-hangzhou.aliyuncs.com"))
            .header("Content-Type", &format!("multipart/form-data; boundary={}", self.boundary))
            .body(self.bytes)
    }
}

fn part(into: &mut Vec<u8>, head: &str, value: &[u8]) {
    into.extend_from_slice(format!("--{BOUNDARY}\r\n{head}\r\n\r\n").as_bytes());
    into.extend_from_slice(value);
    into.extend_from_slice(b"\r\n");
}
