//! Signs uploads into one folder: policy, callback and signature.
//!
//! Owns the policy's content: the tutorial's length range and key prefix, and the pins, which take from the uploader
//! what he has no business choosing. It needs no HTTP and no runtime: a function from a path and the clock to an
//! answer.
//!
//! Clauses POL-42, V1-1, V4-7 to V4-9.

use base64::{Engine, engine::general_purpose::STANDARD};
use countersign_protocol::{
    ObjectKey,
    callback::CallbackParameter,
    credential_scope::{CredentialScope, V4_ALGORITHM, format_v4_date},
    policy::PolicyDocument,
    post_signature::{sign_v1, sign_v4},
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use thiserror::Error;

use crate::{
    clock::Clock,
    grant::{Grant, GrantError},
    pins::{Pins, StoreKind},
    signer_options::{CallbackOptions, SignatureVersion, SignerOptions, SignerOptionsError, is_family},
    upload_path::{UploadPath, UploadPathError},
};
use signature_answer::{SignatureAnswer, SignatureAnswerV1, SignatureAnswerV4};
use signer_choice::SignerChoice;

mod granted;
mod pinning;
pub mod sealed_grant;
pub mod signature_answer;
pub mod signer_choice;

/// V4 signatures are good for at most seven days.
const LIFETIME_SECONDS_MAX: u64 = 7 * 24 * 60 * 60;

/// Signs uploads.
pub struct Signer {
    options: SignerOptions,
    /// The callback parameter, encoded once.
    callback: Option<String>,
    clock: Clock,
}

/// Why nothing is signed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SignError {
    /// The path is no folder to upload into.
    #[error(transparent)]
    Path(#[from] UploadPathError),
    /// The chosen key is empty, too long, or holds a variable or a control character.
    #[error("this name cannot be a key below the folder")]
    Key,
    /// The grant is more than the signer permits, or cannot be written.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// The callback parameter with the grant in it would be refused by the store.
    #[error("the callback cannot carry the grant: {reason}")]
    GrantUnplaced {
        /// The reason.
        reason: String,
    },
    /// A value whose name does not begin with `x:`, which the store would not hand to the callback.
    #[error("the name of the custom value {name:?} does not begin with \"x:\"")]
    Value {
        /// The name.
        name: String,
    },
    /// OSS refuses a condition on a field that the form lacks, so that the callback's absence cannot be pinned.
    #[error("this store cannot be made to insist that there is no callback, so that it cannot be left out")]
    CallbackUnpinned,
    /// The store would refuse a callback to the chosen address.
    #[error("the callback would be refused by the store: {reason}")]
    CallbackUrl {
        /// The store's reason.
        reason: String,
    },
    /// The clock stands where no policy can be written.
    #[error("the clock of this server cannot be right")]
    Clock,
}

/// The callback parameter as the store reads it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallbackJson<'a> {
    callback_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_host: Option<&'a str>,
    callback_body: &'a str,
    callback_body_type: &'a str,
}

impl Signer {
    /// Makes a signer, and refuses now what the store would refuse at every upload.
    ///
    /// # Errors
    /// [`SignerOptionsError`].
    ///
    /// ```
    /// use countersign_app::{AccessKeySecret, Signer, SignerOptions, Timestamp, signer_options::SignerOptionsError};
    /// # use std::sync::Arc;
    ///
    /// let with_lifetime = |seconds| {
    ///     let host = "http://127.0.0.1:9817/photos";
    ///     let mut options = SignerOptions::new("ak", AccessKeySecret::from("sk"), "photos", host);
    ///     options.lifetime = std::time::Duration::from_secs(seconds);
    ///     Signer::new(options, Arc::new(Timestamp::now)).map(|_| ())
    /// };
    /// assert!(with_lifetime(600).is_ok());
    /// let month = with_lifetime(30 * 24 * 60 * 60);
    /// assert!(matches!(month, Err(SignerOptionsError::Lifetime)), "the store would refuse every upload");
    /// ```
    pub fn new(options: SignerOptions, clock: Clock) -> Result<Self, SignerOptionsError> {
        let (min, max) = (*options.size_bytes.start(), *options.size_bytes.end());
        if min > max {
            return Err(SignerOptionsError::SizeRangeEmpty { min, max });
        }
        if !(1..=LIFETIME_SECONDS_MAX).contains(&options.lifetime.as_secs()) {
            return Err(SignerOptionsError::Lifetime);
        }
        if options.content_types.len() > 1 && options.content_types.iter().any(|name| is_family(name)) {
            return Err(SignerOptionsError::ContentTypes);
        }
        if let Some(directory) = &options.directory
            && directory.clone().within(&options.root).is_err()
        {
            let (directory, root) = (directory.as_str().to_owned(), options.root.as_str().to_owned());
            return Err(SignerOptionsError::DirectoryOutsideRoot { directory, root });
        }
        let callback = options.callback.as_ref().map(encode_callback).transpose();
        let callback = callback.map_err(|reason| SignerOptionsError::Callback { reason })?.flatten();
        Ok(Self { options, callback, clock })
    }

    /// The settings.
    #[must_use]
    pub fn options(&self) -> &SignerOptions {
        &self.options
    }

    /// Signs uploads into this folder; without a path, into the configured one.
    ///
    /// Source: POL-1 to POL-42, V1-1, V4-7 to V4-9.
    ///
    /// # Errors
    /// [`SignError::Path`] in words for the one who asked.
    ///
    /// ```
    /// use countersign_app::{AccessKeySecret, SignatureAnswer, Signer, SignerChoice, SignerOptions};
    /// # use std::sync::Arc;
    ///
    /// let options = SignerOptions::new("ak", AccessKeySecret::from("sk"), "photos", "http://127.0.0.1:9817/photos");
    /// let noon = Arc::new(|| "2026-11-22T12:00:00Z".parse().unwrap());
    /// let signer = Signer::new(options, noon)?;
    /// let answer = signer.sign(Some("user-dir/42"), &SignerChoice::default())?;
    /// assert_eq!((answer.dir(), answer.expire()), ("user-dir/42/", 1_795_349_100), "five minutes");
    ///
    /// let SignatureAnswer::V1(form) = answer else { panic!("V1 unless another is chosen") };
    /// let policy = countersign_protocol::policy::Policy::parse(&form.policy)?;
    /// assert!(policy.pins("bucket", "photos") && policy.names("key") && policy.names("callback"));
    /// assert!(signer.sign(Some("../secrets"), &SignerChoice::default()).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sign(&self, path: Option<&str>, choice: &SignerChoice) -> Result<SignatureAnswer, SignError> {
        let choice = &self.with_granted_values(choice)?;
        let directory = self.directory(path, choice.grant.as_ref())?;
        self.check(&directory, choice)?;
        let now = (self.clock)();
        let expiration = self.expiration(now)?;
        let callback = self.callback_of(choice)?;
        let policy = self.policy(expiration, &directory, choice, callback.as_deref());
        let host = choice.host.clone().unwrap_or_else(|| self.options.host.clone());
        let dir = directory.as_str().to_owned();
        let expire = expiration.as_second();
        let answer = match choice.version.unwrap_or(self.options.version) {
            SignatureVersion::V1 => {
                let policy =
                    if self.options.store == StoreKind::Countersign && self.options.pins != Pins::Tutorial {
                        policy.bucket(self.bucket_for(choice))
                    } else {
                        policy
                    };
                let policy = policy.to_base64();
                SignatureAnswer::V1(SignatureAnswerV1 {
                    accessid: self.options.access_key_id.clone(),
                    host,
                    signature: sign_v1(&self.options.secret, &policy),
                    policy,
                    expire,
                    callback,
                    dir,
                    security_token: self.options.security_token.clone(),
                    fields: None,
                })
            }
            SignatureVersion::V4 => {
                let signed = self.sign_v4(now, policy.bucket(self.bucket_for(choice)));
                SignatureAnswer::V4(SignatureAnswerV4 { dir, host, callback, expire, ..signed })
            }
        };
        if !choice.fields {
            return Ok(answer);
        }
        let name = choice.key.as_deref().unwrap_or("${filename}");
        Ok(answer.with_fields(name, pinning::further_fields(&self.options, choice)))
    }

    /// Refuses a choice that could not be kept, or that would weaken a pin.
    fn check(&self, directory: &UploadPath, choice: &SignerChoice) -> Result<(), SignError> {
        if let Some((name, _)) = choice.values.iter().find(|(name, _)| !name.starts_with("x:")) {
            return Err(SignError::Value { name: name.clone() });
        }
        let is_name = |name: &str| {
            // The store would replace a variable after the policy was checked.
            let plain = !name.is_empty() && !name.contains("${") && !name.chars().any(char::is_control);
            plain && ObjectKey::parse(&format!("{}{name}", directory.as_str())).is_ok()
        };
        if choice.key.as_deref().is_some_and(|name| !is_name(name)) {
            return Err(SignError::Key);
        }
        let dropped = self.callback.is_some() && choice.callback == Some(false);
        if dropped && self.options.store == StoreKind::Oss && self.options.pins != Pins::Tutorial {
            return Err(SignError::CallbackUnpinned);
        }
        Ok(())
    }

    fn bucket_for<'a>(&'a self, choice: &'a SignerChoice) -> &'a str {
        choice.bucket.as_ref().unwrap_or(&self.options.bucket)
    }

    fn directory(&self, path: Option<&str>, grant: Option<&Grant>) -> Result<UploadPath, UploadPathError> {
        let directory = match (path, grant, &self.options.directory) {
            (Some(path), ..) => UploadPath::normalise(path)?.within(&self.options.root)?,
            (None, None, Some(directory)) => directory.clone(),
            // The folder itself; when that is the whole bucket, a path has to be named.
            (None, Some(grant), _) => UploadPath::normalise(grant.folder.as_str())?,
            (None, None, None) => UploadPath::normalise(self.options.root.as_str())?,
        };
        match grant {
            Some(grant) => directory.within(&grant.folder),
            None => Ok(directory),
        }
    }

    /// The choice with the grant's values among its own, as far as the callback's template names them: only those must
    /// come by the form, and a form that knows nothing of grants passes with all others.
    fn with_granted_values(&self, choice: &SignerChoice) -> Result<SignerChoice, GrantError> {
        let mut choice = choice.clone();
        if let Some(grant) = &choice.grant {
            grant.check(&self.options)?;
            let template = self.options.callback.as_ref().map_or("", |callback| &callback.body);
            let named = grant.named_values().filter(|(name, _)| template.contains(&format!("${{{name}}}")));
            choice.values.extend(named);
        }
        Ok(choice)
    }

    /// The callback parameter for one signature, for the chosen address and with the grant in its body.
    fn callback_of(&self, choice: &SignerChoice) -> Result<Option<String>, SignError> {
        let chosen = choice.callback_url.as_deref().map(|url| self.callback_to(url));
        let configured = chosen.as_ref().or(self.options.callback.as_ref());
        let (true, Some(callback)) = (choice.callback.unwrap_or(true), configured) else {
            return Ok(None);
        };
        let Some(grant) = &choice.grant else {
            let refused = |reason| SignError::CallbackUrl { reason };
            return if chosen.is_some() {
                encode_callback(callback).map_err(refused)
            } else {
                Ok(self.callback.clone())
            };
        };
        let unplaced = |reason: String| SignError::GrantUnplaced { reason };
        let body = sealed_grant::sealed_body(&self.options, &callback.body, &callback.body_type, grant);
        let body = body.ok_or_else(|| unplaced(SignerOptionsError::GrantUnplaced.to_string()))?;
        let encoded = encode_callback(&CallbackOptions { body, ..callback.clone() });
        encoded.map_err(|reason| unplaced(SignerOptionsError::Callback { reason }.to_string()))
    }

    /// The like of the configured callback for another address.
    fn callback_to(&self, url: &str) -> CallbackOptions {
        let to_url = CallbackOptions::to(url);
        match &self.options.callback {
            Some(configured) => CallbackOptions { url: to_url.url, host: None, ..configured.clone() },
            None => to_url,
        }
    }

    /// Whole seconds, so that the policy and `expire` say the same moment.
    fn expiration(&self, now: Timestamp) -> Result<Timestamp, SignError> {
        let lifetime = SignedDuration::try_from(self.options.lifetime).map_err(|_| SignError::Clock)?;
        let exact = now.checked_add(lifetime).map_err(|_| SignError::Clock)?;
        Timestamp::from_second(exact.as_second()).map_err(|_| SignError::Clock)
    }

    fn policy(
        &self,
        expiration: Timestamp,
        directory: &UploadPath,
        choice: &SignerChoice,
        callback: Option<&str>,
    ) -> PolicyDocument {
        let grant = choice.grant.as_ref();
        let (min, max) = (*self.options.size_bytes.start(), *self.options.size_bytes.end());
        let max = grant.and_then(|grant| grant.size_bytes_max).unwrap_or(max);
        let content_types = match grant {
            Some(grant) if !grant.content_types.is_empty() => &grant.content_types,
            _ => &self.options.content_types,
        };
        let mut policy = PolicyDocument::new(expiration).content_length_range(min, max);
        policy = match &choice.key {
            Some(key) => policy.eq("key", &format!("{}{key}", directory.as_str())),
            None => policy.starts_with("key", directory.as_str()),
        };
        match content_types.as_slice() {
            [] => {}
            [family] if is_family(family) => {
                policy = policy.starts_with("content-type", family.trim_end_matches('*'));
            }
            types => policy = policy.is_in("content-type", types),
        }
        pinning::pin(&self.options, policy, choice, callback)
    }

    fn sign_v4(&self, now: Timestamp, policy: PolicyDocument) -> SignatureAnswerV4 {
        let scope = CredentialScope::new(now, self.options.region.clone());
        let credential = scope.credential(&self.options.access_key_id);
        let date = format_v4_date(now);
        let mut policy = policy
            .field("x-oss-signature-version", V4_ALGORITHM)
            .field("x-oss-credential", &credential)
            .field("x-oss-date", &date);
        if let Some(token) = &self.options.security_token {
            policy = policy.field("x-oss-security-token", token);
        }
        let policy = policy.to_base64();
        SignatureAnswerV4 {
            signature: sign_v4(&self.options.secret, &scope, &policy),
            policy,
            x_oss_signature_version: V4_ALGORITHM.to_owned(),
            version: V4_ALGORITHM.to_owned(),
            x_oss_credential: credential,
            x_oss_date: date,
            security_token: self.options.security_token.clone(),
            dir: String::new(),
            host: String::new(),
            callback: None,
            expire: 0,
            fields: None,
        }
    }
}

/// The parameter in base64; `None` when the address is empty, which OSS takes for "no callback". An error is the
/// store's reason to refuse it.
fn encode_callback(options: &CallbackOptions) -> Result<Option<String>, String> {
    let json = CallbackJson {
        callback_url: &options.url,
        callback_host: options.host.as_deref(),
        callback_body: &options.body,
        callback_body_type: &options.body_type,
    };
    let json = serde_json::to_vec(&json).map_err(|error| error.to_string())?;
    let encoded = STANDARD.encode(json);
    let parsed = CallbackParameter::parse(&encoded).map_err(|error| error.to_string())?;
    Ok(parsed.map(|_| encoded))
}

#[cfg(test)]
mod tests;
