//! The JSON answer of `GET /signature`, with the names and the order that existing uploaders know.

use serde::Serialize;

/// What an uploader needs to send its form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SignatureAnswer {
    /// For a V1 form.
    V1(SignatureAnswerV1),
    /// For a V4 form.
    V4(SignatureAnswerV4),
}

/// `accessid host policy signature expire callback dir`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignatureAnswerV1 {
    /// Form field `OSSAccessKeyId`.
    pub accessid: String,
    /// Where to post the form.
    pub host: String,
    /// Form field `policy`.
    pub policy: String,
    /// Form field `signature`.
    pub signature: String,
    /// Unix seconds after which the policy is refused.
    pub expire: i64,
    /// Form field `callback`; absent when none is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback: Option<String>,
    /// What the key begins with.
    pub dir: String,
    /// Form field `x-oss-security-token`; only with temporary credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_token: Option<String>,
    /// The form's fields in order, `[name, value]` each, when they were asked for; the file goes behind them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<(String, String)>>,
}

/// The names of the V4 samples. They disagree about the version's name, so it is sent under both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignatureAnswerV4 {
    /// Form field `policy`.
    pub policy: String,
    /// Form field `x-oss-signature-version`, as the Python sample names it.
    pub x_oss_signature_version: String,
    /// The same, as the Java and JavaScript samples name it.
    pub version: String,
    /// Form field `x-oss-credential`.
    pub x_oss_credential: String,
    /// Form field `x-oss-date`.
    pub x_oss_date: String,
    /// Form field `x-oss-signature`.
    pub signature: String,
    /// Form field `x-oss-security-token`; only with temporary credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_token: Option<String>,
    /// What the key begins with.
    pub dir: String,
    /// Where to post the form.
    pub host: String,
    /// Form field `callback`; absent when none is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback: Option<String>,
    /// Unix seconds after which the policy is refused.
    pub expire: i64,
    /// The form's fields in order, `[name, value]` each, when they were asked for; the file goes behind them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<(String, String)>>,
}

impl SignatureAnswer {
    /// Unix seconds after which the policy is refused.
    ///
    /// ```
    /// use countersign_app::{AccessKeySecret, Signer, SignerChoice, SignerOptions};
    /// # use std::sync::Arc;
    ///
    /// let options = SignerOptions::new("ak", AccessKeySecret::from("sk"), "photos", "http://127.0.0.1:9817/photos");
    /// let signer = Signer::new(options, Arc::new(|| jiff::Timestamp::from_second(1_000).unwrap()))?;
    /// let answer = signer.sign(Some("users/42"), &SignerChoice::default())?;
    /// assert_eq!((answer.expire(), answer.dir(), answer.host()), (1_300, "users/42/", "http://127.0.0.1:9817/photos"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn expire(&self) -> i64 {
        match self {
            Self::V1(answer) => answer.expire,
            Self::V4(answer) => answer.expire,
        }
    }

    /// What the key begins with.
    #[must_use]
    pub fn dir(&self) -> &str {
        match self {
            Self::V1(answer) => &answer.dir,
            Self::V4(answer) => &answer.dir,
        }
    }

    /// Where to post the form.
    #[must_use]
    pub fn host(&self) -> &str {
        match self {
            Self::V1(answer) => &answer.host,
            Self::V4(answer) => &answer.host,
        }
    }

    /// The same answer with its [list of fields](SignatureAnswerV1::fields), which begins with the key `name` below
    /// [`Self::dir`] and ends with further fields. A client sends the list as it stands; it may put a key of its own
    /// below the folder in place of one that ends in `${filename}`, and add the file's own name as `x:name`.
    pub(super) fn with_fields(mut self, name: &str, further: Vec<(String, String)>) -> Self {
        let key = ("key".to_owned(), format!("{}{name}", self.dir()));
        let form = self.form_fields().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let listed = std::iter::once(key).chain(form).chain(further).collect();
        match &mut self {
            Self::V1(answer) => answer.fields = Some(listed),
            Self::V4(answer) => answer.fields = Some(listed),
        }
        self
    }

    /// The form fields that the uploader sends, in the samples' order. The key comes from the uploader, and the
    /// file last.
    ///
    /// Source: POST-38, V1-4, V4-7.
    ///
    /// ```
    /// use countersign_app::{AccessKeySecret, Signer, SignerChoice, SignerOptions, Timestamp};
    /// # use std::sync::Arc;
    ///
    /// let options = SignerOptions::new("ak", AccessKeySecret::from("sk"), "photos", "http://127.0.0.1:9817/photos");
    /// let signer = Signer::new(options, Arc::new(Timestamp::now))?;
    /// let answer = signer.sign(None, &SignerChoice::default())?;
    /// let names: Vec<&str> = answer.form_fields().into_iter().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["policy", "OSSAccessKeyId", "success_action_status", "signature"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn form_fields(&self) -> Vec<(&'static str, &str)> {
        let status = ("success_action_status", "200");
        let (mut fields, callback, token, signature) = match self {
            Self::V1(answer) => {
                let fields = vec![("policy", &*answer.policy), ("OSSAccessKeyId", &*answer.accessid), status];
                (fields, &answer.callback, &answer.security_token, ("signature", &*answer.signature))
            }
            Self::V4(answer) => {
                let fields = vec![
                    status,
                    ("policy", &*answer.policy),
                    ("x-oss-signature-version", &*answer.x_oss_signature_version),
                    ("x-oss-credential", &*answer.x_oss_credential),
                    ("x-oss-date", &*answer.x_oss_date),
                ];
                (fields, &answer.callback, &answer.security_token, ("x-oss-signature", &*answer.signature))
            }
        };
        fields.extend(token.as_deref().map(|token| ("x-oss-security-token", token)));
        fields.extend(callback.as_deref().map(|callback| ("callback", callback)));
        fields.push(signature);
        fields
    }
}
