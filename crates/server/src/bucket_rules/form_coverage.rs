//! Refuses form fields that the policy does not mention, as far as the bucket's mode demands.
//!
//! A condition that is broken is the policy's business; here it is only asked whether there is one. Whether a field
//! that is absent should have been there is never asked.
//!
//! Clauses POST-49.

use countersign_protocol::form::FormFields;
use countersign_protocol::policy::Policy;
use countersign_protocol::{ErrorCode, WireError};

use crate::bucket_rules::mode::BucketMode;
use crate::budget::said_once::SaidOnce;
use crate::object::attribute_headers;

/// The field, or header, of an object's own list.
const ACL: &str = "x-oss-object-acl";
/// Fields by which a form says who signed it; no policy could mention its own signature.
const SIGNING: [&str; 8] = [
    "policy",
    "OSSAccessKeyId",
    "Signature",
    "x-oss-signature",
    "x-oss-signature-version",
    "x-oss-credential",
    "x-oss-date",
    "x-oss-security-token",
];
/// Fields that grant more than their absence, whatever they say.
const GRANTING: [&str; 5] = [
    "x-oss-storage-class",
    "x-oss-content-type",
    "x-oss-server-side-encryption",
    "x-oss-server-side-data-encryption",
    "x-oss-server-side-encryption-key-id",
];
/// Fields that name the object's type.
const TYPES: [&str; 2] = ["content-type", "x-oss-content-type"];
/// Lists that grant nothing.
const CLOSED_LISTS: [&str; 3] = ["", "default", "private"];
/// Kept and served with the object, as metadata is.
const SERVED: [&str; 4] = ["cache-control", "content-disposition", "content-encoding", "expires"];

/// What a guarded bucket accepts though the policy does not mention it, and warns of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Uncovered {
    /// The uploader may have the store call whom he likes, and say what he likes.
    Callback,
    /// Metadata, or a header that the object is served with.
    Metadata,
}

impl Uncovered {
    fn as_str(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::Metadata => "metadata",
        }
    }
}

/// Which warnings were given since the start, so that each is given once.
#[derive(Debug, Default)]
pub(crate) struct CoverageWarnings(SaidOnce<(String, Uncovered)>);

impl CoverageWarnings {
    /// Logs what a bucket's form holds uncovered, unless that was logged before.
    pub(crate) fn warn(&self, bucket: &str, uncovered: &[Uncovered]) {
        for kind in uncovered {
            if self.is_first(bucket, *kind) {
                tracing::warn!(
                    bucket,
                    "forms bring a {} that their policy does not mention, so that uploaders may choose it; \
                     this is logged once",
                    kind.as_str()
                );
            }
        }
    }

    fn is_first(&self, bucket: &str, kind: Uncovered) -> bool {
        self.0.is_first((bucket.to_owned(), kind))
    }
}

/// Holds a form's fields, and the request's list, against what the policy mentions; a form without a policy has
/// nothing mentioned. Gives what is let in with a warning.
pub(crate) fn check(
    mode: BucketMode,
    policy: Option<&Policy>,
    acl_header: Option<&str>,
    fields: &FormFields,
) -> Result<Vec<Uncovered>, WireError> {
    let is_covered = |name: &str| {
        let name = name.to_lowercase();
        // The type that counts is judged as one, whichever field a condition names.
        let same = if is_one_of(&name, &TYPES) { &TYPES[..] } else { &[name.as_str()] };
        policy.is_some_and(|policy| same.iter().any(|name| policy.names(name)))
    };
    let header = acl_header.filter(|_| fields.get_filled(ACL).is_none()).map(|value| (ACL, value));
    let uncovered: Vec<_> = fields.iter().chain(header).filter(|(name, _)| !is_covered(name)).collect();
    let is_refused = |name: &str, value: &str| match mode {
        BucketMode::Compat => false,
        BucketMode::Guarded => grants_more(name, value),
        BucketMode::Strict => !is_one_of(name, &SIGNING),
    };
    let refused = uncovered.iter().find(|(name, value)| is_refused(name, value));
    if let Some((name, _)) = refused {
        return Err(refusal(mode, name));
    }
    if mode == BucketMode::Compat {
        return Ok(Vec::new());
    }
    let callback = uncovered
        .iter()
        .any(|(name, value)| !value.trim().is_empty() && is_one_of(name, &["callback", "callback-var"]));
    let metadata = uncovered
        .iter()
        .any(|(name, _)| attribute_headers::is_user_metadata(name) || is_one_of(name, &SERVED));
    let kinds = [(callback, Uncovered::Callback), (metadata, Uncovered::Metadata)];
    Ok(kinds.into_iter().filter_map(|(is_there, kind)| is_there.then_some(kind)).collect())
}

fn grants_more(name: &str, value: &str) -> bool {
    if name.eq_ignore_ascii_case(ACL) {
        !CLOSED_LISTS.contains(&value)
    } else {
        !value.is_empty() && is_one_of(name, &GRANTING)
    }
}

/// In any letter case as the form's fields are found by, where the Kelvin sign U+212A is a `k`.
fn is_one_of(name: &str, known: &[&str]) -> bool {
    let name = name.to_lowercase();
    known.iter().any(|known| known.eq_ignore_ascii_case(&name))
}

fn refusal(mode: BucketMode, name: &str) -> WireError {
    let shown: String = name.chars().take(128).collect();
    WireError::new(ErrorCode::AccessDenied)
        .with_message(format!(
            "The policy does not mention the form field {shown}, which a bucket in the mode {} refuses.",
            mode.as_str()
        ))
        .with_element("ArgumentName", shown)
        .with_element("BucketMode", mode.as_str())
}

#[cfg(test)]
mod tests {
    use countersign_protocol::form::FilePart;

    use super::*;

    const MENTIONS_KEY: &str = r#"["starts-with","$key","u/"]"#;

    fn checked(
        mode: BucketMode,
        conditions: Option<&str>,
        fields: &[(&str, &str)],
    ) -> Result<Vec<Uncovered>, Option<String>> {
        let policy = conditions.map(|conditions| {
            let json = format!(r#"{{"expiration":"2030-01-01T00:00:00Z","conditions":[{conditions}]}}"#);
            Policy::parse_json(&json).unwrap()
        });
        let fields = FormFields::from_parts(fields.iter().copied(), FilePart::default()).unwrap();
        check(mode, policy.as_ref(), None, &fields)
            .map_err(|refusal| refusal.element("ArgumentName").map(str::to_owned))
    }

    #[test]
    fn a_guarded_bucket_refuses_what_grants_more_than_its_absence() {
        for (name, value) in [
            ("x-oss-object-acl", "public-read"),
            ("X-OSS-Object-ACL", "public-read-write"),
            ("x-oss-storage-class", "Standard"),
            ("x-oss-content-type", "image/png"),
            ("x-oss-server-side-encryption", "AES256"),
            ("x-oss-server-side-data-encryption", "SM4"),
            ("x-oss-server-side-encryption-key-id", "id"),
            ("x-oss-server-side-encryption-\u{212a}ey-id", "id"),
        ] {
            let form = [("key", "u/a"), ("policy", "p"), (name, value)];
            let refused = checked(BucketMode::Guarded, Some(MENTIONS_KEY), &form);
            assert_eq!(refused, Err(Some(name.to_owned())));
            assert_eq!(checked(BucketMode::Guarded, None, &form), Err(Some(name.to_owned())), "anonymous");
            assert_eq!(checked(BucketMode::Compat, Some(MENTIONS_KEY), &form), Ok(vec![]));
            let mentioned = format!(r#"{{"{}":"whatever"}}"#, name.to_lowercase());
            assert_eq!(
                checked(BucketMode::Guarded, Some(&mentioned), &form),
                Ok(vec![]),
                "{name} is mentioned"
            );
            let empty = [("key", "u/a"), (name, "")];
            assert_eq!(checked(BucketMode::Guarded, Some(MENTIONS_KEY), &empty), Ok(vec![]));
        }
        for list in ["private", "default"] {
            let form = [("key", "u/a"), ("x-oss-object-acl", list)];
            assert_eq!(checked(BucketMode::Guarded, Some(MENTIONS_KEY), &form), Ok(vec![]));
        }
        let by_type = r#"["in","$content-type",["image/png"]]"#;
        let form = [("key", "u/a"), ("x-oss-content-type", "image/png")];
        assert_eq!(checked(BucketMode::Guarded, Some(by_type), &form), Ok(vec![]));
        let fields = FormFields::from_parts([("key", "u/a")], FilePart::default()).unwrap();
        assert!(check(BucketMode::Guarded, None, Some("public-read"), &fields).is_err(), "as a header too");
        assert!(check(BucketMode::Guarded, None, Some("private"), &fields).is_ok());
    }

    #[test]
    fn a_guarded_bucket_warns_once_of_what_it_accepts() {
        let form = [("callback", "e30="), ("x-oss-meta-a", "b"), ("x:name", "n"), ("name", "n")];
        let both = vec![Uncovered::Callback, Uncovered::Metadata];
        assert_eq!(checked(BucketMode::Guarded, Some(MENTIONS_KEY), &form), Ok(both));
        let kelvin = checked(BucketMode::Guarded, Some(MENTIONS_KEY), &[("callbac\u{212a}", "e30=")]);
        assert_eq!(kelvin, Ok(vec![Uncovered::Callback]), "it is the field callback");
        let mentioned = r#"{"callback":"e30="},["starts-with","$x-oss-meta-a",""]"#;
        assert_eq!(checked(BucketMode::Guarded, Some(mentioned), &form), Ok(vec![]));
        let warnings = CoverageWarnings::default();
        let first = |bucket: &str, kind| warnings.is_first(bucket, kind);
        assert!(
            first("a", Uncovered::Callback)
                && first("a", Uncovered::Metadata)
                && first("b", Uncovered::Callback)
        );
        assert!(!first("a", Uncovered::Callback));
    }

    #[test]
    fn a_strict_bucket_refuses_every_field_that_is_not_mentioned() {
        let signed = [("key", "u/a"), ("OSSAccessKeyId", "ak"), ("policy", "p"), ("signature", "s")];
        assert_eq!(checked(BucketMode::Strict, Some(MENTIONS_KEY), &signed), Ok(vec![]));
        assert_eq!(checked(BucketMode::Strict, None, &signed), Err(Some("key".to_owned())));
        for name in [
            "callback",
            "callback-var",
            "x:name",
            "x-oss-meta-a",
            "success_action_status",
            "name",
            "x-oss-object-acl",
        ] {
            let form = [signed[0], signed[2], (name, "")];
            assert_eq!(checked(BucketMode::Strict, Some(MENTIONS_KEY), &form), Err(Some(name.to_owned())));
        }
    }
}
