//! Reads and writes times in ISO 8601 as OSS's XML spells them: `2023-11-12T16:43:40.000Z`, whole seconds followed by
//! three zeros. Clients match that text: oss2 reads no time whose milliseconds are not `.000`. The compact form of V4
//! signatures is in [`crate::credential_scope`].
//!
//! Clauses GEN-6.

use jiff::Timestamp;

/// The form of XML documents. A fraction of a second is dropped.
///
/// ```
/// use countersign_protocol::iso_time;
///
/// let moment = "2023-11-12T16:43:40.987Z".parse()?;
/// assert_eq!(iso_time::format(moment), "2023-11-12T16:43:40.000Z");
/// assert_eq!(iso_time::parse("2023-11-13T00:43:40+08:00").map(iso_time::format), Some(iso_time::format(moment)));
/// # Ok::<(), jiff::Error>(())
/// ```
pub fn format(instant: Timestamp) -> String {
    let whole = Timestamp::from_second(instant.as_second()).unwrap_or(instant);
    whole.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// Reads any such time that names its zone.
pub fn parse(text: &str) -> Option<Timestamp> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_whole_seconds_with_three_noughts_as_oss2_demands() {
        assert_eq!(format("2023-11-12T16:43:40Z".parse().unwrap()), "2023-11-12T16:43:40.000Z");
        assert_eq!(format("2023-11-12T16:43:40.0071Z".parse().unwrap()), "2023-11-12T16:43:40.000Z");
    }

    #[test]
    fn reads_back_what_it_writes() {
        let instant: Timestamp = "2023-11-12T16:43:40Z".parse().unwrap();
        assert_eq!(parse(&format(instant)), Some(instant));
        assert_eq!(parse("2023-11-12"), None);
    }
}
