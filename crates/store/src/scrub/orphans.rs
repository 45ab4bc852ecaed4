//! Finds blobs that no record names, by mark and sweep over every blob that lies there. (The sweeper and a start look
//! only at blobs that they know of.)
//!
//! Beside a running store a blob is published a moment before its commit names it, so what looks like an orphan
//! is looked at once more after a while.

use super::report::{ScrubReport, Unverified};
use super::scrubbed::Scrubbed;
use crate::blobs::BlobId;
use crate::catalog::CatalogError;
use std::time::Duration;

/// Longer than an upload stays between its name and its commit, and than the sweeper lets a refused one lie.
pub(crate) const COMMIT_WAIT: Duration = Duration::from_secs(10);

/// Finds them; `settling` is how long a commit that is under way may take.
pub(crate) async fn find(
    scrubbed: &Scrubbed,
    settling: Duration,
    report: &mut ScrubReport,
) -> Result<Vec<BlobId>, CatalogError> {
    let mut suspects = Vec::new();
    let mut last = None;
    loop {
        let page = match scrubbed.blobs.published(last).await {
            Ok(page) => page,
            Err(error) => {
                let what = "the list of the blobs".to_owned();
                report.unverified.push(Unverified { what, reason: error.to_string() });
                break;
            }
        };
        if page.is_empty() {
            break;
        }
        report.blobs += page.len() as u64;
        last = page.last().copied();
        suspects.extend(scrubbed.catalog.unnamed(page).await?);
    }
    if !suspects.is_empty() && !settling.is_zero() {
        scrubbed.clock.sleep(settling).await;
        suspects = scrubbed.catalog.unnamed(suspects).await?;
    }
    let mut orphans = Vec::with_capacity(suspects.len());
    for id in suspects {
        // Its upload may have discarded it, or the sweeper.
        if scrubbed.blobs.open(id, 0, 0).await.is_ok() {
            report.orphans.push(scrubbed.blobs.place_of(id));
            orphans.push(id);
        }
    }
    Ok(orphans)
}

/// Removes them. Only where no store has the folder open.
pub(crate) async fn remove(scrubbed: &Scrubbed, orphans: Vec<BlobId>, report: &mut ScrubReport) {
    for id in &orphans {
        match scrubbed.blobs.delete(*id).await {
            Ok(()) => report.orphans_removed += 1,
            Err(error) => {
                let what = scrubbed.blobs.place_of(*id);
                report.unverified.push(Unverified { what, reason: error.to_string() });
            }
        }
    }
    if let Err(error) = scrubbed.blobs.sync_deletions(orphans).await {
        let what = "whether removed orphans stay away".to_owned();
        report.unverified.push(Unverified { what, reason: error.to_string() });
    }
}
