//! Times in ISO 8601 as OSS's XML spells them: `2023-11-12T16:43:40.000Z`. Knows nothing of documents; the
//! compact form of V4 signatures is in [`crate::credential_scope`].

use jiff::Timestamp;

/// The form of XML documents, always three digits of milliseconds.
pub fn format(instant: Timestamp) -> String {
    let milliseconds = instant.as_millisecond().rem_euclid(1000);
    format!("{}.{milliseconds:03}Z", instant.strftime("%Y-%m-%dT%H:%M:%S"))
}

/// Reads any such time that names its zone.
pub fn parse(text: &str) -> Option<Timestamp> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_three_digits_of_milliseconds() {
        assert_eq!(format("2023-11-12T16:43:40Z".parse().unwrap()), "2023-11-12T16:43:40.000Z");
        assert_eq!(format("2023-11-12T16:43:40.0071Z".parse().unwrap()), "2023-11-12T16:43:40.007Z");
    }

    #[test]
    fn reads_back_what_it_writes() {
        let instant: Timestamp = "2023-11-12T16:43:40.007Z".parse().unwrap();
        assert_eq!(parse(&format(instant)), Some(instant));
        assert_eq!(parse("2023-11-12"), None);
    }
}
