//! The body of a request as operations read it: in chunks as they come, with a bound on idleness and on
//! slowness, hashed for `Content-MD5` on the way, and drained within bounds when it is refused.
//!
//! It knows nothing of what the bytes mean.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use countersign_clock::Clock;
use countersign_protocol::{ErrorCode, WireError};
use countersign_sys::Md5;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, EXPECT};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use crate::budget::body_watch::BodyWatch;
use crate::budget::fair_budget::{FairBudget, NoRoom};
use crate::request::context::RequestContext;

/// Why a body could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// Nothing came for too long.
    #[error("nothing of the body came for {0:?}")]
    Idle(Duration),
    /// Bytes came, but too few for too long.
    #[error("the body came slower than {bytes_per_second} bytes a second")]
    TooSlow {
        /// The least rate.
        bytes_per_second: u64,
    },
    /// What it held, a place or a share of memory, is short, and it had to give way.
    #[error("the body gave way to another")]
    GaveWay,
    /// The connection ended before the body did, or the body's framing is broken.
    #[error("the body ended early: {0}")]
    Incomplete(hyper::Error),
    /// More bytes than this request may have.
    #[error("the body is longer than {bytes_max} bytes")]
    TooLong {
        /// The bound.
        bytes_max: usize,
    },
    /// Other documents hold all the memory that they may have.
    #[error("the documents of other requests hold all their memory")]
    NoRoom,
    /// `Content-MD5` is no base64 of 16 bytes, nor of the 20 that one SDK sends.
    #[error("Content-MD5 is not the base64 of 16 bytes")]
    DigestMalformed,
    /// `Content-MD5` is not the body's.
    #[error("Content-MD5 differs from the body's digest")]
    DigestDiffers,
}

impl From<&BodyError> for WireError {
    fn from(error: &BodyError) -> Self {
        Self::new(match error {
            BodyError::Idle(_) | BodyError::TooSlow { .. } => ErrorCode::RequestTimeout,
            BodyError::GaveWay => ErrorCode::SlowDown,
            BodyError::Incomplete(_) => ErrorCode::IncompleteBody,
            BodyError::TooLong { .. } => ErrorCode::EntityTooLarge,
            BodyError::NoRoom => ErrorCode::SlowDown,
            BodyError::DigestMalformed | BodyError::DigestDiffers => ErrorCode::InvalidDigest,
        })
    }
}

/// A request's body.
pub(crate) struct RequestBody {
    clock: Clock,
    incoming: Incoming,
    declared_bytes: Option<u64>,
    expects_continue: bool,
    idle_timeout: Duration,
    rate_min: u64,
    received_bytes: u64,
    window_bytes: u64,
    window_waited: Duration,
    idle: Duration,
    ended: bool,
    digest: Option<(Md5, [u8; 16])>,
    watch: Arc<BodyWatch>,
    documents: FairBudget,
    sender: IpAddr,
    received: metrics::Counter,
}

impl RequestBody {
    /// Takes over the body that came with `headers`.
    pub(crate) fn new(incoming: Incoming, headers: &HeaderMap, context: &RequestContext) -> Self {
        let options = &context.server.options;
        let limits = &options.limits;
        let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        Self {
            clock: options.clock.clone(),
            ended: incoming.is_end_stream(),
            incoming,
            declared_bytes: declared.and_then(|digits| digits.parse().ok()),
            expects_continue: headers.contains_key(EXPECT),
            idle_timeout: limits.body_idle_timeout,
            rate_min: limits.body_rate_min,
            received_bytes: 0,
            window_bytes: 0,
            window_waited: Duration::ZERO,
            idle: Duration::ZERO,
            digest: None,
            watch: Arc::new(BodyWatch::new(&options.clock)),
            documents: context.server.documents.clone(),
            sender: context.client,
            received: context.server.metrics.received_bytes.clone(),
        }
    }

    /// The `Content-Length`, where one was sent.
    pub(crate) fn declared_bytes(&self) -> Option<u64> {
        self.declared_bytes
    }

    /// Whether every byte has been read.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Demands that the whole body has the digest that `Content-MD5` names, if the header is there.
    ///
    /// # Errors
    /// [`BodyError::DigestMalformed`].
    pub(crate) fn demand_digest(&mut self, headers: &HeaderMap) -> Result<(), BodyError> {
        let Some(value) = headers.get("content-md5") else { return Ok(()) };
        let named = STANDARD.decode(value.as_bytes().trim_ascii()).unwrap_or_default();
        // The C SDK encodes a buffer of 20 bytes whose first 16 are the digest.
        let digest = match named.first_chunk::<16>() {
            Some(digest) if named.len() == 16 || named.len() == 20 => *digest,
            _ => return Err(BodyError::DigestMalformed),
        };
        self.digest = Some((Md5::new(), digest));
        Ok(())
    }

    /// How fast it comes, and the way to tell it that it has to give way.
    pub(crate) fn watch(&self) -> &Arc<BodyWatch> {
        &self.watch
    }

    /// The next bytes; `None` after the last. The digest is compared at the end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, BodyError> {
        while !self.ended {
            let Some(frame) = self.frame().await? else { continue };
            // Trailers are read and dropped: nothing of the wire is in them.
            let Ok(data) = frame.into_data() else { continue };
            if let Some((digest, _)) = &mut self.digest {
                digest.update(&data);
            }
            return Ok(Some(data));
        }
        self.check_digest()?;
        Ok(None)
    }

    /// Waits for the next frame, at most until one of the bounds can be judged; `None` then, and at the end.
    async fn frame(&mut self) -> Result<Option<Frame<Bytes>>, BodyError> {
        // The rate is judged when its window ends, not when the next byte happens to come.
        let window_left = self.idle_timeout.saturating_sub(self.window_waited);
        let patience = window_left.min(self.idle_timeout.saturating_sub(self.idle));
        self.watch.waits();
        let frame = tokio::select! {
            biased;
            () = self.watch.wanted() => return Err(BodyError::GaveWay),
            frame = self.clock.timeout(patience, self.incoming.frame()) => frame,
        };
        let data = frame.as_ref().ok().and_then(|frame| frame.as_ref()?.as_ref().ok()?.data_ref());
        let bytes = data.map_or(0, |data| data.len() as u64);
        let waited = self.watch.came(bytes);
        self.received_bytes += bytes;
        self.received.increment(bytes);
        self.window_bytes += bytes;
        self.window_waited += waited;
        match frame {
            Ok(None) => self.ended = true,
            Ok(Some(Err(error))) => return Err(BodyError::Incomplete(error)),
            Ok(Some(Ok(frame))) => {
                self.idle = Duration::ZERO;
                self.check_rate()?;
                return Ok(Some(frame));
            }
            Err(_) => {
                self.idle += waited;
                if self.idle >= self.idle_timeout {
                    return Err(BodyError::Idle(self.idle_timeout));
                }
                self.check_rate()?;
            }
        }
        Ok(None)
    }

    /// Reads the whole body, at most `bytes_max` bytes of it, which count among all documents until they are dropped.
    pub(crate) async fn read_whole(&mut self, bytes_max: usize) -> Result<Bytes, BodyError> {
        if self.declared_bytes.is_some_and(|declared| declared > bytes_max as u64) {
            return Err(BodyError::TooLong { bytes_max });
        }
        let mut share = self.documents.count(&self.sender, 0);
        let mut whole = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if whole.len() + chunk.len() > bytes_max {
                return Err(BodyError::TooLong { bytes_max });
            }
            share.grow(chunk.len()).map_err(|NoRoom| BodyError::NoRoom)?;
            whole.extend_from_slice(&chunk);
        }
        Ok(share.bind(Bytes::from(whole)))
    }

    /// Goes on reading what was refused, so that the sender gets to its answer instead of a reset
    /// connection: at most so many bytes and so long. Whoever still waits for `100 Continue` has not
    /// begun to send, and is not invited to.
    pub(crate) async fn drain(mut self, bytes_max: u64, time_max: Duration) {
        if self.ended || (self.expects_continue && self.received_bytes == 0) {
            return;
        }
        let reading = async {
            let mut drained = 0_u64;
            while drained < bytes_max {
                match self.incoming.frame().await {
                    Some(Ok(frame)) => drained += frame.data_ref().map_or(0, |data| data.len() as u64),
                    Some(Err(_)) | None => return,
                }
            }
        };
        // Running out of time is one of the two ways in which a drain ends.
        let _elapsed = self.clock.timeout(time_max, reading).await;
    }

    /// Holds each window of waiting to the least rate by itself: over the whole body, what came fast at the
    /// beginning would pay for hours of crawling.
    fn check_rate(&mut self) -> Result<(), BodyError> {
        if self.window_waited < self.idle_timeout {
            return Ok(());
        }
        let bytes_min = u128::from(self.rate_min) * self.window_waited.as_millis() / 1000;
        if u128::from(self.window_bytes) < bytes_min {
            return Err(BodyError::TooSlow { bytes_per_second: self.rate_min });
        }
        (self.window_bytes, self.window_waited) = (0, Duration::ZERO);
        Ok(())
    }

    fn check_digest(&mut self) -> Result<(), BodyError> {
        let Some((digest, expected)) = self.digest.take() else { return Ok(()) };
        if digest.finish() == expected { Ok(()) } else { Err(BodyError::DigestDiffers) }
    }
}
