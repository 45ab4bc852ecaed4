//! The one source of randomness of this crate.

/// Fresh random bytes for a blob's name.
///
/// # Errors
/// When the system has none to give.
#[allow(clippy::disallowed_methods, reason = "this is the crate's one home of randomness")]
pub(crate) fn blob_name() -> Result<[u8; 12], std::io::Error> {
    let mut name = [0; 12];
    getrandom::fill(&mut name).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(name)
}
