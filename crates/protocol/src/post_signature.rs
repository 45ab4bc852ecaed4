//! Signs and verifies PostObject forms, V1 and V4 (V1-1 to V1-4, V4-7 to V4-11). What is signed is the base64
//! text of the policy, exactly as it stands in the form but for white space around it.

mod post_signature_error;

pub use post_signature_error::PostSignatureError;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use crate::access_key::hmac_sha256;
use crate::credential_scope::{CredentialError, V4_ALGORITHM, parse_v4_date};
use crate::form::FormFields;
use crate::policy::Policy;
use crate::{AccessKeySecret, CredentialScope};

/// Any of these makes a form one that is signed with V4.
const V4_FIELDS: [&str; 2] = ["x-oss-signature-version", "x-oss-credential"];
/// Else any of these makes it one that is signed with V1.
const V1_FIELDS: [&str; 3] = ["OSSAccessKeyId", "Signature", "policy"];
/// Else any of these makes it one that is signed in a way that is not built.
const FOREIGN_FIELDS: [&str; 5] =
    ["x-oss-signature", "x-oss-access-key-id", "AWSAccessKeyId", "X-Amz-Credential", "x-amz-signature"];

/// How far `x-oss-date` may lie ahead.
const EARLY_MAX: SignedDuration = SignedDuration::from_mins(15);
/// How long after `x-oss-date` a form may be used.
const VALID_MAX: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The V1 signature: base64 of the HMAC-SHA1 of the policy's base64 text.
///
/// Source: V4-9, V4-10.
///
/// ```
/// use countersign_protocol::AccessKeySecret;
/// use countersign_protocol::post_signature::{sign_v1, verify_v1};
///
/// let secret = AccessKeySecret::from("secret");
/// let policy = "eyJleHBpcmF0aW9uIjoiMjAzMC0wMS0wMVQwMDowMDowMFoiLCJjb25kaXRpb25zIjpbXX0=";
/// let signature = sign_v1(&secret, policy);
/// assert_eq!(signature.len(), 28, "20 bytes in base64");
/// assert!(verify_v1(&secret, policy, &signature));
/// assert!(!verify_v1(&AccessKeySecret::from("another"), policy, &signature));
/// ```
pub fn sign_v1(secret: &AccessKeySecret, policy_base64: &str) -> String {
    STANDARD.encode(hmac_sha1(secret.as_bytes(), policy_base64.as_bytes()))
}

/// Whether the signature is the policy's V1 signature; takes the same time wherever it differs.
pub fn verify_v1(secret: &AccessKeySecret, policy_base64: &str, signature: &str) -> bool {
    sign_v1(secret, policy_base64).as_bytes().ct_eq(signature.as_bytes()).into()
}

/// The V4 signature: lower-case hex of the HMAC-SHA256 of the policy's base64 text under the scope's key.
///
/// Source: V4-7, V4-8.
///
/// ```
/// use countersign_protocol::post_signature::{sign_v4, verify_v4};
/// use countersign_protocol::{AccessKeySecret, CredentialScope};
///
/// let secret = AccessKeySecret::from("sk");
/// let (_, scope) = CredentialScope::parse_credential("ak/20231203/cn-hangzhou/oss/aliyun_v4_request")?;
/// let signature = sign_v4(&secret, &scope, "e30=");
/// assert_eq!(signature.len(), 64, "32 bytes in hex");
/// assert!(verify_v4(&secret, &scope, "e30=", &signature));
/// assert!(!verify_v4(&secret, &scope, "e30", &signature), "the text is signed, not what it means");
/// # Ok::<(), countersign_protocol::credential_scope::CredentialError>(())
/// ```
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
    /// Reads the credentials out of a form. Half of a set of credentials is an error, never anonymous.
    ///
    /// # Errors
    /// See [`PostSignatureError`].
    ///
    /// ```
    /// use countersign_protocol::form::{FilePart, FormFields};
    /// use countersign_protocol::post_signature::{PostCredentials, PostSignatureError};
    ///
    /// let bare = FormFields::from_parts([("key", "a.jpg")], FilePart::default())?;
    /// assert_eq!(PostCredentials::of(&bare)?, PostCredentials::Anonymous);
    ///
    /// let half = FormFields::from_parts([("key", "a.jpg"), ("OSSAccessKeyId", "ak")], FilePart::default())?;
    /// assert_eq!(PostCredentials::of(&half), Err(PostSignatureError::SignatureMissing));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(fields: &'a FormFields) -> Result<Self, PostSignatureError> {
        let has = |name: &&str| fields.get(name).is_some();
        if V4_FIELDS.iter().any(has) {
            return PostV4::of(fields).map(Self::V4);
        }
        if V1_FIELDS.iter().any(has) {
            return PostV1::of(fields).map(Self::V1);
        }
        match FOREIGN_FIELDS.iter().find(|name| has(name)) {
            Some(field) => Err(PostSignatureError::ForeignScheme { field }),
            None => Ok(Self::Anonymous),
        }
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
    ///
    /// ```
    /// use countersign_protocol::form::{FilePart, FormFields};
    /// use countersign_protocol::post_signature::PostCredentials;
    ///
    /// let sent = [
    ///     ("OSSAccessKeyId", "STS.ak"),
    ///     ("policy", " e30=\r\n"),
    ///     ("Signature", "checked elsewhere"),
    ///     ("x-oss-security-token", "CAIS"),
    /// ];
    /// let fields = FormFields::from_parts(sent, FilePart::default())?;
    /// let credentials = PostCredentials::of(&fields)?;
    /// assert_eq!((credentials.security_token(), credentials.policy()), (Some("CAIS"), Some("e30=")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    /// [`PostSignatureError::Mismatch`], or [`PostSignatureError::KeyIdMissing`] when anonymous.
    ///
    /// ```
    /// use countersign_protocol::AccessKeySecret;
    /// use countersign_protocol::form::{FilePart, FormFields};
    /// use countersign_protocol::post_signature::{PostCredentials, sign_v1};
    ///
    /// let secret = AccessKeySecret::from("sk");
    /// let signature = sign_v1(&secret, "e30=");
    /// let sent = [("key", "a.jpg"), ("OSSAccessKeyId", "ak"), ("policy", "e30="), ("Signature", &signature)];
    /// let fields = FormFields::from_parts(sent, FilePart::default())?;
    /// let credentials = PostCredentials::of(&fields)?;
    /// assert_eq!(credentials.access_key_id(), Some("ak"));
    /// assert_eq!(credentials.verify(&secret), Ok(()));
    /// assert!(credentials.verify(&AccessKeySecret::from("another")).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify(&self, secret: &AccessKeySecret) -> Result<(), PostSignatureError> {
        let (right, access_key_id, signature, policy) = match self {
            Self::Anonymous => return Err(PostSignatureError::KeyIdMissing),
            Self::V1(v1) => {
                let right = verify_v1(secret, v1.policy, v1.signature);
                (right, v1.access_key_id, v1.signature, v1.policy)
            }
            Self::V4(v4) => {
                let right = verify_v4(secret, &v4.scope, v4.policy, v4.signature);
                (right, v4.access_key_id, v4.signature, v4.policy)
            }
        };
        if right {
            return Ok(());
        }
        Err(PostSignatureError::Mismatch {
            access_key_id: access_key_id.to_owned(),
            signature: signature.to_owned(),
            policy: policy.to_owned(),
        })
    }

    /// The further checks of V4 (V1-1 to V1-4, V4-7 to V4-11): the policy pins version, credential, date and token, and
    /// the moment lies between 15 minutes before `x-oss-date` and 7 days after it. V1 has none.
    ///
    /// That the form's values equal what the policy pins is for [`Policy::evaluate`], as with any field.
    ///
    /// # Errors
    /// See [`PostSignatureError`].
    ///
    /// ```
    /// use countersign_protocol::form::{FilePart, FormFields};
    /// use countersign_protocol::policy::{Policy, PolicyDocument};
    /// use countersign_protocol::post_signature::{PostCredentials, PostSignatureError};
    ///
    /// let (credential, date) = ("ak/20261122/cn-hangzhou/oss/aliyun_v4_request", "20261122T120000Z");
    /// let document = PolicyDocument::new("2030-01-01T00:00:00Z".parse()?).pin_v4(credential, date, None).to_base64();
    /// let sent = [
    ///     ("x-oss-signature-version", "OSS4-HMAC-SHA256"),
    ///     ("x-oss-credential", credential),
    ///     ("x-oss-date", date),
    ///     ("x-oss-signature", "checked elsewhere"),
    ///     ("policy", &document),
    /// ];
    /// let fields = FormFields::from_parts(sent, FilePart::default())?;
    /// let credentials = PostCredentials::of(&fields)?;
    /// let policy = Policy::parse(&document)?;
    /// assert_eq!(credentials.check_against(&policy, "2026-11-25T00:00:00Z".parse()?), Ok(()));
    /// let late = credentials.check_against(&policy, "2026-11-30T00:00:00Z".parse()?);
    /// assert_eq!(late, Err(PostSignatureError::SignedTooLongAgo));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn check_against(&self, policy: &Policy, now: Timestamp) -> Result<(), PostSignatureError> {
        let Self::V4(v4) = self else { return Ok(()) };
        let age = now.duration_since(v4.signed_at);
        if age < -EARLY_MAX {
            return Err(PostSignatureError::SignedInTheFuture);
        }
        if age > VALID_MAX {
            return Err(PostSignatureError::SignedTooLongAgo);
        }
        let pinned = [
            ("x-oss-signature-version", Some(V4_ALGORITHM)),
            ("x-oss-credential", Some(v4.credential)),
            ("x-oss-date", Some(v4.date)),
            ("x-oss-security-token", v4.security_token),
        ];
        for (field, value) in pinned {
            if value.is_some_and(|value| !policy.pins(field, value)) {
                return Err(PostSignatureError::NotPinned { field });
            }
        }
        Ok(())
    }
}

impl<'a> PostV1<'a> {
    fn of(fields: &'a FormFields) -> Result<Self, PostSignatureError> {
        let access_key_id = match fields.get("OSSAccessKeyId") {
            None => return Err(PostSignatureError::KeyIdMissing),
            Some("") => return Err(PostSignatureError::KeyIdEmpty),
            Some(access_key_id) => access_key_id,
        };
        let signature = signature_field(fields, "Signature")?;
        let policy = policy_field(fields)?;
        Ok(Self { access_key_id, signature, policy, security_token: fields.security_token() })
    }
}

impl<'a> PostV4<'a> {
    fn of(fields: &'a FormFields) -> Result<Self, PostSignatureError> {
        if fields.get("x-oss-signature-version") != Some(V4_ALGORITHM) {
            return Err(PostSignatureError::Version);
        }
        let credential = fields.get_filled("x-oss-credential").ok_or(CredentialError::Parts)?;
        let (access_key_id, scope) = CredentialScope::parse_credential(credential)?;
        let date = fields.get_filled("x-oss-date").ok_or(PostSignatureError::SignDate)?;
        let signed_at = parse_v4_date(date).ok_or(PostSignatureError::SignDate)?;
        if !scope.is_day_of(signed_at) {
            return Err(PostSignatureError::SignDate);
        }
        let signature = signature_field(fields, "x-oss-signature")?;
        let policy = policy_field(fields)?;
        let security_token = fields.security_token();
        Ok(Self { access_key_id, scope, credential, date, signed_at, signature, policy, security_token })
    }
}

/// Old encoders leave line ends around base64.
fn signature_field<'a>(fields: &'a FormFields, name: &str) -> Result<&'a str, PostSignatureError> {
    match fields.get(name).map(str::trim) {
        None => Err(PostSignatureError::SignatureMissing),
        Some("") => Err(PostSignatureError::SignatureEmpty),
        Some(signature) => Ok(signature),
    }
}

fn policy_field(fields: &FormFields) -> Result<&str, PostSignatureError> {
    match fields.get("policy").map(str::trim) {
        None => Err(PostSignatureError::PolicyMissing),
        Some("") => Err(PostSignatureError::PolicyBlank),
        Some(policy) => Ok(policy),
    }
}

#[cfg(test)]
mod tests;
