//! The memory budget of form heads that are not authorised yet, so that fields without a key cannot fill the memory;
//! and which head gives way when it is short.
//!
//! A head of up to 64 KiB gets in. The largest above that gives way, among equals the oldest; when there is none
//! above, the client whose heads hold most loses its largest. The one that gives way may be the very head that
//! grows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_protocol::{ErrorCode, WireError};

use crate::budget::body_watch::BodyWatch;
use countersign_quota::client_network::ClientNetwork;
use countersign_quota::places::Claimant as _;
use countersign_quota::shares::{ClaimId, Held, Shares};

/// A head whose bytes on the wire are no more than this gets in.
const SMALL_HEAD_BYTES_MAX: u64 = 64 * 1024;

/// What a head is known by in the table.
struct Head {
    watch: Arc<BodyWatch>,
    large: bool,
}

/// What all heads may hold.
pub(crate) struct HeadBudget(Mutex<Shares<ClientNetwork, Head>>);

impl HeadBudget {
    /// An empty budget of so many bytes.
    pub(crate) fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Shares::new(bytes_max as u64))))
    }

    /// How many bytes are held, and how many may be.
    pub(crate) fn in_use(&self) -> (u64, u64) {
        let shares = self.lock();
        (shares.taken(), shares.room())
    }

    fn lock(&self) -> MutexGuard<'_, Shares<ClientNetwork, Head>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A head's share of the budget, given back when it is dropped: once the form is authorised or refused.
pub(crate) struct HeadShare {
    budget: Arc<HeadBudget>,
    id: ClaimId,
    wire_bytes: u64,
    charged_bytes: u64,
}

impl HeadShare {
    /// The share of a head of which nothing has come.
    pub(crate) fn none_yet(budget: &Arc<HeadBudget>, client: ClientNetwork, watch: &Arc<BodyWatch>) -> Self {
        let id = budget.lock().add(client, 0, Head { watch: Arc::clone(watch), large: false });
        Self { budget: Arc::clone(budget), id, wire_bytes: 0, charged_bytes: 0 }
    }

    /// So many more bytes of the head came.
    ///
    /// # Errors
    /// SlowDown when this head has to give way.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), WireError> {
        self.wire_bytes += bytes as u64;
        self.charge(self.charged_bytes.max(self.wire_bytes))
    }

    /// What is kept of the head takes so much memory, which can be more than what came.
    ///
    /// # Errors
    /// SlowDown when this head has to give way.
    pub(crate) fn hold(&mut self, bytes: usize) -> Result<(), WireError> {
        self.charge(self.charged_bytes.max(bytes as u64))
    }

    fn charge(&mut self, bytes: u64) -> Result<(), WireError> {
        let mut heads = self.budget.lock();
        let large = self.wire_bytes > SMALL_HEAD_BYTES_MAX;
        let Some(head) = heads.get_mut(self.id) else { return Err(WireError::new(ErrorCode::SlowDown)) };
        head.large = large;
        heads.grow(self.id, bytes - self.charged_bytes);
        self.charged_bytes = bytes;
        while heads.excess() > 0 {
            let id = to_give_way(&heads, self.id);
            if let Some(head) = heads.remove(id) {
                head.watch.give_way();
            }
            if id == self.id {
                return Err(WireError::new(ErrorCode::SlowDown));
            }
        }
        Ok(())
    }
}

/// A small head takes from others as long as there are any, also when its client comes to hold most by it: alone it
/// is no attack.
fn to_give_way(heads: &Shares<ClientNetwork, Head>, growing: ClaimId) -> ClaimId {
    let other = |held: &Held<'_, ClientNetwork, Head>| (held.id != growing).then_some(held.weight);
    heads
        .anywhere(|held| held.token.large.then_some(held.weight))
        .or_else(|| heads.of_the_most(0, other))
        .unwrap_or(growing)
}

impl Drop for HeadShare {
    fn drop(&mut self) {
        let _gave_way_before = self.budget.lock().remove(self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const KIB: usize = 1024;

    fn head(budget: &Arc<HeadBudget>, client: u8, bytes: usize) -> HeadShare {
        let client = ClientNetwork::from(IpAddr::from([127, 0, 0, client]));
        let mut share = HeadShare::none_yet(
            budget,
            client,
            &Arc::new(BodyWatch::new(&countersign_clock::Clock::system())),
        );
        share.grow(bytes).unwrap();
        share
    }

    fn is_in(share: &HeadShare) -> bool {
        share.budget.lock().get_mut(share.id).is_some()
    }

    #[test]
    fn the_largest_head_gives_way_and_among_equals_the_oldest() {
        let budget = HeadBudget::new(1000 * KIB);
        let held = [300, 300, 200, 64, 64].map(|kib| head(&budget, 1, kib * KIB));
        let small = head(&budget, 1, 100);
        let after = head(&budget, 1, 80 * KIB);
        assert_eq!(held.each_ref().map(is_in), [false, true, true, true, true]);
        assert!(is_in(&small) && is_in(&after));
        let mut grows = after;
        assert!(grows.grow(400 * KIB).is_err(), "it would be the largest itself");
        drop(held);
        drop((small, grows));
        assert_eq!(budget.lock().held_by(&ClientNetwork::from(IpAddr::from([127, 0, 0, 1]))), 0);
    }

    #[test]
    fn small_heads_give_way_to_those_of_a_client_that_holds_less() {
        let budget = HeadBudget::new(100 * KIB);
        let many: Vec<HeadShare> = (0..20).map(|_| head(&budget, 1, 5 * KIB)).collect();
        let other = head(&budget, 2, 60 * KIB);
        assert!(is_in(&other), "it is larger than any, and its client holds less");
        assert_eq!(many.iter().filter(|share| is_in(share)).count(), 8);
        assert!(!is_in(&many[0]) && is_in(&many[19]), "the oldest give way");
    }

    #[test]
    fn many_tiny_fields_count_as_the_memory_they_take() {
        let budget = HeadBudget::new(100 * KIB);
        let mut padded = head(&budget, 1, 60 * KIB);
        assert!(padded.hold(90 * KIB).is_ok() && is_in(&padded));
        assert!(padded.hold(150 * KIB).is_err(), "alone it is more than all may hold");
    }
}
