//! A grant on its way from the signature to the callback: a member of the callback's body, under the signer's own HMAC.
//!
//! The store signs a callback, and the policy pins its template, so that an uploader changes neither. That is not
//! enough before the real OSS, where one key signs the callbacks of every customer: another customer could let it say
//! what he likes. Hence the grant carries a proof of its own, made with a key that is derived from the access key's
//! secret, for one bucket. An uploader sees it, can read it, and cannot change it or make another; at worst he sends
//! his own again, which says that it was he.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_protocol::{access_key::AccessKeySecret, callback::template::BodyType};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::Signer;
use crate::{
    callback_verifier::VerifiedCallback,
    grant::Grant,
    signer_options::{SignerOptions, SignerOptionsError},
    upload_facts::UploadFacts,
    upload_path::UploadPath,
};

/// The member of the callback's body that carries it.
pub const GRANT_MEMBER: &str = "countersign_grant";
/// What the key is derived for, so that it serves nothing else.
const KEY_PURPOSE: &[u8] = b"countersign grant 1";

/// Why a callback tells of no upload that was granted here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotGranted {
    /// No grant in it: another signer's upload, or one from before the hook was there.
    #[error("the callback carries no grant of this server's")]
    Missing,
    /// A grant that was not made here, for this bucket and with this access key.
    #[error("the callback carries a grant that was not made here")]
    Forged,
    /// A key or a bucket that the grant is not for.
    #[error("the callback tells of an object that its grant is not for")]
    Elsewhere,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    user: String,
    folder: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<(String, String)>,
}

impl Signer {
    /// Whether a grant finds a place in the callback's body, so that this is known before the first upload.
    ///
    /// # Errors
    /// [`SignerOptionsError::GrantUnplaced`].
    pub fn check_grants(&self) -> Result<(), SignerOptionsError> {
        let Some(callback) = &self.options.callback else { return Ok(()) };
        with_member(&callback.body, &callback.body_type, "")
            .map(|_| ())
            .ok_or(SignerOptionsError::GrantUnplaced)
    }

    /// Whom an upload was granted to, by a callback that was verified: user, folder and values. Sizes and types were
    /// enforced by the store and are not told again.
    ///
    /// # Errors
    /// [`NotGranted`].
    pub fn granted(&self, callback: &VerifiedCallback) -> Result<Grant, NotGranted> {
        let body = &callback.request.body;
        let sealed = UploadFacts::member(body, GRANT_MEMBER).ok_or(NotGranted::Missing)?;
        let grant = self.opened(&sealed).ok_or(NotGranted::Forged)?;
        let facts = &callback.facts;
        let here = facts.bucket.as_ref().is_none_or(|bucket| *bucket == self.options.bucket)
            && facts.key.as_ref().is_none_or(|key| key.starts_with(grant.folder.as_str()));
        if here { Ok(grant) } else { Err(NotGranted::Elsewhere) }
    }

    /// The callback's body with the grant in it; `None` where it is neither a form nor a JSON object.
    pub(super) fn sealed_body(&self, body: &str, body_type: &str, grant: &Grant) -> Option<String> {
        let sealed = Sealed {
            user: grant.user.clone(),
            folder: grant.folder.as_str().to_owned(),
            values: grant.values.clone(),
        };
        let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&sealed).ok()?);
        let tag = URL_SAFE_NO_PAD.encode(tag(&self.options, &claims));
        with_member(body, body_type, &format!("{claims}.{tag}"))
    }

    fn opened(&self, sealed: &str) -> Option<Grant> {
        let (claims, shown) = sealed.split_once('.')?;
        let shown = URL_SAFE_NO_PAD.decode(shown).ok()?;
        if !bool::from(tag(&self.options, claims).as_slice().ct_eq(&shown)) {
            return None;
        }
        let sealed: Sealed = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        let folder = match sealed.folder.as_str() {
            "" => UploadPath::whole_bucket(),
            folder => UploadPath::normalise(folder).ok()?,
        };
        Some(Grant { values: sealed.values, ..Grant::new(sealed.user, folder) })
    }
}

fn tag(signer: &SignerOptions, claims: &str) -> [u8; 32] {
    let key = AccessKeySecret::new(signer.secret.hmac_sha256(KEY_PURPOSE));
    key.hmac_sha256(format!("{}\n{claims}", signer.bucket).as_bytes())
}

/// The template with one member more at its end.
fn with_member(template: &str, body_type: &str, value: &str) -> Option<String> {
    match BodyType::parse(body_type)? {
        BodyType::Form => Some(format!("{template}&{GRANT_MEMBER}={value}")),
        BodyType::Json => {
            let members = template.trim_end().strip_suffix('}').filter(|_| !ends_in_variable(template))?;
            let first = members.trim_start().strip_prefix('{')?.trim().is_empty();
            let comma = if first { "" } else { "," };
            Some(format!("{members}{comma}\"{GRANT_MEMBER}\":\"{value}\"}}"))
        }
    }
}

/// Whether the last brace is that of a variable.
fn ends_in_variable(template: &str) -> bool {
    let last = template.rsplit_once("${").map(|(_, last)| last.trim_end());
    last.is_some_and(|last| last.find('}').is_some_and(|brace| brace + 1 == last.len()))
}
