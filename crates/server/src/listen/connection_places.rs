//! Limits the number of connections, shared fairly: the client that has most gives way, with a connection that
//! carries no request if it has one, quiet for longest.
//!
//! A newcomer for which nobody has to give way waits for a moment, since connections end all the time; only so many
//! wait at once, and one more is closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use countersign_clock::Clock;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use countersign_quota::client_network::ClientNetwork;
use countersign_quota::places::{Claimant, Place, Places};
use countersign_quota::shares::{Standing, YieldsTo};

/// A connection without a request may be quiet for so long before it gives way to any other.
const QUIET_MS_MAX: i64 = 500;
/// How many newcomers wait at once.
const WAITING_MAX: usize = 64;
/// How many that gave way may have their sockets still.
const LEAVING_MAX: usize = 32;
/// How often a newcomer looks again, and for how long.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What happens on one connection.
pub(super) struct Activity {
    clock: Clock,
    accepted: Instant,
    moved_ms: AtomicU64,
    requests: AtomicUsize,
    requests_begun: AtomicUsize,
    writes: AtomicBool,
    wanted: CancellationToken,
}

impl Activity {
    pub(super) fn begins(clock: &Clock) -> Arc<Self> {
        Arc::new(Self {
            clock: clock.clone(),
            accepted: clock.monotonic(),
            moved_ms: AtomicU64::new(0),
            requests: AtomicUsize::new(0),
            requests_begun: AtomicUsize::new(0),
            writes: AtomicBool::new(false),
            wanted: CancellationToken::new(),
        })
    }

    /// Bytes came or went.
    pub(super) fn moved(&self) {
        self.moved_ms.store(self.age_ms(), Ordering::Relaxed);
    }

    /// Whether something is to be sent that the other side does not take yet.
    pub(super) fn writes(&self, waits: bool) {
        self.writes.store(waits, Ordering::Relaxed);
    }

    /// A request is under way until the guard is dropped.
    pub(super) fn request(self: &Arc<Self>) -> RequestUnderWay {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.requests_begun.fetch_add(1, Ordering::Relaxed);
        RequestUnderWay(Arc::clone(self))
    }

    /// Whether a request is under way.
    pub(super) fn carries_a_request(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0
    }

    /// How many requests there were so far, with those under way.
    pub(super) fn requests_begun(&self) -> usize {
        self.requests_begun.load(Ordering::Relaxed)
    }

    /// Ready once the connection has to give way.
    pub(super) async fn wanted(&self) {
        self.wanted.cancelled().await;
    }

    fn age_ms(&self) -> u64 {
        u64::try_from(self.clock.since(self.accepted).as_millis()).unwrap_or(u64::MAX)
    }
}

/// A request that has not been answered.
pub(super) struct RequestUnderWay(Arc<Activity>);

impl Drop for RequestUnderWay {
    fn drop(&mut self) {
        self.0.moved();
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Claimant for Activity {
    fn standing(&self) -> Standing {
        let quiet = self.age_ms().saturating_sub(self.moved_ms.load(Ordering::Relaxed));
        let behind_ms = i64::try_from(quiet).unwrap_or(i64::MAX);
        let idle = !self.carries_a_request() && !self.writes.load(Ordering::Relaxed);
        let yields = if idle && behind_ms > QUIET_MS_MAX { YieldsTo::Own } else { YieldsTo::Smaller };
        Standing { behind_ms, yields, idle }
    }

    fn give_way(&self) {
        self.wanted.cancel();
    }
}

/// The place of one connection.
pub(super) type ConnectionPlace = Place<ClientNetwork, Activity>;

/// All places, and those that wait for one.
#[derive(Clone)]
pub(super) struct ConnectionPlaces {
    clock: Clock,
    places: Arc<Places<ClientNetwork, Activity>>,
    waiting: Arc<Semaphore>,
    sockets: Arc<Semaphore>,
}

impl ConnectionPlaces {
    pub(super) fn new(connections_max: usize, clock: &Clock) -> Self {
        // Those that wait have descriptors too, so that few places have few that wait for one.
        let waiting = WAITING_MAX.min(connections_max / 8).max(1);
        let leaving = LEAVING_MAX.min(connections_max / 4).max(1);
        Self {
            clock: clock.clone(),
            places: Places::new(connections_max),
            waiting: Arc::new(Semaphore::new(waiting)),
            sockets: Arc::new(Semaphore::new(connections_max.saturating_add(waiting + leaving))),
        }
    }

    /// A place at once, if there is one for this client.
    pub(super) fn take(&self, client: ClientNetwork, activity: &Arc<Activity>) -> Option<ConnectionPlace> {
        self.places.take(client, Arc::clone(activity))
    }

    /// Room for one more socket, to be held until that is closed: a connection that gave way has its socket until its
    /// task ran, and a burst must not take the descriptors of files meanwhile.
    pub(super) async fn socket(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.sockets).acquire_owned().await.ok()
    }

    /// The right to wait for a place, unless too many wait already.
    pub(super) fn may_wait(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.waiting).try_acquire_owned().ok()
    }

    /// A place within this time.
    pub(super) async fn wait(
        &self,
        _waits: OwnedSemaphorePermit,
        client: ClientNetwork,
        activity: &Arc<Activity>,
        time_max: Duration,
    ) -> Option<ConnectionPlace> {
        let looking = async {
            loop {
                self.clock.sleep(LOOK_AGAIN).await;
                if let Some(place) = self.take(client, activity) {
                    return place;
                }
            }
        };
        self.clock.timeout(time_max, looking).await.ok()
    }
}
