//! The one place that reads the real clock.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

/// The real time, moved by so many seconds; past the ends of the calendar it stays unmoved.
pub(crate) fn real(offset_seconds: i64) -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
    Arc::new(move || {
        let now = now();
        now.checked_add(SignedDuration::from_secs(offset_seconds)).unwrap_or(now)
    })
}

#[expect(clippy::disallowed_methods, reason = "this is the home of the real clock")]
fn now() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_by_its_offset() {
        let moved = real(3600)().as_second() - real(0)().as_second();
        assert!((3599..=3601).contains(&moved));
    }

    #[test]
    fn stays_where_the_calendar_ends() {
        assert!(real(i64::MAX)().as_second() > 0);
    }
}
