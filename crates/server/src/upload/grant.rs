//! The permission to store one file under one key. Bytes come into the store with one and not otherwise.
//!
//! A [`WriteGrant`] is made in [`Allowed::granted`] and nowhere else, after every check: rights and the bucket's mode on
//! the final key, the list that an anonymous upload may not bring, overwriting, the sizes, room for the callback, and a
//! place among the uploads. [`crate::upload::ingest`] takes in bytes for a grant, [`crate::upload::commit`] stores them,
//! and nothing else of this crate does either. What forms and PutObject have to show for one is read in [`form`] and
//! [`put`].

mod form;
mod put;

use std::sync::Arc;

use countersign_protocol::policy::SizeRange;
use countersign_protocol::{Acl, ErrorCode, ObjectAcl, ObjectKey, WireError};
use countersign_quota::places::Place;
use countersign_store::BucketRecord;

use crate::access::{self, Action, Principal};
use crate::bucket_rules::mode::BucketMode;
use crate::budget::body_watch::BodyWatch;
use crate::budget::holder::UploadHolder;
use crate::callback::plan::CallbackPlan;
use crate::object::attributes::ObjectAttributes;
use crate::request::context::RequestContext;
use crate::response::traffic_limit::TrafficLimit;
use crate::response::wire_error::OperationError;
use crate::state::EtagSource;

pub(crate) use form::Reply;

/// One of the places for uploads. An upload whose place is taken away finds its body ended.
type UploadPlace = Place<UploadHolder, BodyWatch>;

/// The permission to store one file under one key. Dropping it gives back the upload's place and its callback's room.
#[derive(Debug)]
pub(crate) struct WriteGrant {
    principal: Principal,
    leave: Leave,
    /// The mode that the bucket had.
    mode: BucketMode,
    size: SizeRange,
    announced_bytes: Option<u64>,
    crc64: Option<u64>,
    etag: EtagSource,
    limit: Option<TrafficLimit>,
    upload: Upload,
}

/// What is to be stored, and who is to be told.
#[derive(Debug)]
pub(super) struct Upload {
    /// The bucket's name.
    pub(super) bucket: String,
    /// The final key.
    pub(super) key: ObjectKey,
    /// What is kept with the bytes.
    pub(super) attributes: ObjectAttributes,
    /// Refuse when the key holds an object already.
    pub(super) forbid_overwrite: bool,
    /// The callback, if one was asked for.
    pub(super) callback: Option<CallbackPlan>,
    /// `PostObject` or `PutObject`.
    pub(super) operation: &'static str,
    /// Its place among the uploads.
    pub(super) place: UploadPlace,
}

/// Whose leave an anonymous upload needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leave {
    /// The bucket's, and that of the object that it replaces: a form.
    OfBucketAndObject,
    /// That of the list which counts for the object: PutObject.
    OfObject,
}

impl WriteGrant {
    /// The final key.
    pub(crate) fn key(&self) -> &ObjectKey {
        &self.upload.key
    }

    /// The rate that the request asks for.
    pub(crate) fn limit(&self) -> Option<TrafficLimit> {
        self.limit
    }

    /// The sizes that are let in.
    pub(super) fn size(&self) -> SizeRange {
        self.size
    }

    /// How many bytes are announced, where that is known.
    pub(super) fn announced_bytes(&self) -> Option<u64> {
        self.announced_bytes
    }

    /// What the ETag is made of, which decides about the digests that are computed.
    pub(super) fn etag(&self) -> EtagSource {
        self.etag
    }

    /// Whether the bytes have the CRC-64 that the request demands.
    pub(super) fn check_crc64(&self, crc64: u64) -> Result<(), WireError> {
        match self.crc64 {
            Some(demanded) if demanded != crc64 => Err(WireError::new(ErrorCode::InvalidCRC64)),
            _ => Ok(()),
        }
    }

    /// Checks the bucket's mode and the rights of an anonymous uploader once more when the bytes are in: both may have
    /// changed while they came, which may have taken hours.
    pub(super) async fn check_again(&self, context: &RequestContext) -> Result<(), OperationError> {
        let Upload { bucket, key, forbid_overwrite, .. } = &self.upload;
        let bucket = existing_bucket(context, bucket).await?;
        let rules = context.server.rules.of(&bucket);
        self.check_mode_again(rules.mode)?;
        if self.principal == Principal::Owner {
            return Ok(());
        }
        let rights = Rights {
            principal: &self.principal,
            leave: self.leave,
            key,
            forbid_overwrite: *forbid_overwrite,
        };
        rights.check_now(context, &bucket.name, rules.acl).await
    }

    /// The fields of a form are gone by now. One that a laxer mode let in is sent again.
    fn check_mode_again(&self, now: BucketMode) -> Result<(), WireError> {
        now.check_key(&self.upload.key)?;
        match self.leave {
            Leave::OfBucketAndObject if now.demands_more_than(self.mode) => {
                Err(WireError::new(ErrorCode::AccessDenied)
                    .with_message(format!(
                        "The bucket's mode became {} while the file came. Send the form again.",
                        now.as_str()
                    ))
                    .with_element("BucketMode", now.as_str()))
            }
            Leave::OfBucketAndObject | Leave::OfObject => Ok(()),
        }
    }

    /// What is to be stored, once the bytes are in.
    pub(super) fn into_upload(self) -> Upload {
        self.upload
    }
}

/// A key that its bucket takes, and who wants to write there.
struct Target {
    principal: Principal,
    leave: Leave,
    bucket: Arc<BucketRecord>,
    key: ObjectKey,
    mode: BucketMode,
}

impl Target {
    fn new(
        principal: Principal,
        leave: Leave,
        bucket: Arc<BucketRecord>,
        key: ObjectKey,
        mode: BucketMode,
    ) -> Result<Self, WireError> {
        mode.check_key(&key)?;
        Ok(Self { principal, leave, bucket, key, mode })
    }

    /// With what is to be kept with the bytes.
    fn with(self, attributes: ObjectAttributes) -> Result<UncheckedWrite, WireError> {
        if self.principal == Principal::Anonymous && attributes.acl != ObjectAcl::Default {
            // A list of its own would outlive the bucket's, which only the owner may decide.
            return Err(WireError::new(ErrorCode::AccessDenied)
                .with_message("You do not have write acl permission on this object."));
        }
        Ok(UncheckedWrite { target: self, attributes })
    }

    fn rights(&self, forbid_overwrite: bool) -> Rights<'_> {
        Rights { principal: &self.principal, leave: self.leave, key: &self.key, forbid_overwrite }
    }
}

/// A write whose rights are still to be checked.
struct UncheckedWrite {
    target: Target,
    attributes: ObjectAttributes,
}

impl UncheckedWrite {
    /// Checks the rights against the bucket's list and the object that the key holds now.
    async fn allowed(
        self,
        context: &RequestContext,
        acl: Acl,
        forbid_overwrite: bool,
    ) -> Result<Allowed, OperationError> {
        let Self { target, attributes } = self;
        target.rights(forbid_overwrite).check_now(context, &target.bucket.name, acl).await?;
        Ok(Allowed { target, attributes, forbid_overwrite })
    }

    /// The same where the object's own list is known already; `None` where there is no object.
    fn allowed_by(
        self,
        acl: Acl,
        existing: Option<ObjectAcl>,
        forbid_overwrite: bool,
    ) -> Result<Allowed, WireError> {
        let Self { target, attributes } = self;
        let rights = target.rights(forbid_overwrite);
        rights.check_bucket(acl)?;
        rights.check_object(acl, existing)?;
        Ok(Allowed { target, attributes, forbid_overwrite })
    }
}

/// The rights that a write needs on its key, and the early refusal of an overwrite; the commit decides that again.
struct Rights<'w> {
    principal: &'w Principal,
    leave: Leave,
    key: &'w ObjectKey,
    forbid_overwrite: bool,
}

impl Rights<'_> {
    async fn check_now(
        &self,
        context: &RequestContext,
        bucket: &str,
        acl: Acl,
    ) -> Result<(), OperationError> {
        if *self.principal == Principal::Owner && !self.forbid_overwrite {
            return Ok(());
        }
        // Without the bucket's leave there is no need to look at the object, which could only tell whether it exists.
        self.check_bucket(acl)?;
        let existing = context.server.options.store.object(bucket, self.key.as_str()).await?;
        let existing = existing.map(|object| ObjectAttributes::decode(&object.attributes).acl);
        Ok(self.check_object(acl, existing)?)
    }

    fn check_bucket(&self, acl: Acl) -> Result<(), WireError> {
        match self.leave {
            Leave::OfBucketAndObject => self.permit(acl, ObjectAcl::Default),
            Leave::OfObject => Ok(()),
        }
    }

    fn check_object(&self, acl: Acl, existing: Option<ObjectAcl>) -> Result<(), WireError> {
        self.permit(acl, existing.unwrap_or(ObjectAcl::Default))?;
        if self.forbid_overwrite && existing.is_some() {
            return Err(WireError::new(ErrorCode::FileAlreadyExists).with_element("Key", self.key.as_str()));
        }
        Ok(())
    }

    fn permit(&self, acl: Acl, object: ObjectAcl) -> Result<(), WireError> {
        Ok(access::permit(self.principal, Action::WriteObject, acl, object)?)
    }
}

/// A write that its principal may make.
struct Allowed {
    target: Target,
    attributes: ObjectAttributes,
    forbid_overwrite: bool,
}

/// How the bytes are to come, and what is to follow.
struct Asked<'b> {
    operation: &'static str,
    callback: Option<CallbackPlan>,
    size: SizeRange,
    announced_bytes: Option<u64>,
    crc64: Option<u64>,
    etag: EtagSource,
    limit: Option<TrafficLimit>,
    /// Who the upload's place counts to.
    holder: UploadHolder,
    /// How fast the body comes that holds the bytes.
    body: &'b Arc<BodyWatch>,
}

impl Allowed {
    fn principal(&self) -> &Principal {
        &self.target.principal
    }

    /// Takes what the upload needs of what is short, a place and room for its callback, and makes the grant.
    async fn granted(self, context: &RequestContext, asked: Asked<'_>) -> Result<WriteGrant, OperationError> {
        let Self { target, attributes, forbid_overwrite } = self;
        let Target { principal, leave, bucket, key, mode } = target;
        let Asked { operation, callback, size, announced_bytes, crc64, etag, limit, holder, body } = asked;
        let callback = match callback {
            Some(plan) => {
                let upload = (bucket.name.as_str(), &key, attributes.content_type.as_str());
                Some(context.server.callbacks.admit(plan, context.of_upload(), upload).await?)
            }
            None => None,
        };
        let limits = SizeRange { bytes_min: 0, bytes_max: context.server.options.limits.object_bytes_max };
        let size = size.intersect(limits);
        if let Some(announced) = announced_bytes {
            size.check_running(announced).map_err(WireError::from)?;
        }
        let place = context.server.uploads.take(holder, Arc::clone(body));
        let place = place.ok_or_else(|| WireError::new(ErrorCode::SlowDown))?;
        let bucket = bucket.name.clone();
        let upload = Upload { bucket, key, attributes, forbid_overwrite, callback, operation, place };
        Ok(WriteGrant { principal, leave, mode, size, announced_bytes, crc64, etag, limit, upload })
    }
}

async fn existing_bucket(context: &RequestContext, name: &str) -> Result<Arc<BucketRecord>, OperationError> {
    let bucket = context.server.options.store.bucket(name).await?;
    bucket.ok_or_else(|| WireError::new(ErrorCode::NoSuchBucket).with_element("BucketName", name).into())
}
