//! Resolves the `Range` header as OSS does (OBJ-20 to OBJ-23): one range; by default anything odd means the whole
//! object, and only `x-oss-range-behavior: standard` clamps and refuses as HTTP does.

/// What of an object is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeOutcome {
    /// 200 with all of it, no `Content-Range`.
    Whole,
    /// 206 with the bytes from `first` to `last`, both included.
    Part {
        /// Offset of the first byte.
        first: u64,
        /// Offset of the last byte.
        last: u64,
    },
    /// 416 InvalidRange; only in standard behaviour.
    Unsatisfiable,
}

/// A single range as written.
enum Written {
    Between(u64, u64),
    From(u64),
    Last(u64),
}

/// Decides what to send of an object of `size` bytes. `standard` tells that the request carried
/// `x-oss-range-behavior: standard`.
///
/// ```
/// use countersign_protocol::byte_range::{RangeOutcome, resolve};
///
/// assert_eq!(resolve("bytes=0-99", 1_000, false), RangeOutcome::Part { first: 0, last: 99 });
/// assert_eq!(resolve("bytes=-100", 1_000, false), RangeOutcome::Part { first: 900, last: 999 });
/// // Beyond the end: OSS sends the whole object unless the client asks for the behaviour of the standard.
/// assert_eq!(resolve("bytes=500-2000", 1_000, false), RangeOutcome::Whole);
/// assert_eq!(resolve("bytes=500-2000", 1_000, true), RangeOutcome::Part { first: 500, last: 999 });
/// assert_eq!(resolve("bytes=1000-", 1_000, true), RangeOutcome::Unsatisfiable);
/// ```
pub fn resolve(header: &str, size: u64, standard: bool) -> RangeOutcome {
    match parse(header) {
        None => RangeOutcome::Whole,
        Some(written) if standard => resolve_standard(&written, size),
        Some(written) => resolve_as_oss(&written, size),
    }
}

/// The header of a copied part, `bytes=a-b`: both ends present and inside the object.
///
/// ```
/// use countersign_protocol::byte_range::resolve_exact;
///
/// assert_eq!(resolve_exact("bytes=0-99", 100), Some((0, 99)));
/// assert_eq!(resolve_exact("bytes=0-100", 100), None);
/// assert_eq!(resolve_exact("bytes=0-", 100), None);
/// ```
pub fn resolve_exact(header: &str, size: u64) -> Option<(u64, u64)> {
    match parse(header) {
        Some(Written::Between(first, last)) if last < size => Some((first, last)),
        _ => None,
    }
}

fn resolve_as_oss(written: &Written, size: u64) -> RangeOutcome {
    match *written {
        Written::Between(first, last) if last < size => RangeOutcome::Part { first, last },
        Written::From(first) if first < size => RangeOutcome::Part { first, last: size - 1 },
        Written::Last(count) if count > 0 && count <= size => {
            RangeOutcome::Part { first: size - count, last: size - 1 }
        }
        _ => RangeOutcome::Whole,
    }
}

fn resolve_standard(written: &Written, size: u64) -> RangeOutcome {
    match *written {
        Written::Between(first, last) if first < size => {
            RangeOutcome::Part { first, last: last.min(size - 1) }
        }
        Written::From(first) if first < size => RangeOutcome::Part { first, last: size - 1 },
        Written::Last(count) if count > 0 && size > 0 => {
            RangeOutcome::Part { first: size.saturating_sub(count), last: size - 1 }
        }
        _ => RangeOutcome::Unsatisfiable,
    }
}

fn parse(header: &str) -> Option<Written> {
    let range = header.trim().strip_prefix("bytes=")?.trim();
    let (first, last) = range.split_once('-')?;
    match (first.trim(), last.trim()) {
        ("", last) => Some(Written::Last(number(last)?)),
        (first, "") => Some(Written::From(number(first)?)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Written::Between(first, last))
        }
    }
}

/// Digits only: `u64::from_str` would also take a plus sign.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(first: u64, last: u64) -> RangeOutcome {
        RangeOutcome::Part { first, last }
    }

    #[test]
    fn sends_a_range_that_lies_inside() {
        for standard in [false, true] {
            assert_eq!(resolve("bytes=0-9", 100, standard), part(0, 9));
            assert_eq!(resolve("bytes=90-", 100, standard), part(90, 99));
            assert_eq!(resolve("bytes=-10", 100, standard), part(90, 99));
            assert_eq!(resolve("bytes=0-0", 1, standard), part(0, 0));
        }
    }

    #[test]
    fn sends_the_whole_object_when_an_end_lies_outside_as_oss_does() {
        for header in ["bytes=0-100", "bytes=100-", "bytes=-101", "bytes=-0", "bytes=200-300"] {
            assert_eq!(resolve(header, 100, false), RangeOutcome::Whole, "{header}");
        }
        assert_eq!(resolve("bytes=0-", 0, false), RangeOutcome::Whole);
    }

    #[test]
    fn clamps_and_refuses_in_standard_behaviour() {
        assert_eq!(resolve("bytes=0-100", 100, true), part(0, 99));
        assert_eq!(resolve("bytes=-101", 100, true), part(0, 99));
        assert_eq!(resolve("bytes=100-", 100, true), RangeOutcome::Unsatisfiable);
        assert_eq!(resolve("bytes=-0", 100, true), RangeOutcome::Unsatisfiable);
        assert_eq!(resolve("bytes=0-", 0, true), RangeOutcome::Unsatisfiable);
    }

    #[test]
    fn ignores_what_is_no_single_range() {
        for header in ["bytes=0-1,3-4", "bytes=9-1", "bytes=-", "bytes=a-b", "items=0-1", "bytes=+1-2", ""] {
            for standard in [false, true] {
                assert_eq!(resolve(header, 100, standard), RangeOutcome::Whole, "{header}");
            }
        }
    }

    #[test]
    fn takes_only_both_ends_for_a_copied_part() {
        assert_eq!(resolve_exact("bytes=1-5", 6), Some((1, 5)));
        assert_eq!(resolve_exact("bytes=1-6", 6), None);
        assert_eq!(resolve_exact("bytes=1-", 6), None);
    }
}
