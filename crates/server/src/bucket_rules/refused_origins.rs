//! Tells the operator that a page of another origin was refused, once for each origin and bucket, with the
//! command that permits it: the browser tells its user no more than "network error".

use crate::budget::said_once::SaidOnce;

/// The longest origin that is remembered: scheme, a name of 253 letters, port.
const ORIGIN_BYTES_MAX: usize = 270;

/// The refusals that were told since the start.
#[derive(Debug, Default)]
pub(crate) struct RefusedOrigins(SaidOnce<(String, String)>);

impl RefusedOrigins {
    /// Logs a refusal unless it was logged before. The bucket exists.
    pub(crate) fn warn(&self, bucket: &str, origin: &str) {
        if !is_origin(origin) {
            tracing::debug!(bucket, "a preflight whose Origin is none was refused");
        } else if self.is_first(bucket, origin) {
            tracing::warn!(
                bucket,
                origin,
                "pages of an origin were refused by the bucket's CORS rules; this permits their uploads, and is \
                 logged once: countersign bucket set {bucket} --allow-origin {origin}"
            );
        }
    }

    fn is_first(&self, bucket: &str, origin: &str) -> bool {
        self.0.is_first((bucket.to_owned(), origin.to_owned()))
    }
}

/// Whether a text is safe to paste into a command: scheme, host and port of letters that mean nothing to a shell.
fn is_origin(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':');
    text.len() <= ORIGIN_BYTES_MAX
        && text.split_once("://").is_some_and(|(scheme, host)| {
            matches!(scheme, "http" | "https") && !host.is_empty() && host.bytes().all(plain)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::said_once::SAID_MAX as REFUSALS_MAX;

    #[test]
    fn logs_each_refused_origin_once_for_each_bucket_and_only_so_many() {
        let refused = RefusedOrigins::default();
        assert!(refused.is_first("a", "http://o") && refused.is_first("b", "http://o"));
        assert!(!refused.is_first("a", "http://o"));
        let told = (0..2 * REFUSALS_MAX).filter(|n| refused.is_first("a", &n.to_string())).count();
        assert_eq!(told, REFUSALS_MAX - 2);
    }

    #[test]
    fn suggests_no_command_for_origins_with_shell_characters() {
        assert!(is_origin("https://app.example.com:8443") && is_origin("http://127.0.0.1:5173"));
        for wrong in
            ["null", "https://a;reboot", "https://$(x)", "https://a b", "file://", "ftp://a", "https://a\n"]
        {
            assert!(!is_origin(wrong), "{wrong:?}");
        }
        assert!(!is_origin(&format!("https://{}", "a".repeat(300))));
    }
}
