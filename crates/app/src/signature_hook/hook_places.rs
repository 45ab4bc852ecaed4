//! Limits how many signature hooks are under way, so that clients whose hooks hang do not keep the others waiting.
//!
//! Places are shared by the caller's address, max-min, as the store shares its own; besides, one session has a quarter of
//! them at most, because a session that is locked by one request lets all its others hang, behind whichever address.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use countersign_quota::{
    client_network::ClientNetwork,
    places::{Claimant, Place, Places},
    shares::{Standing, YieldsTo},
};
use http::{HeaderMap, header};
use tokio::{sync::Notify, time::Instant};

/// How many questions are under way at once.
pub(super) const QUESTIONS_MAX: usize = 64;
/// How many of them with the same credentials.
const QUESTIONS_OF_A_SESSION_MAX: usize = 16;
/// After so long a question gives way also to a client that would then have as many: applications that work answer
/// within moments.
const PROMPT_MS_MAX: i64 = 1_000;

/// The places.
#[derive(Clone)]
pub(super) struct HookPlaces {
    clients: Arc<Places<ClientNetwork, Waiting>>,
    sessions: Arc<Sessions>,
}

/// How many questions each session has under way; one without any is not remembered.
#[derive(Default)]
struct Sessions {
    hasher: RandomState,
    under_way: Mutex<HashMap<u64, usize>>,
}

/// One question that is under way. Dropping it gives its places back.
pub(super) struct HookPlace {
    waiting: Arc<Waiting>,
    _client: Place<ClientNetwork, Waiting>,
    _session: SessionPlace,
}

struct SessionPlace {
    sessions: Arc<Sessions>,
    session: u64,
}

struct Waiting {
    begun: Instant,
    wanted: Notify,
}

impl Default for HookPlaces {
    fn default() -> Self {
        Self { clients: Places::new(QUESTIONS_MAX), sessions: Arc::default() }
    }
}

impl HookPlaces {
    /// A place for a caller from this address whose question has these headers; `None` when there is none.
    pub(super) fn take(&self, client: Option<IpAddr>, headers: &HeaderMap) -> Option<HookPlace> {
        // Callers whose address is not known count as one.
        let client = ClientNetwork::from(client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
        let of_everyone = [header::ACCEPT, header::USER_AGENT];
        let shown: Vec<_> = headers.iter().filter(|(name, _)| !of_everyone.contains(name)).collect();
        // Callers without credentials are told apart by their address.
        let session = self.sessions.hasher.hash_one((&shown, shown.is_empty().then_some(client)));
        let session = self.sessions.take(session)?;
        let waiting = Arc::new(Waiting { begun: Instant::now(), wanted: Notify::new() });
        let client = self.clients.take(client, Arc::clone(&waiting))?;
        Some(HookPlace { waiting, _client: client, _session: session })
    }
}

impl Sessions {
    fn take(self: &Arc<Self>, session: u64) -> Option<SessionPlace> {
        let mut under_way = self.lock();
        let own = under_way.entry(session).or_default();
        if *own >= QUESTIONS_OF_A_SESSION_MAX {
            return None;
        }
        *own += 1;
        Some(SessionPlace { sessions: Arc::clone(self), session })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, usize>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SessionPlace {
    fn drop(&mut self) {
        let mut under_way = self.sessions.lock();
        if let Some(own) = under_way.get_mut(&self.session) {
            *own -= 1;
            if *own == 0 {
                under_way.remove(&self.session);
            }
        }
    }
}

impl HookPlace {
    /// Ready once the question has to give way.
    pub(super) async fn gives_way(&self) {
        self.waiting.wanted.notified().await;
    }
}

impl Claimant for Waiting {
    fn standing(&self) -> Standing {
        let behind_ms = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        // Never to its own client: ending older questions for newer ones would let a slow application answer none.
        let yields = if behind_ms > PROMPT_MS_MAX { YieldsTo::Equal } else { YieldsTo::Smaller };
        Standing { behind_ms, yields, idle: false }
    }

    fn give_way(&self) {
        self.wanted.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn session(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookie).unwrap())])
    }

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[tokio::test]
    async fn one_session_holds_at_most_a_quarter_of_the_places_and_returns_them() {
        let places = HookPlaces::default();
        let held: Vec<HookPlace> = (0..16).map_while(|_| places.take(address(1), &session("a=1"))).collect();
        assert_eq!(held.len(), 16);
        assert!(places.take(address(2), &session("a=1")).is_none(), "from whatever address");
        assert!(places.take(address(1), &session("a=2")).is_some(), "others are asked about");
        drop(held);
        assert!(places.take(address(1), &session("a=1")).is_some());
        assert!(places.sessions.lock().len() <= 1, "what has ended is forgotten");
    }

    #[tokio::test]
    async fn one_address_with_many_sessions_gives_way_to_another_address() {
        let places = HookPlaces::default();
        let all = (0..QUESTIONS_MAX).map_while(|at| places.take(address(1), &session(&format!("a={at}"))));
        let all: Vec<HookPlace> = all.collect();
        assert_eq!(all.len(), QUESTIONS_MAX);
        assert!(places.take(address(1), &session("a=new")).is_none());
        assert!(places.take(address(2), &session("b=1")).is_some());
        let gone = all.iter().map(|place| Box::pin(place.gives_way()));
        let ready = gone.map(|mut waiting| is_ready(waiting.as_mut())).filter(|ready| *ready).count();
        assert_eq!(ready, 1);
    }

    /// Whether a future is ready at once.
    fn is_ready(future: std::pin::Pin<&mut impl Future<Output = ()>>) -> bool {
        future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_ready()
    }
}
