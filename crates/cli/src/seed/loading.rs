//! Puts a seed into a store. What exists already stays as it is: a bucket keeps its settings, a key its object.

use std::path::Path;

use bytes::Bytes;
use countersign_store::{BucketExists, CommitError, CreateBucket, PutObject, PutRefusal, SealedBlob, Store};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use super::manifest::FileDigest;
use super::reading::{Seed, SeedBucket, SeedObject};
use super::seed_error::SeedError;

/// How many objects go into the store in one transaction.
const BATCH_OBJECTS: usize = 256;
/// How many bytes of small objects may wait for one.
const BATCH_BYTES: u64 = 8 * 1024 * 1024;
/// Bytes of a file that are read at a time.
const CHUNK_BYTES: usize = 128 * 1024;

/// What a seed has put into a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SeedCounts {
    /// Buckets in the seed.
    pub(crate) buckets: u64,
    /// Of these, those that were there already: their settings stay as they were.
    pub(crate) buckets_kept: Vec<String>,
    /// Objects that were stored.
    pub(crate) objects: u64,
    /// Objects whose key held one already, which stays.
    pub(crate) objects_kept: u64,
}

impl SeedCounts {
    /// What happened, in one line.
    pub(crate) fn in_words(&self) -> String {
        let count =
            |number: u64, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
        let mut words = format!("{} in {}", count(self.objects, "object"), count(self.buckets, "bucket"));
        if self.objects_kept > 0 {
            words.push_str(&format!("; {} there already", count(self.objects_kept, "object")));
        }
        if !self.buckets_kept.is_empty() {
            words.push_str(&format!("; {} keeps its settings", self.buckets_kept.join(", ")));
        }
        words
    }
}

/// Reads and checks the folder, and puts what is not there yet into the store.
///
/// To be called before buckets are made by other means, so that what the seed says of them holds.
///
/// # Errors
/// [`SeedError`]; when the folder is refused, the store is as it was.
pub(crate) async fn load(store: &Store, folder: &Path) -> Result<SeedCounts, SeedError> {
    let path = folder.to_path_buf();
    let failed = |lost: tokio::task::JoinError| SeedError::file("read", folder)(std::io::Error::other(lost));
    let seed = tokio::task::spawn_blocking(move || Seed::read(&path)).await.map_err(failed)??;
    let mut seeded = SeedCounts::default();
    for bucket in &seed.buckets {
        seeded.buckets += 1;
        let making = CreateBucket { name: bucket.name.clone(), settings: bucket.settings.clone() };
        match store.commit(making).await {
            Ok(_) => {}
            Err(CommitError::Refused(BucketExists)) => seeded.buckets_kept.push(bucket.name.clone()),
            Err(CommitError::Failed(error)) => return Err(error.into()),
        }
        put_objects(store, &seed, bucket, &mut seeded).await?;
    }
    Ok(seeded)
}

async fn put_objects(
    store: &Store,
    seed: &Seed,
    bucket: &SeedBucket,
    seeded: &mut SeedCounts,
) -> Result<(), SeedError> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    for object in &bucket.objects {
        if store.object(&bucket.name, &object.key).await?.is_some() {
            seeded.objects_kept += 1;
            continue;
        }
        let content = sealed(store, seed, bucket, object).await?;
        bytes += content.len();
        batch.push(put(bucket, object, content)?);
        if batch.len() >= BATCH_OBJECTS || bytes >= BATCH_BYTES {
            commit(store, std::mem::take(&mut batch), seeded).await?;
            bytes = 0;
        }
    }
    commit(store, batch, seeded).await
}

async fn commit(store: &Store, batch: Vec<PutObject>, seeded: &mut SeedCounts) -> Result<(), SeedError> {
    if batch.is_empty() {
        return Ok(());
    }
    for outcome in store.apply(batch).await? {
        match outcome {
            Ok(_) => seeded.objects += 1,
            Err(PutRefusal::ObjectExists) => seeded.objects_kept += 1,
            Err(refused @ PutRefusal::NoSuchBucket) => return Err(SeedError::Put(refused)),
        }
    }
    Ok(())
}

fn put(bucket: &SeedBucket, object: &SeedObject, content: SealedBlob) -> Result<PutObject, SeedError> {
    let attributes =
        bucket.sidecar.attributes(&object.key).map_err(|problem| bucket.refusal(&object.key, &problem))?;
    Ok(PutObject {
        bucket: bucket.name.clone(),
        key: Bytes::copy_from_slice(object.key.as_bytes()),
        content,
        attributes: attributes.encode(),
        forbid_overwrite: true,
        outbox_entry: None,
    })
}

async fn sealed(
    store: &Store,
    seed: &Seed,
    bucket: &SeedBucket,
    object: &SeedObject,
) -> Result<SealedBlob, SeedError> {
    let shown = seed.folder.path().join(&object.path);
    let failed = SeedError::file("read", &shown);
    let opened = seed.folder.read(&object.path)?;
    let len = opened.metadata().map_err(&failed)?.len();
    let with_md5 =
        bucket.sidecar.with_md5(&object.key).map_err(|problem| bucket.refusal(&object.key, &problem))?;
    let mut staged = store.stage(Some(len)).await?;
    if !with_md5 {
        staged = staged.without_md5();
    }
    let mut file = File::from_std(opened);
    loop {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        if file.read_buf(&mut chunk).await.map_err(&failed)? == 0 {
            break;
        }
        staged.write(Bytes::from(chunk)).await?;
    }
    let sealed = staged.seal().await?;
    let found = FileDigest { len: sealed.len(), crc64: sealed.crc64() };
    // It was compared before anything was stored; what is stored is what was compared.
    if sealed.len() != len || object.summed.is_some_and(|summed| summed.difference(found).is_some()) {
        return Err(SeedError::Changed { path: object.path.clone() });
    }
    Ok(sealed)
}
