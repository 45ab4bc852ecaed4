//! Every scheme against published vectors, an independent signer and random tampering, and every refusal.

mod refusals;
mod reqsign_oracle;
mod signature_vectors;
mod tampering;

use super::{AuthorizationError, RequestView, VerifyOptions, scheme};
use crate::access_key::AccessKeySecret;

/// Detects and verifies, as the server does; any region is accepted.
fn authenticate(
    view: &RequestView<'_>,
    secret: &AccessKeySecret,
    now: jiff::Timestamp,
) -> Result<(), AuthorizationError> {
    scheme::detect(view)?.verify(view, secret, &VerifyOptions { now, region: None })
}

/// The headers of a view from owned pairs.
fn borrowed(headers: &[(String, String)]) -> Vec<(&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}
