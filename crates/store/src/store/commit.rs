//! Commits sealed uploads: gives blobs their lasting names, then hands the batch to the catalog.

use crate::blobs::{BlobError, BlobId, Work};
use crate::catalog::{BatchOutcome, PlacedBytes, PlacedContent};
use crate::staged_blob::SealedBody;
use crate::store::Inner;
use crate::store::reserve::Reserve;
use crate::{ApplyError, Mutation, SealedBlob, Trouble};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How often a deletion is tried that finds no room.
const ATTEMPTS_WITHOUT_ROOM: usize = 20;
/// How long it waits for room in between.
const WAIT_FOR_ROOM: Duration = Duration::from_millis(50);

/// Applies a batch; what has begun goes on when its caller no longer waits.
pub(crate) async fn apply(inner: &Arc<Inner>, batch: Vec<Mutation>) -> BatchOutcome {
    if let Some(reason) = inner.health.refusal() {
        return Err(ApplyError::Unhealthy { reason: reason.to_owned() });
    }
    if batch.iter().any(holds_blob) {
        let inner = Arc::clone(inner);
        // A task of its own: dropped half-way, it would leave a published blob that nobody accounts for.
        let offered = tokio::spawn(async move { apply_with_blobs(&inner, batch).await });
        return offered.await.unwrap_or(Err(ApplyError::Closed));
    }
    let again: Option<Vec<_>> = batch.iter().map(deletion).collect();
    let placed =
        batch.into_iter().map(|mutation| mutation.map(|content| Publishing::start(content).placed)).collect();
    match (inner.catalog.apply(placed).await, again) {
        (Err(ApplyError::Full), Some(deletions)) => delete_without_room(inner, &deletions).await,
        (outcome, _) => outcome,
    }
}

/// The same deletion once more; nothing else frees room.
fn deletion<C>(mutation: &Mutation<C>) -> Option<Mutation<PlacedContent>> {
    match mutation {
        Mutation::DeleteObject { bucket, key, only_if_sequence } => Some(Mutation::DeleteObject {
            bucket: bucket.clone(),
            key: key.clone(),
            only_if_sequence: *only_if_sequence,
        }),
        _ => None,
    }
}

/// Deletions that found the disk full: the room that was kept back is theirs, and what the catalog can move out
/// of its log meanwhile.
async fn delete_without_room(inner: &Arc<Inner>, deletions: &[Mutation<PlacedContent>]) -> BatchOutcome {
    if inner.reserve.get().is_some_and(Reserve::give_up) {
        tracing::warn!("the disk is full; the room that was kept back is given to deletions");
    }
    let mut outcome = Err(ApplyError::Full);
    for _ in 0..ATTEMPTS_WITHOUT_ROOM {
        outcome = inner.catalog.apply(deletions.iter().filter_map(deletion).collect()).await;
        if !matches!(outcome, Err(ApplyError::Full)) {
            break;
        }
        inner.clock.sleep(WAIT_FOR_ROOM).await;
    }
    outcome
}

fn holds_blob(mutation: &Mutation) -> bool {
    matches!(mutation, Mutation::PutObject { content, .. } if content.is_blob())
}

/// A content on its way to a lasting name.
struct Publishing {
    placed: PlacedContent,
    work: Option<Work<Result<BlobId, BlobError>>>,
}

impl Publishing {
    fn start(content: SealedBlob) -> Publishing {
        let (len, md5, crc64, body) = content.into_parts();
        let (bytes, work) = match body {
            SealedBody::Inline(chunks) => (PlacedBytes::Inline(chunks), None),
            SealedBody::Blob(sealed) => (PlacedBytes::Inline(Vec::new()), Some(sealed.publish())),
        };
        Publishing { placed: PlacedContent { len, md5, crc64, bytes }, work }
    }

    async fn finish(&mut self) -> Result<Option<BlobId>, BlobError> {
        let Some(work) = self.work.take() else { return Ok(None) };
        let id = work.await?;
        self.placed.bytes = PlacedBytes::Blob(id);
        Ok(Some(id))
    }
}

async fn apply_with_blobs(inner: &Arc<Inner>, batch: Vec<Mutation>) -> BatchOutcome {
    // The work of every blob starts here, so that those of one batch share one sync of their folder.
    let mut publishing: Vec<Mutation<Publishing>> =
        batch.into_iter().map(|mutation| mutation.map(Publishing::start)).collect();
    let mut published = Vec::new();
    let mut failure = None;
    for mutation in &mut publishing {
        let Mutation::PutObject { content, .. } = mutation else { continue };
        match content.finish().await {
            Ok(id) => published.extend(id),
            Err(error) => failure = Some(publish_failure(inner, error)),
        }
    }
    let outcome = match failure {
        Some(error) => Err(error),
        None => {
            let placed =
                publishing.into_iter().map(|mutation| mutation.map(|content| content.placed)).collect();
            inner.catalog.apply(placed).await
        }
    };
    match &outcome {
        Ok(_) => published.into_iter().for_each(|id| inner.blobs.settled(id)),
        // Unknown: the catalog may name the blobs, so the next start decides.
        Err(ApplyError::Unhealthy { .. }) => {}
        Err(_) => inner.put_failed(published),
    }
    outcome
}

fn publish_failure(inner: &Inner, error: BlobError) -> ApplyError {
    match error {
        BlobError::Full => ApplyError::Full,
        BlobError::SyncFailed(source) => {
            inner.health.refuse_writes(format!("the folder of the blobs could not be synced: {source}"));
            ApplyError::Unhealthy { reason: source.to_string() }
        }
        BlobError::WorkerLost => {
            let reason = "the thread that names blobs has ended; the log has it".to_owned();
            inner.health.refuse_writes(reason.clone());
            ApplyError::Unhealthy { reason }
        }
        BlobError::NotFound => ApplyError::Trouble {
            trouble: Trouble::DataFolder,
            reason: "a folder of blobs is gone".to_owned(),
        },
        other => match other.trouble() {
            Some(trouble) => ApplyError::Trouble { trouble, reason: other.to_string() },
            None => ApplyError::Blob { reason: other.to_string() },
        },
    }
}

impl Inner {
    /// Blobs whose commit was rolled back, for the sweeper.
    pub(crate) fn take_failed(&self) -> Vec<BlobId> {
        std::mem::take(&mut *self.failed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Leaves blobs whose commit was rolled back to the sweeper.
    pub(crate) fn put_failed(&self, mut failed: Vec<BlobId>) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).append(&mut failed);
    }
}
