//! The table of who holds how much of a bounded resource, and the choice of who gives way when it is short (max-min).
//!
//! Pure: no clock, no lock, no waiting. A claim says of itself how far behind it is and to whom it would yield;
//! the table decides. A holder that holds nothing is not remembered, so that the table is never larger than the
//! room.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The number under which the table knows a claim; an older claim has a smaller one.
pub type ClaimId = u64;

/// To whom a claim gives its place when there are no free ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum YieldsTo {
    /// To a holder that would still hold less than the claim's own: what max-min demands of every claim.
    Smaller,
    /// Also to another holder that would hold as much.
    Equal,
    /// Also to another claim of its own holder.
    Own,
}

/// What a claim says of itself when there are no free places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How far behind it is, in milliseconds; of several claims the one furthest behind gives way.
    pub behind_ms: i64,
    /// To whom.
    pub yields: YieldsTo,
    /// Nothing is lost with it: such a claim gives way before all that are not.
    pub idle: bool,
}

/// What became of a claim to one place.
#[derive(Debug, PartialEq, Eq)]
pub enum Seating<T> {
    /// A place was free.
    Free(ClaimId),
    /// Another claim gave way and is no longer in the table.
    Instead(ClaimId, T),
    /// Nobody had to give way; the claim comes back.
    Full(T),
}

/// A claim as the choice of who gives way sees it.
pub struct Held<'s, H, T> {
    /// Its number.
    pub id: ClaimId,
    /// Whose it is.
    pub holder: &'s H,
    /// What it was added with.
    pub token: &'s T,
    /// How much it takes.
    pub weight: u64,
}

#[derive(Debug)]
struct Claim<H, T> {
    holder: H,
    weight: u64,
    token: T,
}

#[derive(Debug, Default)]
struct Holding {
    total: u64,
    claims: BTreeSet<ClaimId>,
}

/// A room of so many places or bytes, and who holds how much of it.
#[derive(Debug)]
pub struct Shares<H, T> {
    room: u64,
    taken: u64,
    next: ClaimId,
    claims: HashMap<ClaimId, Claim<H, T>>,
    holdings: BTreeMap<H, Holding>,
    /// The holders by what they hold, least first.
    ranking: BTreeSet<(u64, H)>,
}

impl<H: Ord + Clone, T> Shares<H, T> {
    /// An empty room.
    pub fn new(room: u64) -> Self {
        Self {
            room,
            taken: 0,
            next: 0,
            claims: HashMap::new(),
            holdings: BTreeMap::new(),
            ranking: BTreeSet::new(),
        }
    }

    /// How much there is.
    pub fn room(&self) -> u64 {
        self.room
    }

    /// How much is taken.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// How much is taken beyond the room.
    pub fn excess(&self) -> u64 {
        self.taken.saturating_sub(self.room)
    }

    /// How much a holder has.
    pub fn held_by(&self, holder: &H) -> u64 {
        self.holdings.get(holder).map_or(0, |holding| holding.total)
    }

    /// What a claim was added with, unless it has ended.
    pub fn get_mut(&mut self, id: ClaimId) -> Option<&mut T> {
        self.claims.get_mut(&id).map(|claim| &mut claim.token)
    }

    /// Adds a claim, whether or not there is room for it.
    pub fn add(&mut self, holder: H, weight: u64, token: T) -> ClaimId {
        let id = self.next;
        self.next += 1;
        self.holdings.entry(holder.clone()).or_default().claims.insert(id);
        self.claims.insert(id, Claim { holder: holder.clone(), weight: 0, token });
        self.grow(id, weight);
        id
    }

    /// Makes a claim larger, whether or not there is room for it.
    pub fn grow(&mut self, id: ClaimId, by: u64) {
        let Some(claim) = self.claims.get_mut(&id) else { return };
        claim.weight += by;
        self.taken += by;
        let holder = claim.holder.clone();
        self.set_total(&holder, |total| total + by);
    }

    /// Ends a claim; `None` when it has given way before.
    pub fn remove(&mut self, id: ClaimId) -> Option<T> {
        let claim = self.claims.remove(&id)?;
        self.taken -= claim.weight;
        if let Some(holding) = self.holdings.get_mut(&claim.holder) {
            holding.claims.remove(&id);
        }
        self.set_total(&claim.holder, |total| total - claim.weight);
        Some(claim.token)
    }

    /// Gives a claim to another holder, once it is known who that is; it keeps its age.
    pub fn rehome(&mut self, id: ClaimId, holder: H) {
        let Some(claim) = self.claims.get_mut(&id) else { return };
        let (weight, from) = (claim.weight, std::mem::replace(&mut claim.holder, holder.clone()));
        if let Some(holding) = self.holdings.get_mut(&from) {
            holding.claims.remove(&id);
        }
        self.set_total(&from, |total| total - weight);
        self.holdings.entry(holder.clone()).or_default().claims.insert(id);
        self.set_total(&holder, |total| total + weight);
    }

    /// Takes one place for a holder: a free one, or that of the claim that has to give way.
    pub fn seat(&mut self, holder: H, token: T, standing: impl Fn(&T) -> Standing) -> Seating<T> {
        if self.taken < self.room {
            return Seating::Free(self.add(holder, 1, token));
        }
        let after = self.held_by(&holder) + 1;
        let idle = |standing: Standing| standing.idle.then_some(standing.behind_ms);
        let victim = self
            .of_the_most(after, |held| idle(standing(held.token)))
            .or_else(|| self.of_the_most(after, |held| Some(standing(held.token).behind_ms)))
            .or_else(|| {
                self.anywhere(|held| yields_among_equals(self, &holder, held.holder, &standing(held.token)))
            });
        match victim.and_then(|victim| self.remove(victim)) {
            Some(gone) => Seating::Instead(self.add(holder, 1, token), gone),
            None => Seating::Full(token),
        }
    }

    /// The claim of the highest rank of the holders that hold most, provided that it is more than `above`; where a
    /// rank of `None` takes all of theirs out of the choice, of the holders next to them. Of several the oldest.
    pub fn of_the_most<K: Ord>(
        &self,
        above: u64,
        rank: impl Fn(&Held<'_, H, T>) -> Option<K>,
    ) -> Option<ClaimId> {
        let mut larger = self.ranking.iter().rev().take_while(|(total, _)| *total > above).peekable();
        while let Some((most, _)) = larger.peek().copied() {
            let equals = std::iter::from_fn(|| larger.next_if(|(total, _)| total == most));
            let ids =
                equals.filter_map(|(_, holder)| self.holdings.get(holder)).flat_map(|held| &held.claims);
            let found = self.first(ids.copied(), &rank);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Among all claims, the one of the highest rank, of several the oldest.
    pub fn anywhere<K: Ord>(&self, rank: impl Fn(&Held<'_, H, T>) -> Option<K>) -> Option<ClaimId> {
        self.first(self.claims.keys().copied(), rank)
    }

    fn first<K: Ord>(
        &self,
        ids: impl Iterator<Item = ClaimId>,
        rank: impl Fn(&Held<'_, H, T>) -> Option<K>,
    ) -> Option<ClaimId> {
        let ranked = ids.filter_map(|id| {
            let claim = self.claims.get(&id)?;
            let held = Held { id, holder: &claim.holder, token: &claim.token, weight: claim.weight };
            Some((rank(&held)?, Reverse(id)))
        });
        ranked.max().map(|(_, Reverse(id))| id)
    }

    fn set_total(&mut self, holder: &H, total: impl FnOnce(u64) -> u64) {
        let Some(holding) = self.holdings.get_mut(holder) else { return };
        self.ranking.remove(&(holding.total, holder.clone()));
        holding.total = total(holding.total);
        if holding.claims.is_empty() {
            self.holdings.remove(holder);
        } else {
            self.ranking.insert((holding.total, holder.clone()));
        }
    }
}

/// Nobody holds more than the newcomer's holder would: a claim gives way only by its own word, to an equal holder
/// or to one of its own.
fn yields_among_equals<H: Ord + Clone, T>(
    shares: &Shares<H, T>,
    newcomer: &H,
    of: &H,
    standing: &Standing,
) -> Option<i64> {
    let gives = if of == newcomer {
        standing.yields == YieldsTo::Own
    } else {
        standing.yields >= YieldsTo::Equal && shares.held_by(of) > shares.held_by(newcomer)
    };
    gives.then_some(standing.behind_ms)
}

#[cfg(test)]
mod tests;
