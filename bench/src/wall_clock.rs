//! The only wall clock of the instruments: dates of requests, expiry of policies, the seed of the bytes sent.

use jiff::Timestamp;

/// Now.
#[expect(clippy::disallowed_methods, reason = "the one real clock of this program")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Now, as the `Date` header writes it.
pub(crate) fn http_date() -> String {
    now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
