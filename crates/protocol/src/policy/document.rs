//! Builds policies, for programs that sign forms.
//!
//! Clauses POL-5, POL-17 to POL-20.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

use crate::credential_scope::V4_ALGORITHM;

/// Builds the JSON of a policy. Conditions stand in the order in which they are added.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyDocument {
    expiration: Timestamp,
    /// As they stand in the JSON, commas between them.
    conditions: String,
}

impl PolicyDocument {
    /// A policy that is void from the given moment on.
    ///
    /// ```
    /// use countersign_protocol::policy::PolicyDocument;
    ///
    /// let policy = PolicyDocument::new("2030-01-01T00:00:00Z".parse()?)
    ///     .bucket("photos")
    ///     .eq("success_action_status", "200")
    ///     .is_in("content-type", &["image/jpeg", "image/png"])
    ///     .content_length_range(0, 5_000_000);
    /// assert_eq!(
    ///     policy.to_json(),
    ///     r#"{"expiration":"2030-01-01T00:00:00.000Z","conditions":[{"bucket":"photos"},["eq","$success_action_status","200"],["in","$content-type",["image/jpeg","image/png"]],["content-length-range",0,5000000]]}"#
    /// );
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn new(expiration: Timestamp) -> Self {
        Self { expiration, conditions: String::new() }
    }

    /// `{"bucket":"…"}`: the form may go to this bucket only.
    #[must_use]
    pub fn bucket(self, bucket: &str) -> Self {
        self.field("bucket", bucket)
    }

    /// `{"field":"value"}`: the field equals the value, in the short spelling.
    ///
    /// ```
    /// use countersign_protocol::policy::PolicyDocument;
    ///
    /// let policy = PolicyDocument::new("2030-01-01T00:00:00Z".parse()?).field("x-oss-object-acl", "private");
    /// assert!(policy.to_json().ends_with(r#""conditions":[{"x-oss-object-acl":"private"}]}"#));
    /// # Ok::<(), jiff::Error>(())
    /// ```
    #[must_use]
    pub fn field(self, field: &str, value: &str) -> Self {
        self.push(&BTreeMap::from([(field, value)]))
    }

    /// `["eq","$field","value"]`: the field equals the value.
    #[must_use]
    pub fn eq(self, field: &str, value: &str) -> Self {
        self.push(&("eq", variable(field), value))
    }

    /// `["starts-with","$field","prefix"]`.
    ///
    /// ```
    /// use countersign_protocol::policy::PolicyDocument;
    ///
    /// let policy = PolicyDocument::new("2030-01-01T00:00:00Z".parse()?).starts_with("key", "users/42/");
    /// assert!(policy.to_json().ends_with(r#""conditions":[["starts-with","$key","users/42/"]]}"#));
    /// # Ok::<(), jiff::Error>(())
    /// ```
    #[must_use]
    pub fn starts_with(self, field: &str, prefix: &str) -> Self {
        self.push(&("starts-with", variable(field), prefix))
    }

    /// `["in","$field",["a","b"]]`.
    #[must_use]
    pub fn is_in<T: AsRef<str>>(self, field: &str, values: &[T]) -> Self {
        self.push(&("in", variable(field), texts(values)))
    }

    /// `["not-in","$field",["a","b"]]`.
    ///
    /// ```
    /// use countersign_protocol::policy::PolicyDocument;
    ///
    /// let policy = PolicyDocument::new("2030-01-01T00:00:00Z".parse()?).not_in("content-type", &["text/html"]);
    /// assert!(policy.to_json().ends_with(r#""conditions":[["not-in","$content-type",["text/html"]]]}"#));
    /// # Ok::<(), jiff::Error>(())
    /// ```
    #[must_use]
    pub fn not_in<T: AsRef<str>>(self, field: &str, values: &[T]) -> Self {
        self.push(&("not-in", variable(field), texts(values)))
    }

    /// `["content-length-range",min,max]`, both inclusive.
    #[must_use]
    pub fn content_length_range(self, bytes_min: u64, bytes_max: u64) -> Self {
        self.push(&("content-length-range", bytes_min, bytes_max))
    }

    /// The conditions without which a form signed with V4 is refused. `date` is the form's `x-oss-date`.
    ///
    /// Source: V4-9.
    ///
    /// ```
    /// use countersign_protocol::policy::{Policy, PolicyDocument};
    ///
    /// let credential = "ak/20231203/cn-hangzhou/oss/aliyun_v4_request";
    /// let document = PolicyDocument::new("2030-01-01T00:00:00Z".parse()?).pin_v4(credential, "20231203T121212Z", None);
    /// let policy = Policy::parse(&document.to_base64())?;
    /// assert!(policy.pins("x-oss-credential", credential) && policy.pins("x-oss-date", "20231203T121212Z"));
    /// assert!(!policy.names("x-oss-security-token"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn pin_v4(self, credential: &str, date: &str, security_token: Option<&str>) -> Self {
        let document = self
            .field("x-oss-signature-version", V4_ALGORITHM)
            .field("x-oss-credential", credential)
            .field("x-oss-date", date);
        match security_token {
            Some(token) => document.field("x-oss-security-token", token),
            None => document,
        }
    }

    /// The JSON, without spaces, members in the order of OSS's samples.
    pub fn to_json(&self) -> String {
        let expiration = self.expiration.strftime("%Y-%m-%dT%H:%M:%S.%3fZ");
        format!("{{\"expiration\":\"{expiration}\",\"conditions\":[{}]}}", self.conditions)
    }

    /// The value of the form field `policy`.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.to_json())
    }

    fn push(mut self, condition: &impl Serialize) -> Self {
        if !self.conditions.is_empty() {
            self.conditions.push(',');
        }
        // Texts and numbers can always be written; were one not, the policy would be no JSON and refused.
        self.conditions.push_str(&serde_json::to_string(condition).unwrap_or_default());
        self
    }
}

fn variable(field: &str) -> String {
    format!("${field}")
}

fn texts<T: AsRef<str>>(values: &[T]) -> Vec<&str> {
    values.iter().map(AsRef::as_ref).collect()
}
