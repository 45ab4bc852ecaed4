//! Broken disks and broken stores, to check the checker itself: each changes a recording into one whose loss must be
//! found.

use crate::event::{Entry, Event};
use crate::recorded_store::Recording;

/// A way not to keep one's word.
#[derive(Clone, Copy)]
pub struct Lie {
    /// What is told or done wrong.
    pub name: &'static str,
    /// The scenario in which it shows.
    pub scenario: &'static str,
    tell: fn(Vec<Entry>) -> Vec<Entry>,
}

impl std::fmt::Debug for Lie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Lie {
    /// The recording as it would be with the lie.
    pub fn told(&self, mut recording: Recording) -> Recording {
        let before = recording.entries.len();
        recording.entries = (self.tell)(recording.entries);
        assert!(recording.entries.len() <= before, "a lie adds nothing");
        recording
    }
}

/// All of them.
pub const LIES: &[Lie] = &[
    Lie {
        name: "a blob's bytes are not synced",
        scenario: "large uploads",
        tell: |entries| without_syncs(entries, |place| place.ends_with("(unnamed)")),
    },
    Lie {
        name: "a blob's name is not synced",
        scenario: "large uploads",
        tell: |entries| without_syncs(entries, |place| place == "data/blobs/00000001"),
    },
    Lie {
        name: "the name of a folder of blobs is not synced",
        scenario: "large uploads",
        tell: |entries| without_syncs(entries, |place| place == "data/blobs"),
    },
    Lie {
        name: "the names in the data folder are not synced",
        scenario: "large uploads",
        tell: |entries| without_syncs(entries, |place| place == "data"),
    },
    Lie {
        name: "the data folder's own name is not synced",
        scenario: "large uploads",
        tell: |entries| without_syncs(entries, str::is_empty),
    },
    Lie {
        name: "the catalog's log is not synced",
        scenario: "a first start and small uploads",
        tell: |entries| without_syncs(entries, |place| place.ends_with(".sqlite-wal")),
    },
    Lie {
        name: "the catalog's database is not synced",
        scenario: "checkpoints in between",
        tell: |entries| without_syncs(entries, |place| place.ends_with(".sqlite")),
    },
    Lie {
        name: "the copy from before a migration is not synced",
        scenario: "a catalog of schema 1",
        tell: |entries| without_syncs(entries, |place| place.ends_with(".before-schema-2")),
    },
    Lie {
        name: "the name of the copy from before a migration is not synced",
        scenario: "a catalog of schema 1",
        tell: |entries| without_syncs(entries, |place| place == "data"),
    },
    Lie {
        name: "blobs are named after the commit that names them",
        scenario: "large uploads",
        tell: names_after_the_next_sync_of_the_log,
    },
    Lie {
        name: "blobs are deleted before the catalog has let go of them",
        scenario: "overwriting both ways",
        tell: removals_before_the_last_commits,
    },
    Lie {
        name: "removals of blobs are not synced",
        scenario: "a refused upload, a sweep and a new start",
        tell: removals_unsynced,
    },
];

fn without_syncs(mut entries: Vec<Entry>, of: fn(&str) -> bool) -> Vec<Entry> {
    entries.retain(|entry| !(entry.is_sync() && of(&entry.place)));
    entries
}

fn is_blob(place: &str) -> bool {
    place.starts_with("data/blobs/0")
}

fn is_log_sync(entry: &Entry) -> bool {
    entry.is_sync() && entry.place.ends_with(".sqlite-wal")
}

/// Every name of a blob, and the sync of its folder, comes after the acknowledgement that follows it.
fn names_after_the_next_sync_of_the_log(entries: Vec<Entry>) -> Vec<Entry> {
    let (mut told, mut late) = (Vec::with_capacity(entries.len()), Vec::new());
    for entry in entries {
        let naming =
            matches!(entry.event, Event::Name(..)) && entry.place.len() > "data/blobs/00000001".len();
        if is_blob(&entry.place) && (naming || entry.is_sync()) {
            late.push(entry);
            continue;
        }
        let committed = is_log_sync(&entry);
        told.push(entry);
        if committed {
            told.append(&mut late);
        }
    }
    told.append(&mut late);
    told
}

/// Every removal of a blob moves back before the log's last syncs, among them that of the commit which let go.
fn removals_before_the_last_commits(entries: Vec<Entry>) -> Vec<Entry> {
    let mut told: Vec<Entry> = Vec::with_capacity(entries.len());
    for entry in entries {
        if matches!(entry.event, Event::Unname(..)) && is_blob(&entry.place) {
            let syncs = told.iter().enumerate().filter(|(_, entry)| is_log_sync(entry)).map(|(at, _)| at);
            let at = syncs.rev().nth(3).unwrap_or(0);
            told.insert(at, entry);
        } else {
            told.push(entry);
        }
    }
    told
}

/// From the first removal on, the folder that it was in is synced no more. It takes no new names either.
fn removals_unsynced(entries: Vec<Entry>) -> Vec<Entry> {
    let first =
        entries.iter().position(|entry| matches!(entry.event, Event::Unname(..)) && is_blob(&entry.place));
    let first = first.expect("a blob is removed");
    let folder = entries[first].place.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let told = entries.into_iter().enumerate();
    let told = told.filter(|(at, entry)| *at < first || !entry.is_sync() || entry.place != folder);
    told.map(|(_, entry)| entry).collect()
}
