//! Evaluates the conditions of GetObject and HeadObject (OBJ-25 to OBJ-29), and the one under which a range is sent
//! at all.
//!
//! Headers and two facts about the object in, a verdict out. A date that cannot be read is no condition.

use countersign_protocol::{etag, http_date};
use http::{
    HeaderMap,
    header::{HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE},
};
use jiff::Timestamp;

/// What the conditions say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PreconditionOutcome {
    /// All hold.
    Proceed,
    /// The client's copy is still good: 304.
    NotModified,
    /// This header's condition does not hold: 412.
    Failed(&'static str),
}

/// Whether a request has a condition at all.
pub(crate) fn is_asked(headers: &HeaderMap) -> bool {
    [IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE]
        .iter()
        .any(|name| headers.contains_key(name))
}

/// Evaluates all conditions of a request against an object's bare tag and time of modification.
pub(crate) fn evaluate(headers: &HeaderMap, tag: &str, modified: Timestamp) -> PreconditionOutcome {
    // Dates on the wire are whole seconds; comparing with a fraction would call every object newer.
    let modified = modified.as_second();
    if text(headers, IF_MATCH).is_some_and(|tags| !etag::matches(tags, tag)) {
        return PreconditionOutcome::Failed("If-Match");
    }
    if seconds(headers, IF_UNMODIFIED_SINCE).is_some_and(|since| modified > since) {
        return PreconditionOutcome::Failed("If-Unmodified-Since");
    }
    match text(headers, IF_NONE_MATCH) {
        Some(tags) if etag::matches(tags, tag) => return PreconditionOutcome::NotModified,
        // A tag that differs outweighs the date (RFC 9110 §13.2.2): the date is the coarser witness.
        Some(_) => return PreconditionOutcome::Proceed,
        None => {}
    }
    if seconds(headers, IF_MODIFIED_SINCE).is_some_and(|since| modified <= since) {
        return PreconditionOutcome::NotModified;
    }
    PreconditionOutcome::Proceed
}

/// Whether `If-Range` lets a range be sent: a client that has the beginning of one object must not be given the rest
/// of another (RFC 9110 §13.1.5). Both validators are compared exactly, and what is neither lets nothing through: the
/// whole object is always right.
pub(crate) fn range_holds(headers: &HeaderMap, tag: &str, modified: Timestamp) -> bool {
    let mut validators = headers.get_all(IF_RANGE).iter();
    let (first, second) = (validators.next(), validators.next());
    let Some(validator) = first else { return true };
    let Some(validator) = validator.to_str().ok().filter(|_| second.is_none()).map(str::trim) else {
        return false;
    };
    etag::is_exactly(validator, tag)
        || http_date::parse(validator).is_some_and(|date| date.as_second() == modified.as_second())
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn seconds(headers: &HeaderMap, name: HeaderName) -> Option<i64> {
    http_date::parse(text(headers, name)?).map(|instant| instant.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "5D41402ABC4B2A76B9719D911017C592";

    fn verdict(pairs: &[(HeaderName, &str)]) -> PreconditionOutcome {
        let headers = pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        evaluate(&headers, TAG, "2026-11-22T20:00:00.5Z".parse().unwrap())
    }

    #[test]
    fn tags_are_compared_with_and_without_quotes() {
        assert_eq!(verdict(&[(IF_MATCH, TAG)]), PreconditionOutcome::Proceed);
        assert_eq!(
            verdict(&[(IF_MATCH, "\"5D41402ABC4B2A76B9719D911017C592\"")]),
            PreconditionOutcome::Proceed
        );
        assert_eq!(verdict(&[(IF_MATCH, "\"00\"")]), PreconditionOutcome::Failed("If-Match"));
        assert_eq!(verdict(&[(IF_NONE_MATCH, TAG)]), PreconditionOutcome::NotModified);
        assert_eq!(verdict(&[(IF_NONE_MATCH, "\"00\"")]), PreconditionOutcome::Proceed);
    }

    #[test]
    fn dates_are_compared_to_the_second_and_bad_ones_ignored() {
        let (before, same, after) = (
            "Sun, 22 Nov 2026 19:59:59 GMT",
            "Sun, 22 Nov 2026 20:00:00 GMT",
            "Sun, 22 Nov 2026 20:00:01 GMT",
        );
        for (name, date, expected) in [
            (IF_MODIFIED_SINCE, before, PreconditionOutcome::Proceed),
            (IF_MODIFIED_SINCE, same, PreconditionOutcome::NotModified),
            (IF_MODIFIED_SINCE, after, PreconditionOutcome::NotModified),
            (IF_MODIFIED_SINCE, "yesterday", PreconditionOutcome::Proceed),
            (IF_UNMODIFIED_SINCE, before, PreconditionOutcome::Failed("If-Unmodified-Since")),
            (IF_UNMODIFIED_SINCE, same, PreconditionOutcome::Proceed),
            (IF_UNMODIFIED_SINCE, after, PreconditionOutcome::Proceed),
            (IF_UNMODIFIED_SINCE, "", PreconditionOutcome::Proceed),
        ] {
            assert_eq!(verdict(&[(name.clone(), date)]), expected, "{name}: {date}");
        }
    }

    #[test]
    fn a_range_is_sent_only_to_a_client_that_has_the_same_object() {
        let holds = |validators: &[&str]| {
            let headers = validators.iter().map(|value| (IF_RANGE, value.parse().unwrap())).collect();
            range_holds(&headers, TAG, "2026-11-22T20:00:00.5Z".parse().unwrap())
        };
        let quoted = etag::quoted(TAG);
        let right = "Sun, 22 Nov 2026 20:00:00 GMT";
        for validators in [&[][..], &[quoted.as_str()], &[TAG], &[right]] {
            assert!(holds(validators), "{validators:?}");
        }
        let weak = format!("W/{quoted}");
        let list = format!("{quoted}, \"00\"");
        for wrong in ["\"00\"", &weak, &list, "*", "", "Sun, 22 Nov 2026 20:00:01 GMT", "yesterday"] {
            assert!(!holds(&[wrong]), "{wrong}");
        }
        assert!(!holds(&[quoted.as_str(), right]), "two validators are none");
    }

    #[test]
    fn a_failed_match_outweighs_everything_else() {
        let headers = [(IF_MATCH, "\"00\""), (IF_NONE_MATCH, TAG)];
        assert_eq!(verdict(&headers), PreconditionOutcome::Failed("If-Match"));
    }
}
