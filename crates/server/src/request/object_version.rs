//! Checks the query parameter `versionId` in a store without versions: every object has one, and its id is `null`
//! (LIST-11, OBJ-19).

use countersign_protocol::{ErrorCode, ObjectKey, WireError, xml::NULL_VERSION};

use crate::request::query::Query;

/// Whether the request means the object as it is: it names no version, or the only one. `false` means a
/// version that cannot be there.
///
/// # Errors
/// An empty id is refused, as OSS does.
pub(crate) fn names_the_only_one(query: &Query) -> Result<bool, WireError> {
    match query.get("versionId") {
        None => Ok(true),
        Some("") => Err(WireError::new(ErrorCode::InvalidArgument)
            .with_message("Version id can not be the empty string.")
            .with_element("ArgumentName", "versionId")
            .with_element("ArgumentValue", "")),
        Some(id) => Ok(id == NULL_VERSION),
    }
}

/// Refuses a version that cannot be there.
pub(crate) fn require_the_only_one(query: &Query, key: &ObjectKey) -> Result<(), WireError> {
    if names_the_only_one(query)? {
        return Ok(());
    }
    Err(WireError::new(ErrorCode::NoSuchVersion)
        .with_element("Key", key.as_str())
        .with_element("VersionId", query.get("versionId").unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_null_names_the_version_that_is_there() {
        let key = ObjectKey::parse("k").unwrap();
        let code = |query: &str| {
            require_the_only_one(&Query::parse(query), &key).map_err(|error| error.code().as_str())
        };
        assert_eq!(code(""), Ok(()));
        assert_eq!(code("versionId=null"), Ok(()));
        assert_eq!(code("versionId="), Err("InvalidArgument"));
        assert_eq!(code("versionId=CAEQ"), Err("NoSuchVersion"));
    }
}
