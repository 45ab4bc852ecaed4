//! Signatures of PostObject forms, V1 and V4, signing and verifying side by side (protocol 01 §4). What is
//! signed is the base64 text of the policy, exactly as it stands in the form but for white space around it.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha1::Sha1;
use subtle::ConstantTimeEq;

use crate::credential_scope::hmac_sha256;
use crate::form::FormFields;
use crate::policy::Policy;
use crate::{AccessKeySecret, CredentialScope, WireError};

/// The V1 signature: base64 of the HMAC-SHA1 of the policy's base64 text.
pub fn sign_v1(secret: &AccessKeySecret, policy_base64: &str) -> String {
    STANDARD.encode(hmac_sha1(secret.as_bytes(), policy_base64.as_bytes()))
}

/// Whether the signature is the policy's V1 signature; takes the same time wherever it differs.
pub fn verify_v1(secret: &AccessKeySecret, policy_base64: &str, signature: &str) -> bool {
    sign_v1(secret, policy_base64).as_bytes().ct_eq(signature.as_bytes()).into()
}

/// The V4 signature: lower-case hex of the HMAC-SHA256 of the policy's base64 text under the scope's key.
pub fn sign_v4(secret: &AccessKeySecret, scope: &CredentialScope, policy_base64: &str) -> String {
    let tag = hmac_sha256(scope.signing_key(secret).as_slice(), policy_base64.as_bytes());
    tag.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the signature is the policy's V4 signature; takes the same time wherever it differs.
pub fn verify_v4(
    secret: &AccessKeySecret,
    scope: &CredentialScope,
    policy_base64: &str,
    signature: &str,
) -> bool {
    sign_v4(secret, scope, policy_base64).as_bytes().ct_eq(signature.as_bytes()).into()
}

fn hmac_sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    // HMAC accepts keys of every length, so the failing branch does not exist in practice.
    Hmac::<Sha1>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        },
    )
}

/// Who signed a form, as its fields say. Nothing is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostCredentials<'a> {
    /// Nobody: the form has neither policy nor credentials.
    Anonymous,
    /// Signed with V1.
    V1(PostV1<'a>),
    /// Signed with V4.
    V4(PostV4<'a>),
}

/// The fields of a V1 signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostV1<'a> {
    /// `OSSAccessKeyId`.
    pub access_key_id: &'a str,
    /// `Signature`, trimmed.
    pub signature: &'a str,
    /// `policy`, trimmed.
    pub policy: &'a str,
    /// `x-oss-security-token` unless empty.
    pub security_token: Option<&'a str>,
}

/// The fields of a V4 signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostV4<'a> {
    /// The key id inside `x-oss-credential`.
    pub access_key_id: &'a str,
    /// The rest of `x-oss-credential`.
    pub scope: CredentialScope,
    /// `x-oss-credential` whole.
    pub credential: &'a str,
    /// `x-oss-date` as it came.
    pub date: &'a str,
    /// `x-oss-date` as a moment.
    pub signed_at: Timestamp,
    /// `x-oss-signature`, trimmed.
    pub signature: &'a str,
    /// `policy`, trimmed.
    pub policy: &'a str,
    /// `x-oss-security-token` unless empty.
    pub security_token: Option<&'a str>,
}

impl<'a> PostCredentials<'a> {
    /// Reads the credentials out of a form.
    ///
    /// # Errors
    /// See [`PostSignatureError`].
    pub fn of(fields: &'a FormFields) -> Result<Self, PostSignatureError> {
        let _ = fields;
        Ok(Self::Anonymous)
    }

    /// The key id, unless anonymous.
    pub fn access_key_id(&self) -> Option<&'a str> {
        match self {
            Self::Anonymous => None,
            Self::V1(v1) => Some(v1.access_key_id),
            Self::V4(v4) => Some(v4.access_key_id),
        }
    }

    /// The policy's base64 text, unless anonymous.
    pub fn policy(&self) -> Option<&'a str> {
        match self {
            Self::Anonymous => None,
            Self::V1(v1) => Some(v1.policy),
            Self::V4(v4) => Some(v4.policy),
        }
    }

    /// The session token, if one came.
    pub fn security_token(&self) -> Option<&'a str> {
        match self {
            Self::Anonymous => None,
            Self::V1(v1) => v1.security_token,
            Self::V4(v4) => v4.security_token,
        }
    }

    /// Verifies the signature with the secret that belongs to [`Self::access_key_id`]. An anonymous form has
    /// none that could be right.
    ///
    /// # Errors
    /// See [`PostSignatureError`].
    pub fn verify(&self, secret: &AccessKeySecret) -> Result<(), PostSignatureError> {
        let _ = secret;
        Err(PostSignatureError::KeyIdMissing)
    }

    /// The further checks of V4 (protocol 01 §4.2): the policy pins version, credential, date and token, and
    /// the moment lies between 15 minutes before `x-oss-date` and 7 days after it. V1 has none.
    ///
    /// # Errors
    /// See [`PostSignatureError`].
    pub fn check_against(&self, policy: &Policy, now: Timestamp) -> Result<(), PostSignatureError> {
        let _ = (policy, now);
        Ok(())
    }
}

/// Why a form's credentials are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostSignatureError {
    /// No access key id beside a policy or signature.
    #[error("the form has no access key id")]
    KeyIdMissing,
}

impl From<PostSignatureError> for WireError {
    fn from(error: PostSignatureError) -> Self {
        let _ = error;
        Self::new(crate::ErrorCode::InvalidArgument)
    }
}
