//! What clients were told by the store (buckets, objects, outbox entries), and how an operation changes it.

use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that the store holds, as its users see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) buckets: BTreeSet<String>,
    pub(crate) objects: BTreeMap<Bytes, Held>,
    /// The payloads of open outbox entries.
    pub(crate) owed: BTreeSet<Bytes>,
}

/// An object.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) bytes: Bytes,
    pub(crate) md5: Option<[u8; 16]>,
    pub(crate) crc64: u64,
    pub(crate) attributes: Bytes,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes, {}", self.bytes.len(), String::from_utf8_lossy(&self.attributes))
    }
}

/// One change.
#[derive(Debug, Clone)]
pub(crate) enum Effect {
    Bucket(String),
    Object(Bytes, Held),
    NoObject(Bytes),
    Owed(Bytes),
    NotOwed(Bytes),
}

/// What one client asked for at once: all its effects take place or none.
#[derive(Debug, Clone)]
pub(crate) struct ClientRequest {
    pub(crate) effects: Vec<Effect>,
}

impl World {
    pub(crate) fn apply(&mut self, operation: &ClientRequest) {
        for effect in operation.effects.iter().cloned() {
            match effect {
                Effect::Bucket(name) => drop(self.buckets.insert(name)),
                Effect::Object(key, held) => drop(self.objects.insert(key, held)),
                Effect::NoObject(key) => drop(self.objects.remove(&key)),
                Effect::Owed(payload) => drop(self.owed.insert(payload)),
                Effect::NotOwed(payload) => drop(self.owed.remove(&payload)),
            }
        }
    }

    /// Whether this is what the world looks like after the effect.
    fn shows(&self, effect: &Effect) -> bool {
        match effect {
            Effect::Bucket(name) => self.buckets.contains(name),
            Effect::Object(key, held) => self.objects.get(key) == Some(held),
            Effect::NoObject(key) => !self.objects.contains_key(key),
            Effect::Owed(payload) => self.owed.contains(payload),
            Effect::NotOwed(payload) => !self.owed.contains(payload),
        }
    }

    /// Whether an operation whose outcome nobody was told has taken place, by the first of its effects.
    pub(crate) fn shows_first(&self, operation: &ClientRequest) -> bool {
        operation.effects.first().is_some_and(|effect| self.shows(effect))
    }
}
