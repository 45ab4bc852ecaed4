//! The only place that reads the real clock.

use countersign_store::Clock;
use jiff::SignedDuration;

/// The real time, moved by so many seconds; past the ends of the calendar it stays unmoved.
pub(crate) fn real(offset_seconds: i64) -> Clock {
    let system = Clock::system();
    Clock::with_wall(move || {
        let now = system.wall();
        now.checked_add(SignedDuration::from_secs(offset_seconds)).unwrap_or(now)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_by_its_offset() {
        let moved = real(3600).wall().as_second() - real(0).wall().as_second();
        assert!((3599..=3601).contains(&moved));
    }

    #[test]
    fn stops_at_the_end_of_the_calendar() {
        assert!(real(i64::MAX).wall().as_second() > 0);
    }
}
