//! Authenticates requests and decides what their sender, the principal, may do to a bucket or an object.
//!
//! Authentication comes first and needs no object: an unknown key id is refused before anything else is looked
//! at, but that a bucket is missing is said first. What an anonymous visitor may do then follows from the access control
//! lists; whoever holds a key of this store owns all of it. Pure: the store is asked in [`crate::access::resource`].
//!
//! Clauses AUTH-9 to AUTH-23.

pub(crate) mod resource;

use countersign_protocol::{
    AccessKeySecret, Acl, ErrorCode, ObjectAcl, WireError,
    authorization::{AuthorizationError, RequestView, VerifyOptions, scheme},
    xml::Owner,
};

/// The account number of the one owner of all buckets.
pub(crate) const OWNER_ID: &str = "1000000000000000";

/// The one owner, as documents show it.
pub(crate) fn owner() -> Owner {
    Owner { id: OWNER_ID.to_owned() }
}

/// Who sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Principal {
    /// Nobody who has proved anything.
    Anonymous,
    /// The holder of a key of this store.
    Owner,
}

impl Principal {
    /// The word for it in the log.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Owner => "owner",
        }
    }

    /// The account number, as a callback names it in `x-oss-requester`.
    pub(crate) fn account(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Owner => OWNER_ID,
        }
    }
}

/// What is done to a resource, as far as access control lists tell one thing from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Reads the object.
    ReadObject,
    /// Writes or deletes the object.
    WriteObject,
    /// Lists the bucket.
    ListBucket,
    /// Everything else, which no list can permit.
    Administer,
}

/// Why a principal could not be established.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthenticationError {
    /// The claim is malformed or not true.
    #[error(transparent)]
    Authorization(#[from] AuthorizationError),
    /// A token beside a permanent key: no temporary key has this id, and this store gives no tokens.
    #[error("the key {id:?} is permanent and has no security token")]
    SecurityToken {
        /// The key id as sent.
        id: String,
    },
}

impl AuthenticationError {
    /// Whether no key of this store has the id.
    pub(crate) fn is_unknown_key(&self) -> bool {
        matches!(self, Self::Authorization(AuthorizationError::AccessKeyIdUnknown { .. }))
    }
}

impl From<AuthenticationError> for WireError {
    fn from(error: AuthenticationError) -> Self {
        match error {
            AuthenticationError::Authorization(error) => error.into(),
            AuthenticationError::SecurityToken { id } => {
                Self::new(ErrorCode::InvalidAccessKeyId).with_element("OSSAccessKeyId", id)
            }
        }
    }
}

/// Finds out who asks. `secret` looks a key id up.
pub(crate) fn authenticate<'s>(
    view: &RequestView<'_>,
    secret: impl Fn(&str) -> Option<&'s AccessKeySecret>,
    options: &VerifyOptions<'_>,
) -> Result<Principal, AuthenticationError> {
    let authentication = scheme::detect(view)?;
    let Some(id) = authentication.access_key_id() else {
        return Ok(Principal::Anonymous);
    };
    let secret = secret(id).ok_or_else(|| AuthorizationError::AccessKeyIdUnknown { id: id.to_owned() })?;
    authentication.verify(view, secret, options)?;
    if authentication.security_token(view).is_some_and(|token| !token.is_empty()) {
        return Err(AuthenticationError::SecurityToken { id: id.to_owned() });
    }
    Ok(Principal::Owner)
}

/// Why an anonymous visitor is sent away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AccessError {
    /// The operation is never for anonymous visitors.
    #[error("anonymous access is forbidden for this operation")]
    OperationForbidden,
    /// The bucket's list does not let anyone list it.
    #[error("the bucket's access control list forbids it")]
    BucketForbidden,
    /// The object inherits the bucket's list, which forbids it.
    #[error("the bucket's access control list forbids access to the object")]
    ObjectForbiddenByBucket,
    /// The object's own list forbids it.
    #[error("the object's access control list forbids it")]
    ObjectForbidden,
}

impl From<AccessError> for WireError {
    fn from(error: AccessError) -> Self {
        Self::new(ErrorCode::AccessDenied).with_message(match error {
            AccessError::OperationForbidden => "Anonymous access is forbidden for this operation.",
            AccessError::BucketForbidden => "Anonymous user has no right to access this bucket.",
            AccessError::ObjectForbiddenByBucket => {
                "You have no right to access this object because of bucket acl."
            }
            AccessError::ObjectForbidden => "Anonymous user has no right to access this object.",
        })
    }
}

/// Whether the principal may do an action in a bucket with this list, on an object with that one
/// ([`ObjectAcl::Default`] where there is no object yet).
pub(crate) fn permit(
    principal: &Principal,
    action: Action,
    bucket: Acl,
    object: ObjectAcl,
) -> Result<(), AccessError> {
    if *principal == Principal::Owner {
        return Ok(());
    }
    let effective = object.effective(bucket);
    let permitted = match action {
        Action::Administer => return Err(AccessError::OperationForbidden),
        Action::ListBucket if bucket.lets_anyone_read() => return Ok(()),
        Action::ListBucket => return Err(AccessError::BucketForbidden),
        Action::ReadObject => effective.lets_anyone_read(),
        Action::WriteObject => effective.lets_anyone_write(),
    };
    match object {
        _ if permitted => Ok(()),
        ObjectAcl::Default => Err(AccessError::ObjectForbiddenByBucket),
        ObjectAcl::Own(_) => Err(AccessError::ObjectForbidden),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTS: [Acl; 3] = [Acl::Private, Acl::PublicRead, Acl::PublicReadWrite];

    #[test]
    fn anonymous_principals_may_do_what_the_access_lists_grant_and_nothing_more() {
        use Action::{Administer, ListBucket, ReadObject, WriteObject};
        let allowed = |action, object| {
            LISTS.map(|bucket| permit(&Principal::Anonymous, action, bucket, object).is_ok())
        };
        assert_eq!(allowed(ReadObject, ObjectAcl::Default), [false, true, true]);
        assert_eq!(allowed(WriteObject, ObjectAcl::Default), [false, false, true]);
        assert_eq!(allowed(ListBucket, ObjectAcl::Default), [false, true, true]);
        assert_eq!(allowed(Administer, ObjectAcl::Default), [false; 3]);
        assert_eq!(allowed(ReadObject, ObjectAcl::Own(Acl::Private)), [false; 3]);
        assert_eq!(allowed(ReadObject, ObjectAcl::Own(Acl::PublicRead)), [true; 3]);
        assert_eq!(allowed(WriteObject, ObjectAcl::Own(Acl::PublicRead)), [false; 3]);
        assert_eq!(allowed(WriteObject, ObjectAcl::Own(Acl::PublicReadWrite)), [true; 3]);
    }

    #[test]
    fn the_owner_may_do_everything() {
        for action in [Action::Administer, Action::ReadObject, Action::WriteObject, Action::ListBucket] {
            assert_eq!(permit(&Principal::Owner, action, Acl::Private, ObjectAcl::Own(Acl::Private)), Ok(()));
        }
    }

    #[test]
    fn an_unknown_key_id_is_refused_before_its_signature_is_looked_at() {
        let view = RequestView {
            method: "GET",
            headers: vec![("authorization", b"OSS nobody:bm90IGEgc2lnbmF0dXJl".as_slice())],
            ..RequestView::default()
        };
        let options = VerifyOptions { now: "2026-11-22T20:00:00Z".parse().unwrap(), region: None };
        assert_eq!(
            authenticate(&view, |_| None, &options),
            Err(AuthorizationError::AccessKeyIdUnknown { id: "nobody".to_owned() }.into())
        );
        let anonymous = RequestView { method: "GET", ..RequestView::default() };
        assert_eq!(authenticate(&anonymous, |_| None, &options), Ok(Principal::Anonymous));
    }
}
