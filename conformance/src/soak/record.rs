//! Records the states that each object may be in. Before a change is sent, its outcome joins them; an acknowledgement
//! leaves that one alone; a start of the store settles what stayed open.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::chance::bytes_of;

/// The buckets that are written to.
pub(crate) const BUCKETS: [&str; 2] = ["soak-one", "soak-two"];
/// What may stand under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// Nothing.
    Absent,
    /// The bytes of this number and length.
    Object { number: u64, length: u64 },
}

impl Held {
    pub(crate) fn bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Absent => None,
            Self::Object { number, length } => Some(bytes_of(number, length)),
        }
    }
}

/// A bucket and a key.
pub(crate) type ObjectName = (&'static str, String);

/// The record of all places.
#[derive(Debug, Default)]
pub(crate) struct Record {
    places: Mutex<BTreeMap<ObjectName, Vec<Held>>>,
    /// Uploads that ask for a callback: key, and whether the uploader was told of a success.
    called: Mutex<BTreeMap<String, bool>>,
}

impl Record {
    /// A change is about to be sent.
    pub(crate) fn begun(&self, place: &ObjectName, after: Held) {
        let mut places = self.places.lock().expect("not poisoned");
        let states = places.entry(place.clone()).or_insert_with(|| vec![Held::Absent]);
        if !states.contains(&after) {
            states.push(after);
        }
    }

    /// A change was acknowledged, or a start showed what there is.
    pub(crate) fn settled(&self, place: &ObjectName, state: Held) {
        self.places.lock().expect("not poisoned").insert(place.clone(), vec![state]);
    }

    /// A key that is used once is gone, and will not be asked for again.
    pub(crate) fn forget(&self, place: &ObjectName) {
        self.places.lock().expect("not poisoned").remove(place);
    }

    /// The states that are possible.
    pub(crate) fn possible(&self, place: &ObjectName) -> Vec<Held> {
        let places = self.places.lock().expect("not poisoned");
        places.get(place).cloned().unwrap_or_else(|| vec![Held::Absent])
    }

    /// All places whose keys begin with a prefix.
    pub(crate) fn places(&self, bucket: &str, prefix: &str) -> Vec<ObjectName> {
        let places = self.places.lock().expect("not poisoned");
        places.keys().filter(|(own, key)| *own == bucket && key.starts_with(prefix)).cloned().collect()
    }

    pub(crate) fn callback_asked(&self, key: &str) {
        self.called.lock().expect("not poisoned").insert(key.to_owned(), false);
    }

    pub(crate) fn callback_answered(&self, key: &str) {
        self.called.lock().expect("not poisoned").insert(key.to_owned(), true);
    }

    /// The keys with a callback, and whether the uploader was told that the application had answered.
    pub(crate) fn callbacks(&self) -> Vec<(String, bool)> {
        self.called.lock().expect("not poisoned").iter().map(|(key, told)| (key.clone(), *told)).collect()
    }
}
