//! Limits one transfer to the rate that its request asks for in `x-oss-traffic-limit`, in both directions.
//!
//! A limit is a client's own wish, so that a large transfer leaves room on its line; it is no means of the store to
//! divide anything.
//!
//! Clauses OBJ-9.

use std::time::{Duration, Instant};

use bytes::Bytes;
use countersign_clock::Clock;
use countersign_protocol::{ErrorCode, WireError};
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::request::Call;
use crate::response::wire_response::ContentStream;

/// The header, and the query's word, in bits per second.
pub(crate) const NAME: &str = "x-oss-traffic-limit";
/// Says by how many milliseconds the limit delays a transfer.
const DELAY: HeaderName = HeaderName::from_static("x-oss-qos-delay-time");
/// What the rate may be, in bits per second.
const BITS: std::ops::RangeInclusive<u64> = 245_760..=838_860_800;
/// A download is sent in so many pieces per second, so that it flows.
const PIECES_PER_SECOND: u64 = 8;

/// The rate of one transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TrafficLimit {
    bits_per_second: u64,
}

impl TrafficLimit {
    /// The limit that a request asks for in its header or else in its query.
    ///
    /// # Errors
    /// InvalidArgument for what is no rate that OSS allows.
    pub(crate) fn asked(call: &Call) -> Result<Option<Self>, WireError> {
        let header = call.parts.headers.get(NAME).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let Some(text) = header.or_else(|| call.query.get(NAME).map(Into::into)) else { return Ok(None) };
        match text.parse().ok().filter(|bits| BITS.contains(bits)) {
            Some(bits_per_second) => Ok(Some(Self { bits_per_second })),
            None => Err(WireError::new(ErrorCode::InvalidArgument)
                .with_message(format!(
                    "The traffic limit is a number of bits per second from {} to {}.",
                    BITS.start(),
                    BITS.end()
                ))
                .with_element("ArgumentName", NAME)
                .with_element("ArgumentValue", text.into_owned())),
        }
    }

    /// How long so many bytes take at least.
    fn time_of(self, bytes: u64) -> Duration {
        let nanoseconds = u128::from(bytes) * 8 * 1_000_000_000 / u128::from(self.bits_per_second);
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }

    /// Says in an answer by how much a transfer of so many bytes is delayed.
    pub(crate) fn tell(self, bytes: u64, headers: &mut HeaderMap) {
        let milliseconds = u64::try_from(self.time_of(bytes).as_millis()).unwrap_or(u64::MAX);
        headers.insert(DELAY, HeaderValue::from(milliseconds));
    }

    /// The same content, which comes no faster.
    pub(crate) fn slow_down(self, clock: &Clock, content: ContentStream) -> ContentStream {
        let piece_bytes = usize::try_from(self.bits_per_second / 8 / PIECES_PER_SECOND).unwrap_or(usize::MAX);
        let pace = TransferPace::of(self, clock);
        Box::pin(stream::unfold(
            (content, Bytes::new(), pace),
            move |(mut content, mut held, mut pace)| async move {
                if held.is_empty() {
                    match content.next().await? {
                        Ok(chunk) => held = chunk,
                        Err(error) => return Some((Err(error), (content, held, pace))),
                    }
                }
                let piece = held.split_to(held.len().min(piece_bytes));
                pace.pass(piece.len()).await;
                Some((Ok(piece), (content, held, pace)))
            },
        ))
    }
}

/// When the next bytes of a transfer may pass. What was not used is not saved up: there are no bursts.
#[derive(Debug)]
pub(crate) struct TransferPace {
    clock: Clock,
    limit: TrafficLimit,
    free_at: Instant,
}

impl TransferPace {
    /// The pace of a transfer that begins now.
    pub(crate) fn of(limit: TrafficLimit, clock: &Clock) -> Self {
        Self { clock: clock.clone(), limit, free_at: clock.monotonic() }
    }

    /// Waits until these bytes have taken the time that they have to take.
    pub(crate) async fn pass(&mut self, bytes: usize) {
        let now = self.clock.monotonic();
        let free_at = self.take(bytes, now);
        self.clock.sleep_until(free_at).await;
    }

    /// Until when these bytes keep those behind them waiting.
    fn take(&mut self, bytes: usize, now: Instant) -> Instant {
        self.free_at = self.free_at.max(now) + self.limit.time_of(bytes as u64);
        self.free_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_testkit::SimulatedClock;

    #[tokio::test]
    async fn content_comes_in_pieces_and_takes_its_time() {
        let limit = TrafficLimit { bits_per_second: 8_000_000 };
        let chunk = Bytes::from(vec![7; 130_000]);
        let content: ContentStream = Box::pin(stream::iter([Ok(chunk.clone()), Ok(chunk)]));
        let clock = SimulatedClock::new();
        let mut content = limit.slow_down(&clock.clock(), content);
        for (bytes, milliseconds) in [(125_000, 125), (5_000, 5), (125_000, 125), (5_000, 5)] {
            let (piece, ()) = tokio::join!(content.next(), clock.pass(Duration::from_millis(milliseconds)));
            assert_eq!(piece.unwrap().unwrap().len(), bytes);
        }
        assert!(content.next().await.is_none());
    }

    #[test]
    fn bytes_take_their_time_and_what_was_not_used_is_not_saved_up() {
        let began = Instant::now();
        let second = Duration::from_secs(1);
        let mut pace = TransferPace {
            clock: Clock::system(),
            limit: TrafficLimit { bits_per_second: 819_200 },
            free_at: began,
        };
        assert_eq!(pace.take(102_400, began), began + second);
        assert_eq!(pace.take(51_200, began), began + second * 3 / 2, "those before count");
        assert_eq!(pace.take(102_400, began + second * 60), began + second * 61);
    }
}
