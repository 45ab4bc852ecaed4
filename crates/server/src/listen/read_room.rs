//! Bounds the memory of what connections have read: the heads of requests, whole or not, and the buffers that bodies
//! come in.
//!
//! The first 8 KiB of a head are each connection's own. Beyond them heads share a budget; when it is short, the client
//! whose heads hold most loses the connection with the largest, one that carries no request if it has one. Bodies are
//! read 8 KiB at a time, and in larger pieces by as many connections as may have a large buffer. The HTTP library keeps
//! a buffer that grew, so that such a connection counts until it ends.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use countersign_quota::client_network::ClientNetwork;
use countersign_quota::places::Claimant as _;
use countersign_quota::shares::{ClaimId, Shares};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connection_places::Activity;

/// How much of a head counts to no budget.
const FREE_HEAD_BYTES: u64 = 8 * 1024;
/// What the budget has for each connection that there may be.
const HEAD_BYTES_PER_CONNECTION: usize = 8 * 1024;
/// The budget holds so many of the largest heads, however few connections there may be.
const LARGEST_HEADS_MIN: usize = 4;
/// One in so many connections may have a large buffer.
const CONNECTIONS_PER_LARGE_BUFFER: usize = 16;
/// How many may, however few connections there are.
const LARGE_BUFFERS_MIN: usize = 4;
/// What is read at once without one. The HTTP library's smallest buffer has a byte more, and grows by a read that fills
/// it.
const SMALL_READ_BYTES: usize = 8 * 1024 - 1;

/// What the connections of one listener share.
pub(super) struct ReadRoom {
    heads: Mutex<Shares<ClientNetwork, Arc<Activity>>>,
    large_buffers: Arc<Semaphore>,
}

impl ReadRoom {
    /// For so many connections with heads of at most so many bytes.
    pub(super) fn new(connections_max: usize, header_bytes_max: usize) -> Arc<Self> {
        let least = header_bytes_max.saturating_mul(LARGEST_HEADS_MIN);
        let heads = connections_max.saturating_mul(HEAD_BYTES_PER_CONNECTION).max(least);
        let large = (connections_max / CONNECTIONS_PER_LARGE_BUFFER).max(LARGE_BUFFERS_MIN);
        Arc::new(Self {
            heads: Mutex::new(Shares::new(heads as u64)),
            large_buffers: Arc::new(Semaphore::new(large)),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Shares<ClientNetwork, Arc<Activity>>> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The head of one request, as the budget knows it.
struct Head {
    room: Arc<ReadRoom>,
    client: ClientNetwork,
    activity: Arc<Activity>,
    bytes: u64,
    claim: Option<ClaimId>,
}

impl Head {
    /// So many more bytes of it came.
    fn grow(&mut self, bytes: u64) -> io::Result<()> {
        let before = self.bytes.max(FREE_HEAD_BYTES);
        self.bytes += bytes;
        let Some(more @ 1..) = self.bytes.checked_sub(before) else { return Ok(()) };
        let mut heads = self.room.lock();
        let id = match self.claim {
            Some(id) => id,
            None => heads.add(self.client, 0, Arc::clone(&self.activity)),
        };
        self.claim = Some(id);
        heads.grow(id, more);
        while heads.excess() > 0 {
            let victim = heads.of_the_most(0, |held| Some((held.token.standing().idle, held.weight)));
            let Some(gone) = victim.and_then(|victim| heads.remove(victim)) else { break };
            gone.give_way();
        }
        match heads.get_mut(id) {
            Some(_) => Ok(()),
            None => Err(io::Error::other("the largest head gave way, for heads hold all that they may")),
        }
    }

    /// Its request was answered.
    fn end(&mut self) {
        self.bytes = 0;
        if let Some(claim) = self.claim.take() {
            let _gave_way_before = self.room.lock().remove(claim);
        }
    }
}

impl Drop for Head {
    fn drop(&mut self) {
        self.end();
    }
}

/// A connection whose reads keep to the room.
pub(super) struct BoundedReads<T> {
    /// Its limit is set anew for each read.
    stream: Take<T>,
    head: Head,
    large_buffer: Option<OwnedSemaphorePermit>,
    /// A request is under way at this read.
    in_request: bool,
    /// How many requests had begun when a head last ended. Several may come in one read and be answered before the
    /// next.
    begun: usize,
}

impl<T: AsyncRead> BoundedReads<T> {
    /// Of this client's connection.
    pub(super) fn new(
        stream: T,
        room: &Arc<ReadRoom>,
        client: ClientNetwork,
        activity: &Arc<Activity>,
    ) -> Self {
        let (room, activity) = (Arc::clone(room), Arc::clone(activity));
        let head = Head { room, client, activity, bytes: 0, claim: None };
        Self { stream: stream.take(0), head, large_buffer: None, in_request: false, begun: 0 }
    }

    /// What is read while a request is under way is its body's, and all else the next request's head.
    fn count(&mut self, bytes: usize) -> io::Result<()> {
        if !self.in_request {
            return self.head.grow(bytes as u64);
        }
        if bytes == SMALL_READ_BYTES && self.large_buffer.is_none() {
            self.large_buffer = Arc::clone(&self.head.room.large_buffers).try_acquire_owned().ok();
        }
        Ok(())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for BoundedReads<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.in_request = self.head.activity.carries_a_request();
        let begun = self.head.activity.requests_begun();
        if !self.in_request && begun != self.begun {
            self.head.end();
            self.begun = begun;
        }
        let before = buffer.filled().len();
        // A part of the buffer, and not a buffer of zeros, which each read would have to make first.
        let most = if self.large_buffer.is_some() { u64::MAX } else { SMALL_READ_BYTES as u64 };
        self.stream.set_limit(most);
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let read = buffer.filled().len() - before;
        Poll::Ready(self.count(read))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for BoundedReads<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.stream.get_mut()).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.stream.get_mut()).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.get_ref().is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use countersign_clock::Clock;
    use tokio::io::AsyncReadExt as _;

    use super::*;

    const KIB: u64 = 1024;

    fn head(room: &Arc<ReadRoom>, client: u8) -> Head {
        let client = ClientNetwork::from(IpAddr::from([127, 0, 0, client]));
        Head {
            room: Arc::clone(room),
            client,
            activity: Activity::begins(&Clock::system()),
            bytes: 0,
            claim: None,
        }
    }

    fn with(room: &Arc<ReadRoom>, client: u8, kib: u64) -> Head {
        let mut head = head(room, client);
        head.grow(kib * KIB).unwrap();
        head
    }

    fn is_in(head: &Head) -> bool {
        head.claim.is_none_or(|id| head.room.lock().get_mut(id).is_some())
    }

    #[test]
    fn the_largest_head_of_the_client_that_holds_most_gives_way() {
        let room = ReadRoom::new(1, 64 * 1024);
        // 56, 40, 40, 40 and 40 KiB of 256, for the first 8 KiB of each are its own.
        let many = [64, 48, 48, 48, 48].map(|kib| with(&room, 1, kib));
        let small = with(&room, 1, 8);
        let one = with(&room, 2, 40);
        assert!(many.iter().all(is_in) && is_in(&small) && is_in(&one), "248 KiB are held");
        let mut other = with(&room, 3, 8);
        other.grow(40 * KIB).unwrap();
        assert_eq!(many.each_ref().map(is_in), [false, true, true, true, true]);
        assert!(is_in(&small) && is_in(&one) && is_in(&other));
        drop((many, small, one, other));
        let client = head(&room, 1).client;
        assert_eq!(room.lock().held_by(&client), 0);
    }

    #[test]
    fn the_one_that_grows_gives_way_itself_and_then_gets_no_further() {
        let room = ReadRoom::new(1, 64 * 1024);
        let mut alone = with(&room, 1, 200);
        let request = alone.activity.request();
        let mut grows = with(&room, 1, 30);
        assert!(grows.grow(100 * KIB).is_err(), "the larger one carries a request");
        assert!(is_in(&alone) && grows.grow(1).is_err());
        drop(request);
        alone.end();
        assert_eq!((alone.claim, alone.bytes), (None, 0));
    }

    #[tokio::test]
    async fn bodies_are_read_in_large_pieces_only_by_those_that_have_a_large_buffer() {
        let room = ReadRoom::new(1, 64 * 1024);
        let activity = Activity::begins(&Clock::system());
        let client = ClientNetwork::from(IpAddr::from([127, 0, 0, 1]));
        let bounded = || BoundedReads::new(tokio::io::repeat(b'a').take(1 << 20), &room, client, &activity);
        let mut buffer = vec![0; 64 * 1024];
        let mut idle = bounded();
        assert_eq!(idle.read(&mut buffer).await.unwrap(), SMALL_READ_BYTES, "a head");
        let _request = activity.request();
        let mut first = [bounded(), bounded(), bounded(), bounded(), bounded()];
        for (number, stream) in first.iter_mut().enumerate() {
            assert_eq!(stream.read(&mut buffer).await.unwrap(), SMALL_READ_BYTES);
            let large = number < LARGE_BUFFERS_MIN;
            let expected = if large { buffer.len() } else { SMALL_READ_BYTES };
            assert_eq!(stream.read(&mut buffer).await.unwrap(), expected, "{number}");
        }
        let [gone, _, _, _, last] = &mut first;
        gone.large_buffer = None;
        assert_eq!(last.read(&mut buffer).await.unwrap(), SMALL_READ_BYTES);
        assert_eq!(last.read(&mut buffer).await.unwrap(), buffer.len());
    }

    #[tokio::test]
    async fn requests_that_are_answered_from_one_buffer_do_not_add_up_to_one_head() {
        let room = ReadRoom::new(1, 64 * 1024);
        let activity = Activity::begins(&Clock::system());
        let client = ClientNetwork::from(IpAddr::from([127, 0, 0, 1]));
        let mut pipelined =
            BoundedReads::new(tokio::io::repeat(b'a').take(1 << 20), &room, client, &activity);
        let mut buffer = vec![0; 64 * 1024];
        for _ in 0..100 {
            assert_eq!(pipelined.read(&mut buffer).await.unwrap(), SMALL_READ_BYTES);
            // Each begins and ends between two reads.
            drop([activity.request(), activity.request()]);
        }
        assert_eq!(room.lock().held_by(&client), 0);
    }
}
