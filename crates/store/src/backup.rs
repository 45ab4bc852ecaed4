//! Backs up a data folder, beside a running store or of a stopped one.
//!
//! A backup folder holds the blobs of all its backups once, and for each backup a folder of its own with the
//! databases, the keys and a manifest:
//!
//! ```text
//! TARGET/countersign-backup          says what this folder is
//! TARGET/blobs/00000001/…            the blobs that any backup names, as they lie in the data folder
//! TARGET/backups/20261122T231211Z/   catalog.sqlite, ledger.sqlite, keys …, manifest
//! ```
//!
//! The order makes it consistent. While a backup holds the data folder, nobody deletes blobs there
//! ([`crate::data_folder::blob_hold`]). Then the other databases are copied, the catalog last: so every object that a
//! ledger tells of is in the catalog, unless it was deleted. Every blob that this catalog names was published
//! before it and cannot go before it is copied. A backup gets its name with one rename, after everything in it
//! is durable; what a killed one leaves is taken up by the next.

mod backup_error;
mod copying;
mod files;
mod frozen;
mod generation;
mod manifest;
mod names;
mod restore;
mod snapshot;

use crate::blobs::BlobId;
use crate::catalog::{
    CatalogError, DamageRecord, Extent, Inventoried, Piece, Records, SqliteCatalog, Upkeep,
};
use crate::data_folder::blob_hold::BlobHold;
use crate::data_folder::bound_folder::without_catalog;
use crate::data_folder::{BLOBS_FOLDER, CATALOG_FILE};
use crate::store::Store;
use crate::{Clock, Place};
use copying::Copier;
use generation::Target;
use manifest::{Entry, Manifest, Summed};
use std::path::{Path, PathBuf};

pub use backup_error::BackupError;
pub use restore::{RestoreOptions, Restored};

/// Objects to a page.
const PAGE_OBJECTS: usize = 512;

/// How to take a backup.
#[derive(Clone)]
pub struct BackupOptions {
    /// The data folder.
    pub data: PathBuf,
    /// The backup folder; made when it is not there. With older backups in it, only new blobs are copied.
    pub target: PathBuf,
    /// Tells the time, which gives the backup its name.
    pub clock: Clock,
    /// Copy bytes even where the file system could share them between data and backup.
    pub copy: bool,
    /// Keep this many backups, the newest, and delete older ones; `None` keeps all.
    pub keep: Option<usize>,
}

/// A backup that was taken.
#[derive(Debug, Clone, Default)]
pub struct BackupReport {
    /// Its name in the backup folder.
    pub name: String,
    /// Objects in it.
    pub objects: u64,
    /// Blobs that its objects name.
    pub blobs: u64,
    /// Of these, blobs that were there from an older backup.
    pub blobs_there: u64,
    /// Of these, blobs whose bytes are shared with the data folder, by a link or a clone.
    pub blobs_shared: u64,
    /// Bytes that were copied, databases and keys among them.
    pub bytes: u64,
    /// How long the catalog was being read, which keeps its log from beginning anew, in milliseconds.
    pub snapshot_ms: u64,
    /// Blobs that could not be taken along, or not as they were acknowledged: where each lies, and why.
    pub damaged: Vec<(String, String)>,
    /// Objects that were known to be damaged when the backup was taken; their bytes are in it as they lie.
    pub known_damage: Vec<DamageRecord>,
    /// Names of older backups that were deleted.
    pub deleted: Vec<String>,
}

impl BackupReport {
    /// Whether everything is in it as it was acknowledged.
    pub fn is_whole(&self) -> bool {
        self.damaged.is_empty() && self.known_damage.is_empty()
    }
}

impl Store {
    /// Takes a backup of a data folder, whether or not a store has it open. Blocks while it copies. `told` hears
    /// how far it is, now and then.
    ///
    /// # Errors
    /// [`BackupError`]. Nothing that looks like a backup is left; the next attempt goes on from there.
    pub async fn backup_folder(
        options: BackupOptions,
        mut told: impl FnMut(&BackupReport),
    ) -> Result<BackupReport, BackupError> {
        if !options.data.join(CATALOG_FILE).exists() {
            return Err(without_catalog(&options.data).into());
        }
        let target = Target::open(&options.target, &options.data)?;
        let hold = BlobHold::keep(&options.data)?;
        let name = target.name_for(options.clock.wall());
        let generation = target.begin(&name)?;
        let mut report = BackupReport { name: name.clone(), ..BackupReport::default() };
        let mut manifest = Manifest::begin(&generation, options.clock.wall())?;
        for (file, summed) in files::take_all(&options.clock, &options.data, &generation)? {
            report.bytes += summed.len;
            manifest.add(&Entry::File { name: file, summed })?;
        }
        let began = options.clock.monotonic();
        let snapshot = generation.join(CATALOG_FILE);
        snapshot::take(&options.clock, &options.data.join(CATALOG_FILE), &snapshot)?;
        report.snapshot_ms = u64::try_from(options.clock.since(began).as_millis()).unwrap_or(u64::MAX);
        let summed = files::sync_and_sum(&snapshot)?;
        report.bytes += summed.len;
        manifest.add(&Entry::File { name: CATALOG_FILE.to_owned(), summed })?;

        let mut copier = Copier::new(&options.data.join(BLOBS_FOLDER), target.blobs(), options.copy);
        copy_blobs(&options.clock, &snapshot, &mut copier, &mut manifest, &mut report, &mut told).await?;
        drop(hold);
        copier.sync_folders()?;
        manifest.end()?;
        target.complete(&name)?;
        if let Some(keep) = options.keep {
            report.deleted = target.keep_newest(keep.max(1))?;
        }
        Ok(report)
    }
}

async fn copy_blobs(
    clock: &Clock,
    snapshot: &Path,
    copier: &mut Copier,
    manifest: &mut Manifest,
    report: &mut BackupReport,
    told: &mut impl FnMut(&BackupReport),
) -> Result<(), BackupError> {
    let catalog = SqliteCatalog::open_beside(snapshot, clock, 1)?;
    report.known_damage = catalog.scrub_state().await?.damaged;
    let mut after = 0;
    loop {
        let page = catalog.inventory(after, PAGE_OBJECTS).await?;
        let Some(last) = page.last() else { break };
        after = last.object.sequence;
        for named in &page {
            report.objects += 1;
            for (id, summed) in blobs_of(&catalog, named).await? {
                copy_blob(id, summed, copier, manifest, report)?;
            }
        }
        told(report);
    }
    catalog.shutdown().await;
    Ok(())
}

fn copy_blob(
    id: BlobId,
    summed: Option<Summed>,
    copier: &mut Copier,
    manifest: &mut Manifest,
    report: &mut BackupReport,
) -> Result<(), BackupError> {
    report.blobs += 1;
    match copier.take(id, summed.as_ref())? {
        copying::Taken::There => report.blobs_there += 1,
        copying::Taken::Shared => report.blobs_shared += 1,
        copying::Taken::Copied(bytes) => report.bytes += bytes,
        copying::Taken::Damaged { bytes, what } => {
            report.bytes += bytes;
            report.damaged.push((copier.source_of(id).display().to_string(), what));
        }
        copying::Taken::Not(why) => {
            report.damaged.push((copier.source_of(id).display().to_string(), why));
            return Ok(());
        }
    }
    manifest.add(&Entry::Blob { id, summed })
}

/// The blobs that hold an object's bytes; of one that holds all of them the digests are known.
async fn blobs_of(
    catalog: &SqliteCatalog,
    named: &Inventoried,
) -> Result<Vec<(BlobId, Option<Summed>)>, CatalogError> {
    let object = &named.object;
    match &object.content.place {
        Place::Empty | Place::Inline { .. } => Ok(Vec::new()),
        Place::Blob(id) => {
            Ok(vec![(*id, Some(Summed { len: object.len, crc64: object.crc64, md5: object.md5 }))])
        }
        Place::Extents => {
            let extents = catalog.extents(object.content.id).await?;
            let blobs = extents.iter().filter_map(|Extent { piece, .. }| match piece {
                Piece::Blob(id) => Some((*id, None)),
                Piece::Inline(_) => None,
            });
            Ok(blobs.collect())
        }
    }
}
