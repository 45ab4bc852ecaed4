//! Deletes blobs, and is the only code that does: the catalog's garbage after its grace, and blobs whose commit
//! failed.

use crate::Clock;
use crate::blobs::{BlobError, BlobId};
use crate::catalog::{CatalogError, Garbage, Piece};
use crate::damage;
use crate::data_folder::blob_hold::BlobHold;
use crate::engine::Inner;
use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How many pieces are deleted per transaction.
const ROUND_PIECES: usize = 256;

/// Sweeps now and then for as long as the store lives.
pub(crate) async fn run(store: Weak<Inner>, clock: Clock, every: Duration) {
    loop {
        clock.sleep(every).await;
        let Some(inner) = store.upgrade() else { return };
        if let Err(error) = sweep(&inner).await {
            tracing::warn!(%error, "sweeping failed; it is tried again");
        }
    }
}

/// Deletes everything that may be deleted now, and says how many pieces that were.
pub(crate) async fn sweep(inner: &Arc<Inner>) -> Result<usize, CatalogError> {
    if inner.health.refusal().is_some() {
        return Ok(0);
    }
    let round = inner.hold.get().map(BlobHold::begin_deleting);
    if let Some(None) = round {
        tracing::debug!("nothing is deleted while a backup is taken");
        damage::keep(&inner.damaged, &*inner.catalog, &inner.clock).await?;
        return Ok(0);
    }
    let mut swept = sweep_garbage(inner).await?;
    swept += drop_failed(inner).await?;
    keep_mark(inner).await?;
    if let Some(reserve) = inner.reserve.get() {
        reserve.fill();
    }
    damage::keep(&inner.damaged, &*inner.catalog, &inner.clock).await?;
    Ok(swept)
}

/// Deletes what the catalog lists, from the first to the last of it: what is still read, or cannot be deleted, keeps
/// nothing behind it waiting.
async fn sweep_garbage(inner: &Inner) -> Result<usize, CatalogError> {
    let (now, mut swept, mut after) = (inner.clock.wall(), 0, None);
    loop {
        let due = inner.catalog.garbage(now, after, ROUND_PIECES).await?;
        let last = due.last().cloned();
        let full = due.len() == ROUND_PIECES;
        let gone = delete_pieces(inner, due).await;
        let deleted = gone.len();
        if deleted > 0 && inner.catalog.forget_garbage(gone).await.is_err() {
            break;
        }
        swept += deleted;
        if !full || inner.health.refusal().is_some() {
            break;
        }
        after = last;
    }
    Ok(swept)
}

/// Deletes what nobody reads, and answers what is gone. Inline rows go when they are forgotten.
async fn delete_pieces(inner: &Inner, mut due: Vec<Garbage>) -> Vec<Garbage> {
    due.retain(|garbage| !inner.pins.holds(garbage.piece));
    let blobs = due.iter().filter_map(|garbage| match garbage.piece {
        Piece::Blob(id) => Some(id),
        Piece::Inline(_) => None,
    });
    let gone = delete(inner, blobs.collect()).await;
    due.retain(|garbage| match garbage.piece {
        Piece::Blob(id) => gone.contains(&id),
        Piece::Inline(_) => true,
    });
    due
}

/// Deletes blobs, and answers those that no crash brings back: only these may be forgotten.
async fn delete(inner: &Inner, blobs: Vec<BlobId>) -> BTreeSet<BlobId> {
    let mut gone = BTreeSet::new();
    for id in blobs {
        match inner.blobs.delete(id).await {
            Ok(()) => drop(gone.insert(id)),
            Err(error) => {
                tracing::warn!(?id, %error, "a blob could not be deleted; it is tried again");
                if let Some(trouble) = error.trouble() {
                    inner.note_trouble(trouble, error.to_string());
                }
            }
        }
    }
    match inner.blobs.sync_deletions(gone.iter().copied().collect()).await {
        Ok(()) => return gone,
        Err(BlobError::SyncFailed(error)) => {
            inner.health.refuse_writes(format!("the deletion of blobs could not be synced: {error}"));
        }
        Err(error) => tracing::warn!(%error, "deletions are not durable yet; they are tried again"),
    }
    BTreeSet::new()
}

/// Blobs whose commit was rolled back: the catalog is asked once more before they go.
async fn drop_failed(inner: &Arc<Inner>) -> Result<usize, CatalogError> {
    let failed: Vec<BlobId> = inner.take_failed();
    if failed.is_empty() {
        return Ok(0);
    }
    let unnamed = match inner.catalog.unnamed(failed.clone()).await {
        Ok(unnamed) => unnamed,
        Err(error) => {
            inner.put_failed(failed);
            return Err(error);
        }
    };
    let gone = delete(inner, unnamed.clone()).await;
    let (again, settled): (Vec<BlobId>, Vec<BlobId>) =
        failed.into_iter().partition(|id| unnamed.contains(id) && !gone.contains(id));
    inner.put_failed(again);
    settled.into_iter().for_each(|id| inner.blobs.settled(id));
    Ok(gone.len())
}

/// Tells the catalog up to where every blob is settled, so that a start after a crash looks at few.
async fn keep_mark(inner: &Arc<Inner>) -> Result<(), CatalogError> {
    let mark = inner.blobs.settled_mark();
    if mark > inner.catalog.blob_mark().await? && inner.catalog.put_blob_mark(mark).await.is_err() {
        tracing::debug!("the mark of the blobs was not kept");
    }
    Ok(())
}
