//! Refuses, by name, request headers and form fields that this store would not act on.
//!
//! A header that is accepted and has no effect is a lie when somebody relies on the effect: tags that a lifecycle
//! goes by, a retention that nobody can shorten, a condition that keeps an object from being overwritten. OSS ignores
//! headers that it does not know, and so does this store; these it knows. Names of no consequence here are not listed:
//! `x-oss-request-payer` (the owner pays whatever it says) and `x-oss-bypass-governance-retention` (nothing is held).
//!
//! Clauses ADDR-17.

use countersign_protocol::{ErrorCode, WireError};

/// What an upload, by PUT or by form, can ask to be kept with an object or done to it.
pub(crate) const ON_UPLOAD: &[&str] = &[
    "x-oss-copy-source",
    "x-oss-hash-ctx",
    "x-oss-md5-ctx",
    "x-oss-object-worm-legal-hold",
    "x-oss-object-worm-mode",
    "x-oss-object-worm-retain-until-date",
    "x-oss-persistent-headers",
    "x-oss-server-side-encryption-customer-algorithm",
    "x-oss-server-side-encryption-customer-key",
    "x-oss-server-side-encryption-customer-key-md5",
    "x-oss-symlink-target",
    "x-oss-tagging",
];
/// What a field of a form cannot ask for: PutObject compares this digest, and a limit is one of the request.
const ON_FORM: &[&str] = &["x-oss-hash-crc64ecma", "x-oss-traffic-limit"];
/// A part of an object, sent as if it were the whole (RFC 9110 §14.5).
pub(crate) const PART: &[&str] = &["content-range"];
/// Conditions, which hold for reading only: a write under a condition that nobody checks overwrites what it should not.
pub(crate) const CONDITIONS: &[&str] =
    &["if-match", "if-modified-since", "if-none-match", "if-unmodified-since"];
/// What a new bucket can be asked to be.
pub(crate) const ON_BUCKET: &[&str] = &[
    "x-oss-bucket-tagging",
    "x-oss-hns-status",
    "x-oss-server-side-data-encryption",
    "x-oss-server-side-encryption",
    "x-oss-server-side-encryption-key-id",
];
/// A deletion of everything below a name.
pub(crate) const ON_DELETION: &[&str] = &["x-oss-delete-recursive"];

/// Refuses a request one of whose headers is in these lists. Names come in any letter case.
pub(crate) fn check<'a>(
    lists: &[&[&'static str]],
    names: impl IntoIterator<Item = &'a str>,
) -> Result<(), WireError> {
    for name in names {
        let listed = |known: &&&'static str| known.eq_ignore_ascii_case(name);
        if let Some(found) = lists.iter().flat_map(|list| list.iter()).find(listed) {
            return Err(WireError::new(ErrorCode::NotImplemented)
                .with_message(format!("This store does not implement {found} here."))
                .with_element("Header", *found));
        }
    }
    Ok(())
}

/// Refuses a form one of whose filled fields would have no effect.
pub(crate) fn check_fields<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), WireError> {
    check(&[ON_UPLOAD, ON_FORM], names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_letter_case_and_unknown_ones_are_passed_over() {
        assert!(check(&[ON_UPLOAD, CONDITIONS], ["host", "X-Oss-Tagging"]).is_err());
        assert!(check_fields(["key", "X-OSS-Persistent-Headers"]).is_err());
        assert!(check(&[ON_UPLOAD, CONDITIONS], ["host", "x-oss-request-payer"]).is_ok());
        assert!(check_fields(["key", "anything else"]).is_ok());
    }
}
