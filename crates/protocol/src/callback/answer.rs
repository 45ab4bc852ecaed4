//! Checks the application's answer to a callback (CB-54 to CB-57): exactly 200, a positive Content-Length within the
//! limit, and JSON. The bytes themselves are relayed unchanged, so nothing here rewrites them.

use serde::de::IgnoredAny;

use super::CallbackFailure;

/// The longest answer.
pub const ANSWER_BYTES_MAX: u64 = 3 * 1024 * 1024;

/// Judges status and length, before the body is read. Gives the length to be read.
///
/// Source: CB-54 to CB-57.
///
/// # Errors
/// The [`CallbackFailure`] that the uploader is told about: any status but 200, and a missing, empty or too long body.
///
/// ```
/// use countersign_protocol::callback::{CallbackFailure, answer::judge_head};
///
/// assert_eq!(judge_head(200, Some(b"15")), Ok(15));
/// assert_eq!(judge_head(204, Some(b"0")), Err(CallbackFailure::ErrorStatus { status: 204 }));
/// assert_eq!(judge_head(200, None), Err(CallbackFailure::LengthMissing), "a chunked answer");
/// assert_eq!(judge_head(200, Some(b"3145729")), Err(CallbackFailure::LengthTooLong));
/// ```
pub fn judge_head(status: u16, content_length: Option<&[u8]>) -> Result<u64, CallbackFailure> {
    if status != 200 {
        return Err(CallbackFailure::ErrorStatus { status });
    }
    let text = content_length.ok_or(CallbackFailure::LengthMissing)?.trim_ascii();
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return Err(CallbackFailure::LengthInvalid);
    }
    // Only digits: what does not fit is too long.
    let length = std::str::from_utf8(text).ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(u64::MAX);
    match length {
        0 => Err(CallbackFailure::LengthInvalid),
        length if length > ANSWER_BYTES_MAX => Err(CallbackFailure::LengthTooLong),
        length => Ok(length),
    }
}

/// Judges the body: any JSON value, without a byte order mark; XML where the answer says it is XML.
///
/// Source: CB-54 to CB-57.
///
/// # Errors
/// [`CallbackFailure::AnswerNotJson`].
///
/// ```
/// use countersign_protocol::callback::{CallbackFailure, answer::judge_body};
///
/// assert_eq!(judge_body(Some("text/plain"), br#"{"Status":"OK"}"#), Ok(()), "the type does not matter");
/// assert_eq!(judge_body(None, b"OK"), Err(CallbackFailure::AnswerNotJson));
/// assert_eq!(judge_body(None, b"\xef\xbb\xbf{}"), Err(CallbackFailure::AnswerNotJson), "a byte order mark");
/// ```
pub fn judge_body(content_type: Option<&str>, body: &[u8]) -> Result<(), CallbackFailure> {
    let kind = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/xml") && is_xml(body) {
        return Ok(());
    }
    let text = std::str::from_utf8(body).map_err(|_| CallbackFailure::AnswerNotJson)?;
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(CallbackFailure::AnswerNotJson),
    }
}

/// Only the first sign of XML is looked at: the answer is the application's own affair.
fn is_xml(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<") && std::str::from_utf8(body).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_200_with_a_positive_length() {
        assert_eq!(judge_head(200, Some(b"15")), Ok(15));
        for status in [100, 201, 204, 301, 404, 500] {
            assert_eq!(judge_head(status, Some(b"15")), Err(CallbackFailure::ErrorStatus { status }));
        }
        assert_eq!(judge_head(200, None), Err(CallbackFailure::LengthMissing));
        for text in ["0", "", "-1", "+1", "a", "1,1"] {
            assert_eq!(judge_head(200, Some(text.as_bytes())), Err(CallbackFailure::LengthInvalid), "{text}");
        }
        assert_eq!(judge_head(200, Some(b"3145728")), Ok(3_145_728));
        assert_eq!(judge_head(200, Some(b"3145729")), Err(CallbackFailure::LengthTooLong));
        assert_eq!(judge_head(200, Some(b"99999999999999999999999")), Err(CallbackFailure::LengthTooLong));
    }

    #[test]
    fn accepts_any_json_value_and_declared_xml() {
        for body in ["{\"Status\":\"OK\"}", " [1] ", "true", "\"OK\""] {
            assert_eq!(judge_body(None, body.as_bytes()), Ok(()), "{body}");
        }
        assert_eq!(
            judge_body(Some("application/xml; charset=utf-8"), b"<?xml version=\"1.0\"?><a/>"),
            Ok(())
        );
    }

    #[test]
    fn refuses_bare_words_html_and_a_byte_order_mark() {
        for body in [&b"OK"[..], b"<html></html>", b"\xef\xbb\xbf{}", b"{}{}", b"{\"a\":\"\xff\"}", b""] {
            assert_eq!(judge_body(Some("text/html"), body), Err(CallbackFailure::AnswerNotJson), "{body:?}");
        }
        assert_eq!(judge_body(Some("application/xml"), b"OK"), Err(CallbackFailure::AnswerNotJson));
    }
}
