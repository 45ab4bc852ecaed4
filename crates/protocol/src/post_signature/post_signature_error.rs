//! Errors of a form's credentials, and OSS's code and message for each (POST-62 to POST-64, V4-11, ERR-25).

use crate::credential_scope::{CredentialError, V4_ALGORITHM};
use crate::policy::PolicyError;
use crate::{ErrorCode, WireError, ec};

/// Why a form's credentials are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostSignatureError {
    /// No access key id beside a policy or signature.
    #[error("the form has no access key id")]
    KeyIdMissing,
    /// An empty access key id.
    #[error("the form's access key id is empty")]
    KeyIdEmpty,
    /// No signature beside a policy or key id.
    #[error("the form has no signature")]
    SignatureMissing,
    /// An empty signature.
    #[error("the form's signature is empty")]
    SignatureEmpty,
    /// No policy beside a key id and signature.
    #[error("the form has no policy")]
    PolicyMissing,
    /// A policy of nothing but white space.
    #[error("the form's policy is blank")]
    PolicyBlank,
    /// `x-oss-signature-version` is absent beside other V4 fields, or not the one that is known.
    #[error("the form's signature version is not {V4_ALGORITHM}")]
    Version,
    /// `x-oss-credential` is absent or malformed.
    #[error("the form's credential is malformed: {0}")]
    Credential(#[from] CredentialError),
    /// `x-oss-date` is absent, malformed or not on the credential's day.
    #[error("the form's sign date is missing, malformed or not the credential's day")]
    SignDate,
    /// `x-oss-date` lies more than 15 minutes ahead.
    #[error("the form's sign date lies in the future")]
    SignedInTheFuture,
    /// `x-oss-date` lies more than 7 days back.
    #[error("the form's sign date lies more than seven days back")]
    SignedTooLongAgo,
    /// The policy does not demand the value that the form signs with.
    #[error("the policy does not pin {field}")]
    NotPinned {
        /// The field that it must pin.
        field: &'static str,
    },
    /// A signature of a flavour that is not built: OSS V2 or one of S3's.
    #[error("the form is signed with a scheme that is not supported ({field})")]
    ForeignScheme {
        /// The field that tells.
        field: &'static str,
    },
    /// Another signature than the policy's.
    #[error("the form's signature is not the one of its policy")]
    Mismatch {
        /// The key id that the form names.
        access_key_id: String,
        /// The signature that it carries.
        signature: String,
        /// What was to be signed.
        policy: String,
    },
}

/// The longest text that an answer repeats to help a signer find the mistake.
const REPEATED_BYTES_MAX: usize = 8 << 10;

impl From<PostSignatureError> for WireError {
    fn from(error: PostSignatureError) -> Self {
        let argument = |message: &'static str, number, name: &str| {
            Self::new(ErrorCode::InvalidArgument)
                .with_message(message)
                .with_ec(number)
                .with_element("ArgumentName", name)
        };
        let denied = |message: String, number| {
            Self::new(ErrorCode::AccessDenied).with_message(message).with_ec(number)
        };
        let (no_key_id, no_signature) =
            ("Post request accessKeyId is empty.", "Post request signature is empty.");
        match error {
            PostSignatureError::KeyIdMissing => {
                argument(no_key_id, ec::POST_KEY_ID_MISSING, "OSSAccessKeyId")
            }
            PostSignatureError::KeyIdEmpty => argument(no_key_id, ec::POST_KEY_ID_EMPTY, "OSSAccessKeyId"),
            PostSignatureError::SignatureMissing => {
                argument(no_signature, ec::POST_SIGNATURE_MISSING, "Signature")
            }
            PostSignatureError::SignatureEmpty => {
                argument(no_signature, ec::POST_SIGNATURE_EMPTY, "Signature")
            }
            PostSignatureError::PolicyMissing => {
                argument("Post request policy is empty.", ec::POST_POLICY_MISSING, "policy")
            }
            PostSignatureError::PolicyBlank => PolicyError::Blank.into(),
            PostSignatureError::Version => Self::new(ErrorCode::InvalidArgument)
                .with_message("The x-oss-signature-version of the form is invalid.")
                .with_element("ArgumentName", "x-oss-signature-version"),
            PostSignatureError::Credential(_) => argument(
                "The x-oss-credential of the form is invalid.",
                ec::POST_V4_CREDENTIAL,
                "x-oss-credential",
            ),
            PostSignatureError::SignDate => {
                argument("The x-oss-date of the form is invalid.", ec::POST_V4_SIGN_DATE, "x-oss-date")
            }
            PostSignatureError::SignedInTheFuture => {
                denied("The x-oss-date of the form lies in the future.".to_owned(), ec::POST_V4_SIGN_DATE)
            }
            PostSignatureError::SignedTooLongAgo => {
                denied("Request has expired.".to_owned(), ec::POST_V4_SIGN_DATE)
            }
            PostSignatureError::NotPinned { field } => denied(
                format!("Invalid according to Policy: the policy has no equality condition for {field}."),
                ec::POLICY_CONDITION_FAILED,
            ),
            PostSignatureError::ForeignScheme { field } => Self::new(ErrorCode::NotImplemented)
                .with_message("Forms are signed with OSS signature version 1 or 4.")
                .with_element("Header", field),
            PostSignatureError::Mismatch { access_key_id, signature, policy } => {
                mismatch(access_key_id, signature, policy)
            }
        }
    }
}

fn mismatch(access_key_id: String, signature: String, policy: String) -> WireError {
    let error = WireError::new(ErrorCode::SignatureDoesNotMatch)
        .with_ec(ec::POST_SIGNATURE_MISMATCH)
        .with_element("OSSAccessKeyId", access_key_id);
    if signature.len() + policy.len() > REPEATED_BYTES_MAX {
        return error;
    }
    let bytes: Vec<String> = policy.bytes().map(|byte| format!("{byte:02X}")).collect();
    error
        .with_element("SignatureProvided", signature)
        .with_element("StringToSign", policy)
        .with_element("StringToSignBytes", bytes.join(" "))
}
