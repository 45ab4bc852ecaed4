//! Commits sealed uploads: gives blobs their lasting names, then hands the batch to the catalog.

use crate::blobs::{BlobError, BlobId, Work};
use crate::catalog::{Asked, EngineError, Placed, PlacedBytes, PlacedContent, Reply};
use crate::data_folder::reserve::Reserve;
use crate::engine::Inner;
use crate::mutation::{
    Answered, CloseOutboxEntry, CreateBucket, DeleteBucket, DeleteObject, Mutation, PutAttributes, PutObject,
    PutSetting,
};
use crate::staged_blob::SealedBody;
use crate::{ApplyError, SealedBlob, Trouble};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How often a deletion is tried again that finds no room.
const ATTEMPTS_WITHOUT_ROOM: usize = 20;
/// How long it waits for room in between.
const WAIT_FOR_ROOM: Duration = Duration::from_millis(50);

/// A mutation that [`crate::Store::commit`] takes.
pub trait Offered: Mutation {
    /// The same, as a catalog takes it.
    type Placed: Placed<Outcome = Self::Outcome, Refusal = Self::Refusal>;

    /// Begins what has to be done before it is offered to the catalog.
    fn set_out(self) -> Underway<Self::Placed>;

    /// The same once more, for a mutation that is tried again when the disk is full: nothing but a deletion frees
    /// room.
    fn again(&self) -> Option<Self> {
        None
    }
}

impl Offered for CreateBucket {
    type Placed = Self;

    fn set_out(self) -> Underway<Self> {
        Underway::without_blob(self)
    }
}

impl Offered for DeleteBucket {
    type Placed = Self;

    fn set_out(self) -> Underway<Self> {
        Underway::without_blob(self)
    }
}

impl Offered for PutSetting {
    type Placed = Self;

    fn set_out(self) -> Underway<Self> {
        Underway::without_blob(self)
    }
}

impl Offered for PutObject {
    type Placed = PutObject<PlacedContent>;

    fn set_out(self) -> Underway<Self::Placed> {
        let PutObject { bucket, key, content, attributes, forbid_overwrite, outbox_entry } = self;
        let (content, naming) = place(content);
        Underway {
            mutation: PutObject { bucket, key, content, attributes, forbid_overwrite, outbox_entry },
            naming: naming.map(|work| Naming {
                work,
                into: |put: &mut PutObject<PlacedContent>, id| put.content.bytes = PlacedBytes::Blob(id),
            }),
        }
    }
}

impl Offered for PutAttributes {
    type Placed = Self;

    fn set_out(self) -> Underway<Self> {
        Underway::without_blob(self)
    }
}

impl Offered for DeleteObject {
    type Placed = Self;

    fn set_out(self) -> Underway<Self> {
        Underway::without_blob(self)
    }

    fn again(&self) -> Option<Self> {
        Some(self.clone())
    }
}

impl Offered for CloseOutboxEntry {
    type Placed = Self;

    fn set_out(self) -> Underway<Self> {
        Underway::without_blob(self)
    }
}

/// A mutation on its way to the catalog: it waits for the lasting name of its blob, when it has one.
pub struct Underway<P> {
    mutation: P,
    naming: Option<Naming<P>>,
}

/// A blob that is being given its lasting name, and where that goes.
struct Naming<P> {
    work: Work<Result<BlobId, BlobError>>,
    into: fn(&mut P, BlobId),
}

impl<P> Underway<P> {
    fn without_blob(mutation: P) -> Underway<P> {
        Underway { mutation, naming: None }
    }

    /// Waits until the blob has its name.
    async fn named(&mut self) -> Result<Option<BlobId>, BlobError> {
        let Some(naming) = self.naming.take() else { return Ok(None) };
        let id = naming.work.await?;
        (naming.into)(&mut self.mutation, id);
        Ok(Some(id))
    }
}

/// The content as the catalog takes it; a blob begins to get its lasting name.
fn place(content: SealedBlob) -> (PlacedContent, Option<Work<Result<BlobId, BlobError>>>) {
    let (len, md5, crc64, body) = content.into_parts();
    let (bytes, naming) = match body {
        SealedBody::Inline(chunks) => (PlacedBytes::Inline(chunks), None),
        SealedBody::Blob(sealed) => (PlacedBytes::Inline(Vec::new()), Some(sealed.publish())),
    };
    (PlacedContent { len, md5, crc64, bytes }, naming)
}

/// Applies one mutation; what has begun goes on when its caller no longer waits.
pub(crate) async fn commit<M: Offered>(
    inner: &Arc<Inner>,
    mut mutation: M,
) -> Result<Answered<M>, ApplyError> {
    let mut room = WaitForRoom::default();
    loop {
        inner.refuse_when_unhealthy()?;
        let again = mutation.again();
        let (reply, answer) = Reply::new();
        match (offer(inner, vec![(mutation.set_out(), reply)]).await, again) {
            (Ok(()), _) => return answer.read(),
            (Err(ApplyError::Full), Some(again)) if room.wait(inner).await => mutation = again,
            (Err(error), _) => return Err(error),
        }
    }
}

/// Applies a batch of one kind in one transaction; what has begun goes on when its caller no longer waits.
pub(crate) async fn apply<M: Offered>(
    inner: &Arc<Inner>,
    mut batch: Vec<M>,
) -> Result<Vec<Answered<M>>, ApplyError> {
    let mut room = WaitForRoom::default();
    loop {
        inner.refuse_when_unhealthy()?;
        let again: Option<Vec<M>> = batch.iter().map(M::again).collect();
        let (underway, answers): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|mutation| {
                let (reply, answer) = Reply::new();
                ((mutation.set_out(), reply), answer)
            })
            .unzip();
        match (offer(inner, underway).await, again) {
            (Ok(()), _) => return answers.into_iter().map(|answer| answer.read()).collect(),
            (Err(ApplyError::Full), Some(again)) if room.wait(inner).await => batch = again,
            (Err(error), _) => return Err(error),
        }
    }
}

/// How a deletion that found the disk full waits for room: what was kept back is given up for it, and the catalog
/// can move something out of its log meanwhile.
#[derive(Default)]
struct WaitForRoom {
    attempts: usize,
}

impl WaitForRoom {
    /// Whether it may be tried again now.
    async fn wait(&mut self, inner: &Inner) -> bool {
        if self.attempts > 0 {
            inner.clock.sleep(WAIT_FOR_ROOM).await;
        } else if inner.reserve.get().is_some_and(Reserve::give_up) {
            tracing::warn!("the disk is full; the room that was kept back is given to deletions");
        }
        self.attempts += 1;
        self.attempts <= ATTEMPTS_WITHOUT_ROOM
    }
}

async fn offer<P: Placed>(
    inner: &Arc<Inner>,
    underway: Vec<(Underway<P>, Reply<P>)>,
) -> Result<(), ApplyError> {
    if underway.iter().any(|(underway, _)| underway.naming.is_some()) {
        let inner = Arc::clone(inner);
        // A task of its own: dropped half-way, it would leave a published blob that nobody accounts for.
        let offered = tokio::spawn(async move { offer_with_blobs(&inner, underway).await });
        return offered.await.unwrap_or(Err(ApplyError::Closed));
    }
    offer_named(inner, underway).await
}

async fn offer_named<P: Placed>(
    inner: &Inner,
    underway: Vec<(Underway<P>, Reply<P>)>,
) -> Result<(), ApplyError> {
    let asked =
        underway.into_iter().map(|(underway, reply)| Asked { mutation: underway.mutation, reply }.into());
    inner.catalog.apply(asked.collect()).await
}

/// The naming of every blob has begun, so that those of one batch share one sync of their folder.
async fn offer_with_blobs<P: Placed>(
    inner: &Inner,
    mut underway: Vec<(Underway<P>, Reply<P>)>,
) -> Result<(), ApplyError> {
    let mut published = Vec::new();
    let mut failure = None;
    for (underway, _) in &mut underway {
        match underway.named().await {
            Ok(id) => published.extend(id),
            Err(error) => failure = Some(publish_failure(inner, error)),
        }
    }
    let outcome = match failure {
        Some(error) => Err(error),
        None => offer_named(inner, underway).await,
    };
    match &outcome {
        Ok(()) => published.into_iter().for_each(|id| inner.blobs.settled(id)),
        // The catalog may name the blobs, so the next start decides.
        Err(error) if error.outcome_is_unknown() => {}
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
            said: EngineError::new("a folder of blobs is gone"),
        },
        other => match other.trouble() {
            Some(trouble) => ApplyError::Trouble { trouble, said: EngineError::new(other) },
            None => ApplyError::Blob(Arc::new(other)),
        },
    }
}

impl Inner {
    fn refuse_when_unhealthy(&self) -> Result<(), ApplyError> {
        match self.health.refusal() {
            None => Ok(()),
            Some(reason) => Err(ApplyError::Unhealthy { reason: reason.to_owned() }),
        }
    }

    /// Blobs whose commit was rolled back, for the sweeper.
    pub(crate) fn take_failed(&self) -> Vec<BlobId> {
        std::mem::take(&mut *self.failed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Leaves blobs whose commit was rolled back to the sweeper.
    pub(crate) fn put_failed(&self, mut failed: Vec<BlobId>) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).append(&mut failed);
    }
}
