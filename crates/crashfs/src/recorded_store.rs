//! A store on a recorded disk, and the clients that ask it and note what they are told.

use crate::disk::Image;
use crate::event::{Entry, Event};
use crate::loss::Loss;
use crate::recorded_device::RecordedDevice;
use crate::recorded_vfs::record;
use crate::scenario::{BUCKET_NAME, Verb};
use crate::survival::Chances;
use crate::trace::Trace;
use crate::world::{ClientRequest, Effect, Held, World};
use bytes::Bytes;
use countersign_store::{
    CloseOutboxEntry, CreateBucket, DeleteObject, DeliveryOutcome, Offered, OpenError, OutboxEntry,
    PutObject, SealedBlob, StageError, Store, StoreOptions,
};
use countersign_testkit::TestClock;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

/// The data folder on the recorded disk.
pub(crate) const DATA: &str = "data";

/// What was done to a disk, and what clients know of it.
#[derive(Debug)]
pub struct Recording {
    /// What the disk held at first.
    pub initial: Image,
    /// What was done.
    pub entries: Vec<Entry>,
    /// What clients knew at first.
    pub(crate) base: World,
    /// What clients asked for.
    pub(crate) operations: Vec<ClientRequest>,
}

/// A folder for the files of a recorded disk: in memory where there is such a place.
pub(crate) fn real_folder() -> TempDir {
    let in_memory = Path::new("/dev/shm");
    let made = if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
    made.expect("a temporary folder")
}

/// A store on a recorded disk, and its clients.
#[derive(Clone)]
pub(crate) struct RecordedStore {
    pub(crate) store: Store,
    pub(crate) trace: Arc<Trace>,
    pub(crate) clock: TestClock,
    unnamed_files: bool,
    /// Tells the contents of this stage from those of another.
    pub(crate) first_number: usize,
    operations: Arc<Mutex<Vec<ClientRequest>>>,
}

impl RecordedStore {
    /// Opens the store on what is in the trace's folder.
    pub(crate) async fn open(
        trace: Arc<Trace>,
        clock: TestClock,
        unnamed_files: bool,
    ) -> Result<RecordedStore, OpenError> {
        record(&trace);
        let mut options = StoreOptions::new(trace.folder().join(DATA), clock.clock());
        options.inline_bytes_max = 4096;
        options.read_connections = 1;
        options.sweep_every = Duration::from_secs(1_000_000);
        options.device = Arc::new(RecordedDevice::new(Arc::clone(&trace), unnamed_files));
        let store = Store::open(options).await?;
        Ok(RecordedStore { store, trace, clock, unnamed_files, first_number: 0, operations: Arc::default() })
    }

    /// Opens the store again, with the same clients.
    pub(crate) async fn opened_again(self, trace: Arc<Trace>) -> Result<RecordedStore, OpenError> {
        let opened = RecordedStore::open(trace, self.clock, self.unnamed_files).await?;
        Ok(RecordedStore { operations: self.operations, ..opened })
    }

    /// What clients have asked for before this stage was opened.
    pub(crate) fn resume(&self, operations: &[ClientRequest]) {
        self.operations().extend_from_slice(operations);
    }

    /// Ends the recording there; what the store does from now on fails.
    pub(crate) fn end(self, base: World) -> Recording {
        let entries = self.trace.end();
        let operations = std::mem::take(&mut *self.operations());
        Recording { initial: self.trace.initial().clone(), entries, base, operations }
    }

    pub(crate) fn operations(&self) -> std::sync::MutexGuard<'_, Vec<ClientRequest>> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self, effects: Vec<Effect>) -> usize {
        let mut operations = self.operations();
        let number = operations.len();
        operations.push(ClientRequest { effects });
        self.trace.note(Event::Begun(number));
        number
    }

    /// What a store shows after a start it must keep: clients act on it, and so does the sweeper.
    pub(crate) fn shown(&self, found: &World, number: usize) {
        if self.operations().get(number).is_some_and(|operation| found.shows_first(operation)) {
            self.trace.note(Event::Acknowledged(number));
        }
    }

    /// Asks for something, and notes when it is told that it is done.
    pub(crate) async fn perform(&self, verb: Verb) -> Result<(), Loss> {
        match verb {
            Verb::CreateBucket(name) => {
                let create = CreateBucket { name: name.to_owned(), settings: BTreeMap::new() };
                self.ask(verb, vec![create], vec![Effect::Bucket(name.to_owned())]).await
            }
            Verb::Put { key, len, owed } => {
                let (content, held) = self.sealed(key, len).await?;
                let payload = Bytes::from([b"owed for ", &held.attributes[..]].concat());
                let entry = owed.then(|| OutboxEntry { payload: payload.to_vec() });
                let attributes = held.attributes.clone();
                let mut effects = vec![Effect::Object(Bytes::from(key), held)];
                effects.extend(owed.then_some(Effect::Owed(payload)));
                self.ask(verb, vec![put(key, content, attributes, false, entry)], effects).await
            }
            Verb::Delete(key) => self.ask(verb, vec![delete(key, None)], vec![no_object(key)]).await,
            Verb::DeleteMany(keys) => {
                let deletions = keys.iter().map(|key| delete(key, None)).collect();
                self.ask(verb, deletions, keys.iter().map(|key| no_object(key)).collect()).await
            }
            Verb::Expire(key) => {
                let seen =
                    self.store.object(BUCKET_NAME, key).await.expect("the catalog").expect("the object");
                self.ask(verb, vec![delete(key, Some(seen.sequence))], vec![no_object(key)]).await
            }
            Verb::CloseOutboxEntry(key) => {
                let (id, payload) = self.owed_for(key).await;
                let close = CloseOutboxEntry { id, outcome: DeliveryOutcome::Delivered };
                self.ask(verb, vec![close], vec![Effect::NotOwed(payload)]).await
            }
        }
    }

    async fn ask<M: Offered>(&self, verb: Verb, batch: Vec<M>, effects: Vec<Effect>) -> Result<(), Loss> {
        let number = self.begin(effects);
        let applied = self.store.apply(batch).await.map_err(|error| Loss::TakesNoMore(error.to_string()))?;
        self.trace.note(Event::Acknowledged(number));
        match applied.into_iter().find_map(Result::err) {
            None => Ok(()),
            Some(refused) => Err(Loss::TakesNoMore(format!("{verb:?}: {refused}"))),
        }
    }

    /// Takes in an upload whose bytes no other has.
    pub(crate) async fn sealed(&self, key: &str, len: usize) -> Result<(SealedBlob, Held), Loss> {
        let failed = |error: StageError| Loss::TakesNoMore(error.to_string());
        let number = self.first_number + self.operations().len();
        let seed = key.bytes().fold(number as u64, |seed, byte| seed.wrapping_mul(257) ^ u64::from(byte));
        let bytes = Bytes::from(Chances::new(seed).bytes(len));
        let mut staged = self.store.stage(Some(len as u64)).await.map_err(failed)?;
        for chunk in bytes.chunks(50_000) {
            staged.write(bytes.slice_ref(chunk)).await.map_err(failed)?;
        }
        let content = staged.seal().await.map_err(failed)?;
        let attributes = Bytes::from(format!("{key}, number {number}"));
        let held = Held { bytes, md5: content.md5(), crc64: content.crc64(), attributes };
        Ok((content, held))
    }

    pub(crate) async fn owed_for(&self, key: &str) -> (u64, Bytes) {
        let owed = self.store.outbox(0, 1000).await.expect("the catalog");
        let entry = owed.into_iter().find(|entry| entry.key == key).expect("an outbox entry");
        (entry.id, entry.payload)
    }

    /// Moves the catalog's log, as another program does.
    pub(crate) fn checkpoint(&self, mode: &str) {
        let path = self.trace.folder().join(DATA).join("catalog.sqlite");
        let connection = rusqlite::Connection::open(path).expect("the catalog");
        let pragma = format!("PRAGMA wal_checkpoint({mode})");
        let busy = connection.query_row(&pragma, [], |row| row.get::<_, i64>(0));
        assert_eq!(busy.expect("a checkpoint"), 0, "the checkpoint was kept from its work");
    }
}

pub(crate) fn put(
    key: &str,
    content: SealedBlob,
    attributes: Bytes,
    forbid_overwrite: bool,
    outbox_entry: Option<OutboxEntry>,
) -> PutObject {
    PutObject {
        bucket: BUCKET_NAME.to_owned(),
        key: Bytes::copy_from_slice(key.as_bytes()),
        content,
        attributes,
        forbid_overwrite,
        outbox_entry,
    }
}

fn delete(key: &str, only_if_sequence: Option<u64>) -> DeleteObject {
    DeleteObject {
        bucket: BUCKET_NAME.to_owned(),
        key: Bytes::copy_from_slice(key.as_bytes()),
        only_if_sequence,
    }
}

fn no_object(key: &'static str) -> Effect {
    Effect::NoObject(Bytes::from(key))
}
