//! The conformance suite of the blob store: what every implementation of [`Blobs`] must do.

use bytes::Bytes;
use countersign_store::blobs::{BlobError, BlobId, Blobs, SealedBytes};
use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Blobs to be tested, and what must live as long as they do.
pub struct BlobsFixture {
    /// The blobs, empty.
    pub blobs: Arc<dyn Blobs>,
    /// A temporary folder or the like.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// Makes a test of each of the suite's functions. Takes a path to `async fn() -> BlobsFixture`.
#[macro_export]
macro_rules! blobs_suite {
    ($fixture:path) => {
        $crate::blobs_suite!(@each $fixture;
            reads_back_what_was_written_in_any_part
            reads_sealed_bytes_before_they_are_published
            what_is_dropped_before_it_is_published_leaves_nothing
            a_published_blob_is_named_to_the_recovery_until_the_mark_passes_it
            a_deleted_blob_is_gone_and_deleting_it_again_is_no_error
            an_opened_blob_stays_readable_when_it_is_deleted
            blobs_published_at_once_have_names_of_their_own
            every_published_blob_is_told_once_in_the_order_of_names
        );
    };
    (@each $fixture:path; $($name:ident)*) => {
        $(#[tokio::test] async fn $name() { $crate::blobs_suite::$name(&$fixture().await).await; })*
    };
}

async fn seal(blobs: &dyn Blobs, pieces: &[&[u8]]) -> Box<dyn SealedBytes> {
    let mut writer = blobs.stage(None);
    let (last, first) = pieces.split_last().unwrap();
    for piece in first {
        writer.append(Arc::new(vec![Bytes::copy_from_slice(piece)])).await.unwrap();
    }
    writer.seal(Arc::new(vec![Bytes::copy_from_slice(last)])).await.unwrap()
}

async fn publish(blobs: &dyn Blobs, bytes: &[u8]) -> BlobId {
    seal(blobs, &[bytes]).await.publish().await.unwrap()
}

async fn read(blobs: &dyn Blobs, id: BlobId, offset: u64, len: usize) -> Bytes {
    blobs.open(id, offset, len).await.unwrap().first
}

/// Any part, and fewer bytes only at the end.
pub async fn reads_back_what_was_written_in_any_part(fixture: &BlobsFixture) {
    let blobs = &*fixture.blobs;
    let id = seal(blobs, &[b"immut", b"able ", b"blob"]).await.publish().await.unwrap();
    assert_eq!(read(blobs, id, 0, 100).await, "immutable blob");
    assert_eq!(read(blobs, id, 3, 4).await, "utab");
    assert_eq!(read(blobs, id, 14, 4).await, "");
    let opened = blobs.open(id, 0, 5).await.unwrap();
    assert_eq!(opened.first, "immut");
    assert_eq!(opened.reader.read_at(10, 100).await.unwrap(), "blob");
}

/// For headers of images, before the commit.
pub async fn reads_sealed_bytes_before_they_are_published(fixture: &BlobsFixture) {
    let sealed = seal(&*fixture.blobs, &[b"GIF", b"89a..."]).await;
    assert_eq!(sealed.read_at(3, 3).await.unwrap(), "89a");
}

/// Whether staged or sealed.
pub async fn what_is_dropped_before_it_is_published_leaves_nothing(fixture: &BlobsFixture) {
    let blobs = &*fixture.blobs;
    let mut writer = blobs.stage(None);
    writer.append(Arc::new(vec![Bytes::from_static(b"staged")])).await.unwrap();
    drop(writer);
    drop(seal(blobs, &[b"sealed"]).await);
    assert_eq!(blobs.recover(0).await.unwrap(), []);
}

/// The mark passes a blob only when its commit's outcome is known.
pub async fn a_published_blob_is_named_to_the_recovery_until_the_mark_passes_it(fixture: &BlobsFixture) {
    let blobs = &*fixture.blobs;
    blobs.recover(0).await.unwrap();
    let settled = publish(blobs, b"settled").await;
    let open = publish(blobs, b"open").await;
    blobs.settled(settled);
    let suspects = blobs.recover(blobs.settled_mark()).await.unwrap();
    assert!(suspects.contains(&open));
    assert_eq!(read(blobs, open, 0, 9).await, "open");
    // After a recovery everything older is settled: the mark is above it.
    assert_eq!(blobs.recover(blobs.settled_mark()).await.unwrap(), []);
}

/// So that a crash between deleting and forgetting is harmless.
pub async fn a_deleted_blob_is_gone_and_deleting_it_again_is_no_error(fixture: &BlobsFixture) {
    let blobs = &*fixture.blobs;
    let id = publish(blobs, b"short life").await;
    blobs.delete(id).await.unwrap();
    assert!(matches!(blobs.open(id, 0, 1).await.unwrap_err(), BlobError::NotFound));
    blobs.delete(id).await.unwrap();
}

/// A reader that has begun reads to the end.
pub async fn an_opened_blob_stays_readable_when_it_is_deleted(fixture: &BlobsFixture) {
    let blobs = &*fixture.blobs;
    let id = publish(blobs, b"read to the end").await;
    let opened = blobs.open(id, 0, 4).await.unwrap();
    blobs.delete(id).await.unwrap();
    assert_eq!(opened.reader.read_at(4, 100).await.unwrap(), " to the end");
}

/// However many go into one batch.
pub async fn blobs_published_at_once_have_names_of_their_own(fixture: &BlobsFixture) {
    let blobs = &*fixture.blobs;
    let mut sealed = Vec::new();
    for number in 0..40u8 {
        sealed.push(seal(blobs, &[&[number; 9]]).await);
    }
    let publishing: Vec<_> = sealed.into_iter().map(|sealed| sealed.publish()).collect();
    let mut names = BTreeSet::new();
    for (number, published) in publishing.into_iter().enumerate() {
        let id = published.await.unwrap();
        assert_eq!(read(blobs, id, 0, 9).await, vec![number as u8; 9]);
        names.insert(id);
    }
    assert_eq!(names.len(), 40);
}

/// Page by page, with what was published or deleted in between.
pub async fn every_published_blob_is_told_once_in_the_order_of_names(fixture: &BlobsFixture) {
    let blobs = &*fixture.blobs;
    assert_eq!(blobs.published(None).await.unwrap(), []);
    let mut names = BTreeSet::new();
    for number in 0..10u8 {
        names.insert(publish(blobs, &[number]).await);
    }
    let deleted = names.pop_first().unwrap();
    blobs.delete(deleted).await.unwrap();
    drop(seal(blobs, &[b"sealed"]).await);
    let mut told = Vec::new();
    loop {
        let page = blobs.published(told.last().copied()).await.unwrap();
        if page.is_empty() {
            break;
        }
        told.extend(page);
    }
    assert_eq!(told, names.iter().copied().collect::<Vec<_>>());
    assert_ne!(blobs.place_of(told[0]), blobs.place_of(told[1]));
}
