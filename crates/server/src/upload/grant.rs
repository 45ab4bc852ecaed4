//! Stage 2 of PostObject: from a form's fields to the grant that lets its file in, or the reason why not.
//!
//! An [`UploadGrant`] can only be made here, after every check (POST-61, POST-63): key id, bucket,
//! signature, expiry, every condition, rights, callback, overwriting. Whoever holds one need not check again.

use std::sync::Arc;

use countersign_protocol::callback::CallbackParameter;
use countersign_protocol::form::{FormError, FormFields};
use countersign_protocol::policy::{Policy, PolicyFacts, SizeRange};
use countersign_protocol::post_signature::PostCredentials;
use countersign_protocol::{BucketName, ErrorCode, ObjectAcl, ObjectKey, WireError};
use countersign_store::BucketRecord;
use http::HeaderValue;

use crate::access::resource;
use crate::access::{self, Action, Principal};
use crate::bucket_rules::form_coverage;
use crate::bucket_rules::mode::BucketMode;
use crate::bucket_rules::settings;
use crate::callback::plan::CallbackPlan;
use crate::object::attributes::ObjectAttributes;
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::unserved_header;
use crate::response::wire_error::OperationError;
use crate::upload::stored_form::{ACL, StoredForm};

/// The permission to store one file under one key.
#[derive(Debug)]
pub(crate) struct UploadGrant {
    principal: Principal,
    bucket: BucketName,
    key: ObjectKey,
    size: SizeRange,
    attributes: ObjectAttributes,
    forbid_overwrite: bool,
    callback: Option<CallbackPlan>,
    reply: Reply,
}

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

impl UploadGrant {
    /// The sizes that are let in.
    pub(crate) fn size(&self) -> SizeRange {
        self.size
    }

    /// How to answer when there is no callback.
    pub(crate) fn reply(&self) -> &Reply {
        &self.reply
    }

    /// Checks the rights of an anonymous uploader once more when the file is in: the lists may have changed
    /// while it came, which may have taken hours.
    pub(crate) async fn check_rights_again(&self, context: &RequestContext) -> Result<(), OperationError> {
        if self.principal == Principal::Owner {
            return Ok(());
        }
        let bucket = existing_bucket(context, &self.bucket).await?;
        check_rights(context, &self.principal, &bucket, &self.key, self.forbid_overwrite).await
    }

    /// Takes the grant apart once the file is in: bucket, key, attributes, whether overwriting is
    /// forbidden, callback.
    pub(crate) fn into_upload(self) -> crate::upload::commit::Upload {
        crate::upload::commit::Upload {
            bucket: self.bucket.into_string(),
            key: self.key,
            attributes: self.attributes,
            forbid_overwrite: self.forbid_overwrite,
            callback: self.callback,
            operation: "PostObject",
        }
    }
}

/// Decides about a form.
pub(crate) async fn authorise(
    context: &RequestContext,
    call: &Call,
    fields: &FormFields,
) -> Result<UploadGrant, OperationError> {
    fields.key().map_err(WireError::from)?;
    let credentials = PostCredentials::of(fields).map_err(WireError::from)?;
    let secret = known_secret(context, &credentials)?;
    let name = BucketName::parse(call.bucket().unwrap_or_default()).map_err(WireError::from)?;
    let bucket = existing_bucket(context, &name).await?;
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
    refuse_foreign(fields, |name| policy.as_ref().is_some_and(|policy| policy.names(name)))?;
    let facts = PolicyFacts { bucket: name.as_str(), fields, stored: stored.values() };
    let size = policy.as_ref().map_or(Ok(SizeRange::ANY), |policy| policy.evaluate(&facts, context.now));
    let size = size.map_err(WireError::from)?;
    let mode = BucketMode::of(&bucket);
    let uncovered = form_coverage::check(mode, policy.as_ref(), call.header(ACL), fields)?;
    let StoredForm { key, attributes, forbid_overwrite } = stored;
    mode.check_key(&key)?;
    if principal == Principal::Anonymous && attributes.acl != ObjectAcl::Default {
        // A list of its own would outlive the bucket's, which only the owner may decide.
        return Err(WireError::new(ErrorCode::AccessDenied)
            .with_message("You do not have write acl permission on this object.")
            .into());
    }
    refuse_unbuilt(fields)?;
    unserved_header::check_fields(
        fields.iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name),
    )?;
    let callback = callback_plan(&principal, fields)?;
    let reply = reply(fields)?;
    check_rights(context, &principal, &bucket, &key, forbid_overwrite).await?;
    context.server.coverage_warnings.warn(name.as_str(), &uncovered);
    let callback = match callback {
        Some(plan) => {
            let upload = (name.as_str(), &key, attributes.content_type.as_str());
            Some(context.server.callbacks.admit(plan, context.of_upload(), upload).await?)
        }
        None => None,
    };
    let limits = SizeRange { bytes_min: 0, bytes_max: context.server.options.limits.object_bytes_max };
    let size = size.intersect(limits);
    let bucket = name;
    Ok(UploadGrant { principal, bucket, key, size, attributes, forbid_overwrite, callback, reply })
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

async fn existing_bucket(
    context: &RequestContext,
    name: &BucketName,
) -> Result<Arc<BucketRecord>, OperationError> {
    let bucket = context.server.options.store.bucket(name.as_str()).await?;
    bucket.ok_or_else(|| {
        WireError::new(ErrorCode::NoSuchBucket).with_element("BucketName", name.as_str()).into()
    })
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
fn callback_plan(principal: &Principal, fields: &FormFields) -> Result<Option<CallbackPlan>, WireError> {
    let Some(value) = fields.get_filled("callback") else { return Ok(None) };
    let Some(parameter) = CallbackParameter::parse(value.trim())? else { return Ok(None) };
    refuse_foreign(fields, |name| parameter.body.names(name))?;
    let custom = fields
        .iter()
        .filter(|(name, _)| name.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("x:")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Ok(Some(CallbackPlan::new(parameter, custom, principal.account())))
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

/// The rights on the final key, and the early refusal of an overwrite; the commit decides it again.
async fn check_rights(
    context: &RequestContext,
    principal: &Principal,
    bucket: &BucketRecord,
    key: &ObjectKey,
    forbid_overwrite: bool,
) -> Result<(), OperationError> {
    let acl = settings::acl(bucket);
    if *principal == Principal::Owner && !forbid_overwrite {
        return Ok(());
    }
    // Without the bucket's leave there is no need to look at the object, which could only tell a stranger
    // whether it exists.
    if !acl.lets_anyone_write() {
        access::permit(principal, Action::WriteObject, acl, ObjectAcl::Default).map_err(WireError::from)?;
    }
    let existing = context.server.options.store.object(&bucket.name, key.as_str().as_bytes()).await?;
    if let Some(existing) = existing {
        let object_acl = ObjectAttributes::decode(&existing.attributes).acl;
        access::permit(principal, Action::WriteObject, acl, object_acl).map_err(WireError::from)?;
        if forbid_overwrite {
            let error = WireError::new(ErrorCode::FileAlreadyExists);
            return Err(error.with_element("Key", key.as_str()).into());
        }
    }
    Ok(())
}
