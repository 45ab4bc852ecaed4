//! Carries a grant from the signature to the callback: as a member of the callback's body, under the signer's own
//! HMAC.
//!
//! The store signs a callback, and the policy pins its template, so that an uploader changes neither. That is not
//! enough before the real OSS, where one key signs the callbacks of every customer: another customer could let it say
//! what he likes. Hence the grant carries a proof of its own, made with a key that is derived from the access key's
//! secret, for one bucket. An uploader sees it, can read it, and cannot change it or make another; at worst he sends
//! his own again, which says that it was he.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_protocol::{
    access_key::AccessKeySecret,
    callback::template::{BodyType, CallbackVariables, Template},
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::Signer;
use crate::{
    callback_verifier::VerifiedCallback,
    grant::Grant,
    signer_options::{CallbackOptions, SignerOptions, SignerOptionsError},
    upload_facts::UploadFacts,
    upload_path::UploadPath,
};

/// The member of the callback's body that carries it.
pub const GRANT_MEMBER: &str = "countersign_grant";
/// What the key is derived for, so that it serves nothing else.
const KEY_PURPOSE: &[u8] = b"countersign grant 1";

/// A key, and a seal, as they stand in a body that is made to look at its members.
const SAMPLE: &str = "sample";

/// Why a callback tells of no upload that was granted here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotGranted {
    /// No grant in it: another signer's upload, or one from before the hook was there.
    #[error("the callback carries no grant of this server's")]
    Missing,
    /// A grant that was not made here, for this bucket and with this access key.
    #[error("the callback carries a grant that was not made here")]
    Forged,
    /// Other members than the template has, or one twice: another's template, with a grant from one of ours.
    #[error("the callback's body has not the members that are signed for here")]
    Reshaped,
    /// A key or a bucket that the grant is not for, or no key.
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
    /// Whether a grant finds a place in the callback's body, and the key is told beside it, so that this is known before
    /// the first upload.
    ///
    /// # Errors
    /// [`SignerOptionsError::GrantUnplaced`].
    ///
    /// ```
    /// use countersign_app::{AccessKeySecret, CallbackOptions, Signer, SignerOptions, Timestamp};
    /// # use std::sync::Arc;
    ///
    /// let signer = |body: &str| {
    ///     let host = "http://127.0.0.1:9817/photos";
    ///     let mut options = SignerOptions::new("ak", AccessKeySecret::from("sk"), "photos", host);
    ///     let to = CallbackOptions::to("http://127.0.0.1:8000/callback");
    ///     options.callback = Some(CallbackOptions { body: body.to_owned(), ..to });
    ///     Signer::new(options, Arc::new(Timestamp::now))
    /// };
    /// assert!(signer("object=${object}&size=${size}")?.check_grants().is_ok());
    /// assert!(signer("size=${size}")?.check_grants().is_err(), "whose folder it is in could not be checked");
    /// # Ok::<(), countersign_app::signer_options::SignerOptionsError>(())
    /// ```
    pub fn check_grants(&self) -> Result<(), SignerOptionsError> {
        let Some(callback) = &self.options.callback else { return Ok(()) };
        let told = sample(callback).is_some_and(|body| {
            let key = UploadFacts::of(body.as_bytes()).key;
            key.as_deref() == Some(SAMPLE) && UploadFacts::member(body.as_bytes(), GRANT_MEMBER).is_some()
        });
        if told { Ok(()) } else { Err(SignerOptionsError::GrantUnplaced) }
    }

    /// Whom an upload was granted to, by a callback that was verified: user, folder and values. Sizes and types were
    /// enforced by the store and are not told again.
    ///
    /// # Errors
    /// [`NotGranted`].
    ///
    /// ```
    /// use countersign_app::{
    ///     AccessKeySecret, CallbackOptions, Signer, SignerChoice, SignerOptions, Timestamp, grant::Grant,
    ///     upload_path::UploadPath,
    /// };
    /// # use countersign_app::{CallbackVerifier, recorded_request::RecordedRequest};
    /// # use countersign_protocol::callback::{CallbackParameter, CallbackVariables, signature::{SignError, sign}};
    /// # use base64::{Engine, engine::general_purpose::STANDARD};
    /// # use std::sync::Arc;
    ///
    /// let host = "http://127.0.0.1:9817/photos";
    /// let mut options = SignerOptions::new("ak", AccessKeySecret::from("sk"), "photos", host);
    /// let to = CallbackOptions::to("http://127.0.0.1:8000/callback");
    /// options.callback = Some(CallbackOptions { body: "object=${object}".to_owned(), ..to });
    /// let signer = Signer::new(options, Arc::new(Timestamp::now))?;
    ///
    /// let grant = Grant::new("42", UploadPath::normalise("users/42")?);
    /// let signed = signer.sign(None, &SignerChoice { grant: Some(grant), ..Default::default() })?;
    /// # // The store's part: it fills the template of the callback in, signs it and sends it.
    /// # let callback = signed.form_fields().into_iter().find(|(name, _)| *name == "callback").unwrap().1.to_owned();
    /// # let key = countersign_sys::RsaMd5Key::generate_1024_for_tests()?;
    /// # let verifier = CallbackVerifier::new().pin("http://127.0.0.1:9817/key.pem", &key.public_key_pem()?)?;
    /// # let rsa_md5 = |message: &[u8]| key.sign(message).map_err(|error| SignError { reason: error.to_string() });
    /// # let received = |object: &str| -> Result<_, Box<dyn std::error::Error>> {
    /// #     let parameter = CallbackParameter::parse(&callback)?.unwrap();
    /// #     let variables = CallbackVariables { object: object.to_owned(), ..Default::default() };
    /// #     let body = parameter.body.expand(&variables, parameter.body_type);
    /// #     let (head, _) = http::Request::post("/callback")
    /// #         .header("authorization", sign(&rsa_md5, "/callback", None, body.as_bytes())?)
    /// #         .header("x-oss-pub-key-url", STANDARD.encode("http://127.0.0.1:9817/key.pem"))
    /// #         .body(())?
    /// #         .into_parts();
    /// #     Ok(verifier.verify_request(RecordedRequest::new(&head, body.into()), None)?)
    /// # };
    /// // … and when the store reports uploads with this signature:
    /// assert_eq!(signer.granted(&received("users/42/a.jpg")?)?.user, "42");
    /// assert!(signer.granted(&received("users/43/a.jpg")?).is_err(), "another user's folder");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn granted(&self, callback: &VerifiedCallback) -> Result<Grant, NotGranted> {
        let body = &callback.request.body;
        let sealed = UploadFacts::member(body, GRANT_MEMBER).ok_or(NotGranted::Missing)?;
        let grant = self.opened(&sealed).ok_or(NotGranted::Forged)?;
        if !self.options.callback.as_ref().is_some_and(|callback| is_of(body, callback)) {
            return Err(NotGranted::Reshaped);
        }
        let facts = &callback.facts;
        let here = facts.bucket.as_ref().is_none_or(|bucket| *bucket == self.options.bucket)
            && facts.key.as_ref().is_some_and(|key| lies_in(key, grant.folder.as_str()));
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

/// What the store would send of an upload that there never was.
fn sample(callback: &CallbackOptions) -> Option<String> {
    let body = with_member(&callback.body, &callback.body_type, SAMPLE)?;
    let variables = CallbackVariables { object: SAMPLE.to_owned(), ..CallbackVariables::default() };
    Some(Template::parse(&body).ok()?.expand(&variables, BodyType::parse(&callback.body_type)?))
}

/// Whether a callback's body has the members of the template, each once and in its order. Otherwise the application could
/// read another key than is held against the folder here: the second of two, or one in a form that is an object besides.
fn is_of(body: &[u8], callback: &CallbackOptions) -> bool {
    let names = |body: &[u8]| UploadFacts::member_names(body, BodyType::parse(&callback.body_type)?);
    let expected = sample(callback).and_then(|body| names(body.as_bytes()));
    expected.is_some() && names(body) == expected
}

/// Whether a key lies in a folder, also for an application that joins it to a path, or a browser that opens it: both
/// take `..` for the folder above, and browsers a backslash for a slash.
fn lies_in(key: &str, folder: &str) -> bool {
    let plain = |rest: &str| !rest.split(['/', '\\']).any(|part| matches!(part, "." | ".."));
    key.strip_prefix(folder).is_some_and(plain)
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
