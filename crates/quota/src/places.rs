//! Places that are taken, given back when dropped, and withdrawn when their holder has to give way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::shares::{ClaimId, Seating, Shares, Standing};

/// What holds a place.
pub trait Claimant {
    /// How it stands among the others; asked only when no place is free.
    fn standing(&self) -> Standing;

    /// Tells it that its place is gone. It ends by itself, soon.
    fn give_way(&self);
}

/// A bounded number of places.
pub struct Places<H, T>(Mutex<Shares<H, Arc<T>>>);

impl<H: Ord + Clone, T: Claimant> Places<H, T> {
    /// So many, all free.
    pub fn new(places: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Shares::new(places as u64))))
    }

    /// Takes a place, never waiting for one; `None` when nobody has to give way to this holder.
    pub fn take(self: &Arc<Self>, holder: H, claimant: Arc<T>) -> Option<Place<H, T>> {
        let seating = self.lock().seat(holder, claimant, |claimant| claimant.standing());
        let id = match seating {
            Seating::Free(id) => id,
            Seating::Instead(id, gone) => {
                gone.give_way();
                id
            }
            Seating::Full(_) => return None,
        };
        Some(Place { places: Arc::clone(self), id })
    }

    /// How many are taken, and how many there are.
    pub fn in_use(&self) -> (u64, u64) {
        let shares = self.lock();
        (shares.taken(), shares.room())
    }

    fn lock(&self) -> MutexGuard<'_, Shares<H, Arc<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One place; given back when it is dropped, if it was not taken away before.
pub struct Place<H: Ord + Clone, T: Claimant> {
    places: Arc<Places<H, T>>,
    id: ClaimId,
}

impl<H: Ord + Clone, T: Claimant> Place<H, T> {
    /// Counts it to another holder, once it is known who that is.
    pub fn rehome(&self, holder: H) {
        self.places.lock().rehome(self.id, holder);
    }
}

impl<H: Ord + Clone, T: Claimant> Drop for Place<H, T> {
    fn drop(&mut self) {
        let _taken_away_before = self.places.lock().remove(self.id);
    }
}

impl<H: Ord + Clone, T: Claimant> std::fmt::Debug for Place<H, T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "place {}", self.id)
    }
}
