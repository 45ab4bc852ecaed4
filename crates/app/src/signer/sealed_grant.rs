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

use crate::{
    callback_verifier::VerifiedCallback,
    grant::Grant,
    signer_options::{CallbackOptions, SignerOptions},
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

/// Whether a grant finds a place in this callback's body, and the key is told with it.
pub(super) fn finds_a_place(callback: &CallbackOptions) -> bool {
    sample(callback).is_some_and(|body| {
        let key = UploadFacts::of(body.as_bytes()).key;
        key.as_deref() == Some(SAMPLE) && UploadFacts::member(body.as_bytes(), GRANT_MEMBER).is_some()
    })
}

/// The grant that a verified callback carries, if it was made with these options and is for that object.
pub(super) fn read(options: &SignerOptions, callback: &VerifiedCallback) -> Result<Grant, NotGranted> {
    let body = &callback.request.body;
    let sealed = UploadFacts::member(body, GRANT_MEMBER).ok_or(NotGranted::Missing)?;
    let grant = opened(options, &sealed).ok_or(NotGranted::Forged)?;
    if !options.callback.as_ref().is_some_and(|callback| is_of(body, callback)) {
        return Err(NotGranted::Reshaped);
    }
    let facts = &callback.facts;
    let here = facts.bucket.as_ref().is_none_or(|bucket| *bucket == options.bucket)
        && facts.key.as_ref().is_some_and(|key| lies_in(key, grant.folder.as_str()));
    if here { Ok(grant) } else { Err(NotGranted::Elsewhere) }
}

/// The callback's body with the grant in it; `None` where it is neither a form nor a JSON object.
pub(super) fn sealed_body(
    options: &SignerOptions,
    body: &str,
    body_type: &str,
    grant: &Grant,
) -> Option<String> {
    let sealed = Sealed {
        user: grant.user.clone(),
        folder: grant.folder.as_str().to_owned(),
        values: grant.values.clone(),
    };
    let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&sealed).ok()?);
    let tag = URL_SAFE_NO_PAD.encode(tag(options, &claims));
    with_member(body, body_type, &format!("{claims}.{tag}"))
}

fn opened(options: &SignerOptions, sealed: &str) -> Option<Grant> {
    let (claims, shown) = sealed.split_once('.')?;
    let shown = URL_SAFE_NO_PAD.decode(shown).ok()?;
    if !bool::from(tag(options, claims).as_slice().ct_eq(&shown)) {
        return None;
    }
    let sealed: Sealed = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let folder = match sealed.folder.as_str() {
        "" => UploadPath::whole_bucket(),
        folder => UploadPath::normalise(folder).ok()?,
    };
    Some(Grant { values: sealed.values, ..Grant::new(sealed.user, folder) })
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
