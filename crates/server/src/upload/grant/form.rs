//! Reads the grant that a form asks for from its fields: signature, expiry, every condition of its policy, what its
//! bucket's mode demands, callback and reply (POST-61, POST-63).

use std::sync::Arc;

use countersign_protocol::callback::CallbackParameter;
use countersign_protocol::form::{FormError, FormFields};
use countersign_protocol::policy::{Policy, PolicyFacts, SizeRange};
use countersign_protocol::post_signature::PostCredentials;
use countersign_protocol::{BucketName, ErrorCode, WireError};
use http::HeaderValue;

use crate::access::Principal;
use crate::access::resource;
use crate::bucket_rules::form_coverage;
use crate::bucket_rules::settings;
use crate::budget::body_watch::BodyWatch;
use crate::budget::holder::UploadHolder;
use crate::callback::plan::CallbackPlan;
use crate::measures;
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::unserved_header;
use crate::response::traffic_limit::TrafficLimit;
use crate::response::wire_error::OperationError;
use crate::upload::grant::{Asked, Leave, Target, WriteGrant, existing_bucket};
use crate::upload::stored_form::{ACL, StoredForm};

/// The longest address that a form may redirect to.
const REDIRECT_BYTES_MAX: usize = 8 * 1024;

/// What a successful form without callback is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// 303 to this address.
    Redirect(HeaderValue),
    /// 200 without a body.
    Ok,
    /// 201 with a document.
    Created,
    /// 204.
    NoContent,
}

impl WriteGrant {
    /// Decides about a form whose file comes in `body`, at the rate that the request asks for.
    pub(crate) async fn for_form(
        context: &RequestContext,
        call: &Call,
        fields: &FormFields,
        body: &Arc<BodyWatch>,
        limit: Option<TrafficLimit>,
    ) -> Result<(Self, Reply), OperationError> {
        fields.key().map_err(WireError::from)?;
        let credentials = PostCredentials::of(fields).map_err(WireError::from)?;
        let secret = known_secret(context, &credentials)?;
        let name = BucketName::parse(call.bucket().unwrap_or_default()).map_err(WireError::from)?;
        let bucket = existing_bucket(context, name.as_str()).await?;
        if let Some(secret) = secret {
            credentials.verify(secret).map_err(WireError::from)?;
        }
        let stored = StoredForm::read(call.header(ACL), fields, settings::storage_class(&bucket))?;
        let (principal, policy) = match secret {
            Some(_) => {
                let region = resource::signing_region(context, call);
                (Principal::Owner, Some(read_policy(context, &region, &credentials)?))
            }
            None => (Principal::Anonymous, None),
        };
        context.span.record("principal", principal.word());
        context.span.record("key", measures::cut(stored.key.as_str()));
        refuse_foreign(fields, |name| policy.as_ref().is_some_and(|policy| policy.names(name)))?;
        let facts = PolicyFacts { bucket: name.as_str(), fields, stored: stored.values() };
        let size = policy.as_ref().map_or(Ok(SizeRange::ANY), |policy| policy.evaluate(&facts, context.now));
        let size = size.map_err(WireError::from)?;
        let rules = context.server.rules.of(&bucket);
        let uncovered = form_coverage::check(rules.mode, policy.as_ref(), call.header(ACL), fields)?;
        let StoredForm { key, attributes, forbid_overwrite } = stored;
        let account = principal.account();
        let wanted =
            Target::new(principal, Leave::OfBucketAndObject, bucket, key, rules.mode)?.with(attributes)?;
        refuse_unbuilt(fields)?;
        unserved_header::check_fields(
            fields.iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name),
        )?;
        let callback = callback_plan(account, fields)?;
        let reply = reply(fields)?;
        let allowed = wanted.allowed(context, rules.acl, forbid_overwrite).await?;
        context.server.coverage_warnings.warn(name.as_str(), &uncovered);
        let asked = Asked {
            operation: "PostObject",
            callback,
            size,
            // The file's length is known only at its end.
            announced_bytes: None,
            crc64: None,
            etag: context.server.options.form_etag,
            limit,
            // One key signs all users' forms: what counts is who sends.
            holder: UploadHolder::Client(context.client.into()),
            body,
        };
        Ok((allowed.granted(context, asked).await?, reply))
    }
}

/// The secret of the form's key id; `None` for an anonymous form.
fn known_secret<'c>(
    context: &'c RequestContext,
    credentials: &PostCredentials<'_>,
) -> Result<Option<&'c countersign_protocol::AccessKeySecret>, WireError> {
    let Some(id) = credentials.access_key_id() else { return Ok(None) };
    match context.server.secret(id) {
        Some(secret) => Ok(Some(secret)),
        None => Err(WireError::new(ErrorCode::InvalidAccessKeyId).with_element("OSSAccessKeyId", id)),
    }
}

/// Reads the policy, and holds the credentials against it.
fn read_policy(
    context: &RequestContext,
    region: &str,
    credentials: &PostCredentials<'_>,
) -> Result<Policy, WireError> {
    if let PostCredentials::V4(v4) = credentials
        && v4.scope.region() != region
    {
        return Err(WireError::new(ErrorCode::InvalidArgument)
            .with_message("Invalid signing region in x-oss-credential.")
            .with_ec(countersign_protocol::ec::POST_V4_CREDENTIAL));
    }
    if credentials.security_token().is_some() {
        // There are no temporary keys here, so no temporary key has this id.
        return Err(WireError::new(ErrorCode::InvalidAccessKeyId)
            .with_element("OSSAccessKeyId", credentials.access_key_id().unwrap_or_default()));
    }
    let policy = Policy::parse(credentials.policy().unwrap_or_default())?;
    credentials.check_against(&policy, context.now)?;
    Ok(policy)
}

/// Refuses what would have to be promised and is not kept: encryption at rest.
fn refuse_unbuilt(fields: &FormFields) -> Result<(), WireError> {
    const KEY_ID: &str = "x-oss-server-side-encryption-key-id";
    for name in ["x-oss-server-side-encryption", "x-oss-server-side-data-encryption", KEY_ID] {
        match fields.get_filled(name) {
            None => {}
            Some(value) if name == KEY_ID || matches!(value, "AES256" | "KMS" | "SM4") => {
                return Err(WireError::new(ErrorCode::NotImplemented).with_element("Header", name));
            }
            Some(_) => return Err(WireError::new(ErrorCode::InvalidEncryptionAlgorithmError)),
        }
    }
    Ok(())
}

/// Refuses a field that is not UTF-8 where something depends on it.
fn refuse_foreign(fields: &FormFields, is_used: impl Fn(&str) -> bool) -> Result<(), WireError> {
    match fields.foreign().find(|name| is_used(name)) {
        Some(name) => Err(FormError::ValueNotUtf8 { name: name.chars().take(128).collect() }.into()),
        None => Ok(()),
    }
}

/// The callback the form asks for, with its `x:` fields.
fn callback_plan(account: &str, fields: &FormFields) -> Result<Option<CallbackPlan>, WireError> {
    let Some(value) = fields.get_filled("callback") else { return Ok(None) };
    let Some(parameter) = CallbackParameter::parse(value.trim())? else { return Ok(None) };
    refuse_foreign(fields, |name| parameter.body.names(name))?;
    let custom = fields
        .iter()
        .filter(|(name, _)| name.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("x:")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Ok(Some(CallbackPlan::new(parameter, custom, account)))
}

fn reply(fields: &FormFields) -> Result<Reply, WireError> {
    if let Some(address) = fields.get_filled("success_action_redirect") {
        let known = address.starts_with("http://") || address.starts_with("https://");
        // The grant holds it while the file comes, outside of the budget of the form's fields.
        let short = address.len() <= REDIRECT_BYTES_MAX;
        let header = HeaderValue::from_bytes(address.as_bytes()).ok().filter(|_| known && short);
        return header.map(Reply::Redirect).ok_or_else(|| {
            WireError::new(ErrorCode::InvalidArgument)
                .with_message("The success_action_redirect is not a http or https address.")
                .with_element("ArgumentName", "success_action_redirect")
                .with_element("ArgumentValue", address)
        });
    }
    Ok(match fields.get("success_action_status") {
        Some("200") => Reply::Ok,
        Some("201") => Reply::Created,
        _ => Reply::NoContent,
    })
}
