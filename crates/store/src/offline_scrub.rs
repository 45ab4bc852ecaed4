//! Scrubs a data folder from another process. Beside a store that has it open nothing is written; where none has,
//! what was found is kept in the catalog, so that the next start does not serve it. A catalog of an older schema is only
//! read: bringing it to this program's is for a start of the store.

use crate::blobs::device::LocalDisk;
use crate::blobs::{Blobs, LocalFiles, LocalFilesOptions};
use crate::catalog::{
    Catalog, DamageRecord, ScrubNote, SharedCatalog, SharedCatalogOptions, SqliteCatalog, SqliteOptions,
};
use crate::data_folder::bound_folder::{bind, refuse_bound, without_catalog};
use crate::data_folder::folder_lock::FolderLock;
use crate::data_folder::{BLOBS_FOLDER, CATALOG_FILE};
use crate::pins::Pins;
use crate::scrub::{Pace, ScrubReport, Scrubbed, Walk, orphans};
use crate::store::Store;
use crate::{Clock, HealthFlag, OpenError, Random};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How to scrub a data folder.
#[derive(Clone)]
pub struct ScrubOptions {
    /// The data folder.
    pub data: PathBuf,
    /// Opens the catalog where it is not in the data folder, but in a database.
    pub shared_catalog: Option<Arc<dyn SharedCatalog>>,
    /// Tells the time and waits.
    pub clock: Clock,
    /// Read no faster than this; `None` as fast as it goes.
    pub bytes_per_second: Option<u64>,
    /// Remove blobs that nothing names; refused while a store has the folder open.
    pub remove_orphans: bool,
}

/// The folder, opened.
struct Opened {
    scrubbed: Scrubbed,
    /// Held where no store has the folder open.
    lock: Option<FolderLock>,
    beside: Option<u32>,
    /// The catalog has an older schema, and is only read.
    older: bool,
}

impl Store {
    /// Scrubs a data folder, whether or not a store has it open. `told` hears how far it is, now and then.
    ///
    /// # Errors
    /// [`OpenError`] when there is no store in the folder, or orphans are to be removed under a running one.
    pub async fn scrub_folder(
        options: ScrubOptions,
        mut told: impl FnMut(&ScrubReport),
    ) -> Result<ScrubReport, OpenError> {
        let opened = open(&options).await?;
        let scrubbed = &opened.scrubbed;
        let mut pace = Pace::new(&options.clock, options.bytes_per_second);
        let mut walk = Walk::begin(scrubbed, 0).await?;
        loop {
            match walk.page(scrubbed, &mut pace).await {
                Ok(true) => told(&walk.report),
                Ok(false) => break,
                Err(error) => {
                    let reason = format!("the objects after {} could not be listed: {error}", walk.position);
                    walk.report.catalog.push(reason);
                    break;
                }
            }
        }
        let mut report = walk.report;
        report.beside = opened.beside;
        let settling = if opened.lock.is_some() { Duration::ZERO } else { orphans::COMMIT_WAIT };
        let found = orphans::find(scrubbed, settling, &mut report).await?;
        report.catalog.append(&mut scrubbed.catalog.check().await?);
        if opened.lock.is_some() {
            if options.remove_orphans {
                orphans::remove(scrubbed, found, &mut report).await;
            }
            if opened.older {
                tell_that_nothing_is_kept(&mut report);
            } else {
                keep(scrubbed, &mut report).await;
            }
        }
        scrubbed.catalog.shutdown().await;
        Ok(report)
    }

    /// What is known to be damaged in this data folder, without looking for more. Blocks.
    ///
    /// # Errors
    /// [`OpenError::Catalog`] when there is no catalog, or it cannot be read.
    pub fn damaged_in(data: &std::path::Path) -> Result<Vec<DamageRecord>, OpenError> {
        refuse_bound(data)?;
        Ok(SqliteCatalog::scrub_state_in(&data.join(CATALOG_FILE))?.damaged)
    }
}

async fn open(options: &ScrubOptions) -> Result<Opened, OpenError> {
    let data = &options.data;
    if options.shared_catalog.is_none() && !data.join(CATALOG_FILE).exists() {
        return Err(without_catalog(data));
    }
    let mut older = false;
    let locked = FolderLock::take_after(data, || {
        older = options.shared_catalog.is_none() && SqliteCatalog::is_older(&data.join(CATALOG_FILE))?;
        Ok(())
    });
    let (lock, beside) = match locked {
        Ok(lock) => (Some(lock), None),
        Err(OpenError::InUse { pid, .. }) if !options.remove_orphans => (None, Some(pid.unwrap_or_default())),
        Err(error) => return Err(error),
    };
    let catalog = match &options.shared_catalog {
        Some(shared) => open_shared(options, shared, lock.is_some()).await?,
        None => open_embedded(options, lock.is_some() && !older)?,
    };
    let blobs: Arc<dyn Blobs> =
        Arc::new(LocalFiles::open_beside(&LocalFilesOptions::new(data.join(BLOBS_FOLDER))));
    let (pins, clock) = (Pins::default(), options.clock.clone());
    let ending = Arc::default();
    Ok(Opened { scrubbed: Scrubbed { catalog, blobs, pins, clock, ending }, lock, beside, older })
}

fn tell_that_nothing_is_kept(report: &mut ScrubReport) {
    if !report.damaged.is_empty() || !report.healed.is_empty() {
        report.catalog.push(
            "what was found is not kept, because the catalog has an older schema, which the store changes when it starts"
                .to_owned(),
        );
    }
}

fn open_embedded(options: &ScrubOptions, writes: bool) -> Result<Arc<dyn Catalog>, OpenError> {
    let path = options.data.join(CATALOG_FILE);
    if !writes {
        return Ok(Arc::new(SqliteCatalog::open_beside(&path, &options.clock, 1)?));
    }
    Ok(Arc::new(SqliteCatalog::open(SqliteOptions {
        path,
        clock: options.clock.clone(),
        health: HealthFlag::default(),
        durable: true,
        read_connections: 1,
        garbage_grace: Duration::ZERO,
        device: Arc::new(LocalDisk),
    })?))
}

async fn open_shared(
    options: &ScrubOptions,
    shared: &Arc<dyn SharedCatalog>,
    alone: bool,
) -> Result<Arc<dyn Catalog>, OpenError> {
    let opening = if alone {
        shared.open(SharedCatalogOptions {
            folder: bind(&options.data, &Random::system())?,
            clock: options.clock.clone(),
            random: Random::system(),
            health: HealthFlag::default(),
            read_connections: 1,
            garbage_grace: Duration::ZERO,
        })
    } else {
        shared.open_beside(&options.clock)
    };
    opening.await.map_err(OpenError::SharedCatalog)
}

async fn keep(scrubbed: &Scrubbed, report: &mut ScrubReport) {
    let damaged: Vec<DamageRecord> = report.damaged.iter().map(|damaged| damaged.record.clone()).collect();
    if damaged.is_empty() && report.healed.is_empty() {
        return;
    }
    let note = ScrubNote { damaged, whole: report.healed.clone(), progress: None };
    if let Err(error) = scrubbed.catalog.note_scrub(note).await {
        report.catalog.push(format!("what was found could not be kept: {error}"));
    }
}
