//! Opens a store on what a power loss left, and checks that it kept every promise.

use crate::disk::Image;
use crate::event::{Entry, Event};
use crate::loss::Loss;
use crate::recorded_store::{DATA, RecordedStore, Recording, real_folder};
use crate::scenario::{BUCKET_NAME, LARGE, SMALL, Verb};
use crate::trace::Trace;
use crate::world::{Held, World};
use bytes::Bytes;
use countersign_store::{Entry as Listed, ListQuery, ObjectRecord, Place, Store};
use countersign_testkit::TestClock;
use futures_util::TryStreamExt;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What clients were told up to a point of a trace.
#[derive(Clone)]
pub(crate) struct Expectation {
    recording: Arc<Recording>,
    acknowledged: BTreeSet<usize>,
    begun: BTreeSet<usize>,
}

impl Expectation {
    /// At the beginning.
    pub(crate) fn new(recording: Arc<Recording>) -> Expectation {
        Expectation { recording, acknowledged: BTreeSet::new(), begun: BTreeSet::new() }
    }

    pub(crate) fn take(&mut self, entry: &Entry) {
        match entry.event {
            Event::Begun(number) => drop(self.begun.insert(number)),
            Event::Acknowledged(number) => drop(self.acknowledged.insert(number)),
            _ => {}
        }
    }

    /// The operations whose clients were told nothing.
    fn open(&self) -> impl Iterator<Item = usize> {
        self.begun.difference(&self.acknowledged).copied()
    }

    /// How many operations were acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }

    /// What may be there, as far as `found` decides it: operations whose clients were told nothing may have taken
    /// place or not.
    fn world(&self, found: &World) -> World {
        let mut world = self.recording.base.clone();
        for (number, operation) in self.recording.operations.iter().enumerate() {
            let took_place = self.acknowledged.contains(&number)
                || (self.begun.contains(&number) && found.shows_first(operation));
            if took_place {
                world.apply(operation);
            }
        }
        world
    }
}

/// Judges what a power loss left. The answer is the recording of the recovery itself and of what came after it,
/// for a second power loss.
pub(crate) async fn judge(image: Image, expected: &Expectation) -> Result<Recording, Loss> {
    let folder = real_folder();
    let trace = Trace::begin(folder.path(), image, Duration::ZERO).expect("a real folder is laid out");
    let (stage, found) = started(trace, expected).await?;
    go_on(&stage, &found, "a").await?;
    Ok(stage.end(found))
}

/// What the start after a kill is followed by, until the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restart {
    /// New uploads.
    Works,
    /// A stop in good order. Nothing is written.
    Stops,
    /// A checkpoint. Nothing is written.
    Checkpoints,
    /// The sweeper, which deletes what the catalog has let go of. Nothing else is written.
    Sweeps,
}

/// Judges a start after a kill, which loses nothing, but makes nothing durable either. The answer is all that was
/// done before and after, for a power loss.
pub(crate) async fn judge_killed(
    expected: &Expectation,
    entries: &[Entry],
    restart: Restart,
) -> Result<Recording, Loss> {
    let (folder, recording) = (real_folder(), &expected.recording);
    let trace = Trace::resumed(folder.path(), recording.initial.clone(), Duration::ZERO, entries.to_vec());
    let (stage, found) = started(trace.expect("a real folder is laid out"), expected).await?;
    stage.resume(&recording.operations);
    expected.open().for_each(|number| stage.shown(&found, number));
    match restart {
        // Not a key of before: an operation whose outcome is open is recognised by what its keys hold.
        Restart::Works => go_on(&stage, &found, "after, large").await?,
        Restart::Stops => stage.store.shutdown().await,
        Restart::Checkpoints => stage.checkpoint("TRUNCATE"),
        Restart::Sweeps => {
            stage.clock.advance(3600);
            stage.store.sweep().await.map_err(|error| Loss::QueryFails(error.to_string()))?;
        }
    }
    Ok(stage.end(recording.base.clone()))
}

/// Opens the store by its own recovery, an hour later, and looks at everything.
async fn started(trace: Arc<Trace>, expected: &Expectation) -> Result<(RecordedStore, World), Loss> {
    let clock = TestClock::new();
    clock.advance(3600);
    let opened = RecordedStore::open(trace, clock, true).await;
    let mut stage = opened.map_err(|error| Loss::DoesNotOpen(error.to_string()))?;
    stage.first_number = 1_000_000;
    let found = observe(&stage.store).await?;
    compare(&found, &expected.world(&found))?;
    check_catalog(stage.trace.folder())?;
    if expected.recording.initial.schema() == Some(1) {
        check_copy(stage.trace.folder())?;
    }
    Ok((stage, found))
}

/// The store takes new uploads, large and small, and overwrites; then the sweeper leaves nothing behind.
async fn go_on(stage: &RecordedStore, found: &World, overwritten: &'static str) -> Result<(), Loss> {
    if !found.buckets.contains(BUCKET_NAME) {
        stage.perform(Verb::CreateBucket(BUCKET_NAME)).await?;
    }
    let used = sequences(&stage.store).await?.last().copied().unwrap_or(0);
    stage.perform(Verb::Put { key: "after, large", len: LARGE, owed: true }).await?;
    match sequences(&stage.store).await?.last() {
        Some(next) if *next <= used => return Err(Loss::SequenceUsedTwice(*next)),
        _ => {}
    }
    stage.perform(Verb::Put { key: overwritten, len: SMALL, owed: false }).await?;
    let after = observe(&stage.store).await?;
    check_blobs(stage, &after).await
}

/// The sequences of all objects, rising.
async fn sequences(store: &Store) -> Result<BTreeSet<u64>, Loss> {
    Ok(listed(store).await?.iter().map(|record| record.sequence).collect())
}

/// Everything that the store shows, each object read whole.
pub(crate) async fn observe(store: &Store) -> Result<World, Loss> {
    Ok(observe_records(store).await?.0)
}

/// As [`observe`], with the records of all objects.
async fn observe_records(store: &Store) -> Result<(World, Vec<ObjectRecord>), Loss> {
    let failed = |error: &dyn std::fmt::Display| Loss::QueryFails(error.to_string());
    let mut world = World::default();
    let buckets = store.buckets("", "", 1000).await.map_err(|error| failed(&error))?;
    world.buckets = buckets.iter().map(|bucket| bucket.name.clone()).collect();
    let owed = store.outbox(0, 1000).await.map_err(|error| failed(&error))?;
    world.owed = owed.into_iter().map(|entry| entry.payload).collect();
    let records = if world.buckets.contains(BUCKET_NAME) { listed(store).await? } else { Vec::new() };
    for record in &records {
        let held = read(store, record).await.map_err(|reason| Loss::ObjectUnreadable {
            key: String::from_utf8_lossy(&record.key).into_owned(),
            reason,
        })?;
        world.objects.insert(record.key.clone(), held);
    }
    Ok((world, records))
}

/// The listing, in pages of three, each entry compared with what its key holds.
async fn listed(store: &Store) -> Result<Vec<ObjectRecord>, Loss> {
    let (mut records, mut after) = (Vec::new(), Vec::new());
    loop {
        let query = ListQuery { after: after.clone(), limit: 3, ..ListQuery::default() };
        let page =
            store.list(BUCKET_NAME, query).await.map_err(|error| Loss::QueryFails(error.to_string()))?;
        for entry in page.entries {
            let Listed::Object(mut listed) = entry else { continue };
            let held = store.object(BUCKET_NAME, &listed.key).await;
            let held = held.map_err(|error| Loss::QueryFails(error.to_string()))?;
            let Some(mut record) = held else {
                return Err(Loss::Listing(format!("{:?} is listed and not found", listed.key)));
            };
            let whole = record.clone();
            forget_bytes(&mut record);
            forget_bytes(&mut listed);
            if record != listed {
                return Err(Loss::Listing(format!("{listed:?} is listed, {record:?} found")));
            }
            records.push(whole);
        }
        match page.next {
            Some(next) => after = next.to_vec(),
            None => return Ok(records),
        }
    }
}

/// A query may bring inline bytes along or not.
fn forget_bytes(record: &mut ObjectRecord) {
    if let Place::Inline { bytes, .. } = &mut record.content.place {
        *bytes = None;
    }
}

async fn read(store: &Store, record: &ObjectRecord) -> Result<Held, String> {
    let reader = store.read(record, 0..record.len).await.map_err(|error| error.to_string())?;
    let chunks: Vec<Bytes> = reader.try_collect().await.map_err(|error| error.to_string())?;
    Ok(Held {
        bytes: Bytes::from(chunks.concat()),
        md5: record.md5,
        crc64: record.crc64,
        attributes: record.attributes.clone(),
    })
}

fn compare(found: &World, expected: &World) -> Result<(), Loss> {
    let name = |key: &Bytes| String::from_utf8_lossy(key).into_owned();
    if found.buckets != expected.buckets {
        let (found, expected) = (format!("{:?}", found.buckets), format!("{:?}", expected.buckets));
        return Err(Loss::Buckets { found, expected });
    }
    for (key, held) in &expected.objects {
        match found.objects.get(key) {
            None => return Err(Loss::ObjectGone(name(key))),
            Some(other) if other != held => {
                let (found, expected) = (format!("{other:?}"), format!("{held:?}"));
                return Err(Loss::ObjectChanged { key: name(key), found, expected });
            }
            Some(_) => {}
        }
    }
    if let Some(key) = found.objects.keys().find(|key| !expected.objects.contains_key(*key)) {
        return Err(Loss::ObjectBack(name(key)));
    }
    if found.owed != expected.owed {
        let (found, expected) = (format!("{:?}", found.owed), format!("{:?}", expected.owed));
        return Err(Loss::Owed { found, expected });
    }
    Ok(())
}

/// SQLite's own look at every page of the database.
fn check_catalog(folder: &Path) -> Result<(), Loss> {
    let damaged = |error: rusqlite::Error| Loss::CatalogDamaged(error.to_string());
    let connection = rusqlite::Connection::open(folder.join(DATA).join("catalog.sqlite")).map_err(damaged)?;
    let answer: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(damaged)?;
    if answer == "ok" { Ok(()) } else { Err(Loss::CatalogDamaged(answer)) }
}

/// Once a catalog has its new schema, the copy of the old one is there, whole.
fn check_copy(folder: &Path) -> Result<(), Loss> {
    let lost = |error: rusqlite::Error| Loss::CopyLost(error.to_string());
    let path = folder.join(DATA).join("catalog.sqlite.before-schema-2");
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = rusqlite::Connection::open_with_flags(path, flags).map_err(lost)?;
    let answer = connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    let schema = connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    let objects = connection.query_row("SELECT count(*) FROM version", [], |row| row.get::<_, i64>(0));
    match (answer.map_err(lost)?.as_str(), schema.map_err(lost)?, objects.map_err(lost)?) {
        ("ok", 1, 9) => Ok(()),
        other => Err(Loss::CopyLost(format!("{other:?}"))),
    }
}

/// With the grace over and the sweeper through, the files of blobs are those that objects name.
async fn check_blobs(stage: &RecordedStore, after: &World) -> Result<(), Loss> {
    stage.clock.advance(3600);
    for _ in 0..2 {
        stage.store.sweep().await.map_err(|error| Loss::QueryFails(error.to_string()))?;
    }
    let (found, records) = observe_records(&stage.store).await?;
    compare(&found, after)?;
    let named = records.iter().filter_map(|record| match record.content.place {
        Place::Blob(id) => Some(format!("{id:?}")),
        _ => None,
    });
    let named: BTreeSet<String> = named.collect();
    match blob_files(stage.trace.folder()).into_iter().find(|file| !named.contains(file)) {
        None => Ok(()),
        Some(file) => Err(Loss::BlobLeft(file)),
    }
}

/// The files of blobs, named as their ids print: the folder's number, then the file's.
pub(crate) fn blob_files(folder: &Path) -> BTreeSet<String> {
    let blobs = folder.join(DATA).join("blobs");
    let names = |path: &Path| {
        let entries = std::fs::read_dir(path).expect("a folder of blobs");
        entries.map(|entry| entry.expect("a folder of blobs").file_name().to_string_lossy().into_owned())
    };
    let folders: Vec<String> = names(&blobs).collect();
    let files = folders.iter().flat_map(|folder| {
        names(&blobs.join(folder)).map(move |file| format!("{folder}{file}")).collect::<Vec<_>>()
    });
    files.collect()
}
