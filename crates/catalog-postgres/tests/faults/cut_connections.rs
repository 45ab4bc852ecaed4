//! The writer's connection is cut after its first message, after its second, and so on, through every statement of a
//! batch that does a little of everything; and the database goes away and comes back.

use crate::setting::{Setting, assert_whole, bytes_of};
use bytes::Bytes;
use countersign_store::blobs::BlobId;
use countersign_store::catalog::{
    AnyMutation, Asked, Journal as _, PlacedBytes, PlacedContent, Records as _, Upkeep as _,
};
use countersign_store::{ApplyError, DeliveryOutcome, ObjectDeleted, OutboxEntry, PutObject};
use countersign_testkit::catalog_suite::{
    create, delete, in_blob, inline, one, put, put_attributes, put_one, put_with,
};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// More messages than a batch and the connection that it needs take.
const MESSAGES_MAX: usize = 400;

fn with_blob(key: &str, id: BlobId) -> PutObject<PlacedContent> {
    let content = PlacedContent { bytes: PlacedBytes::Blob(id), ..in_blob(0) };
    put("b", key.as_bytes(), content)
}

fn blob(round: usize, number: u8) -> BlobId {
    let mut id = [number; 16];
    id[..8].copy_from_slice(&(round as u64).to_be_bytes());
    BlobId(id)
}

/// A batch that does something to every table succeeds whichever message the cut comes after: it is run again under its
/// id, and what its first run has committed is not done twice. So its answers must be those of one run.
#[tokio::test]
async fn a_batch_is_applied_once_wherever_its_connection_is_cut() {
    let setting = Setting::new().await;
    let catalog = setting.catalog().await;
    one(&catalog, create("b")).await.unwrap();
    let mut offered = Vec::new();
    let mut cuts = 0;
    for round in 1..MESSAGES_MAX {
        let key = |name: &str| format!("{name}-{round}");
        let (old, entry) =
            put_one(&catalog, put_with("b", key("old").as_bytes(), false, Some(b"owed"))).await;
        let (described, _) = put_one(&catalog, put("b", key("described").as_bytes(), inline(b"d"))).await;
        offered.push(blob(round, 1));
        offered.push(blob(round, 2));
        let struck = setting.proxy.faults.struck.load(Ordering::SeqCst);
        setting.proxy.faults.cut_after.store(round, Ordering::SeqCst);

        let (made, bucket) = Asked::new(create(&key("bucket")));
        let (kept, first) = Asked::new(PutObject {
            outbox_entry: Some(OutboxEntry { payload: b"new".to_vec() }),
            forbid_overwrite: true,
            ..with_blob(&key("kept"), blob(round, 1))
        });
        let (refused, second) =
            Asked::new(PutObject { forbid_overwrite: true, ..with_blob(&key("kept"), blob(round, 2)) });
        let (removed, third) = Asked::new(delete("b", key("old").as_bytes(), Some(old.sequence)));
        let (renewed, fourth) =
            Asked::new(put_attributes("b", key("described").as_bytes(), described.sequence));
        let close = countersign_store::CloseOutboxEntry {
            id: entry.unwrap(),
            outcome: DeliveryOutcome::Failed("x".into()),
        };
        let (closed, fifth) = Asked::new(close);
        let batch: Vec<AnyMutation> =
            vec![made.into(), kept.into(), refused.into(), removed.into(), renewed.into(), closed.into()];
        catalog.apply(batch).await.unwrap_or_else(|error| panic!("cut after {round}: {error}"));
        // Each of these is answered otherwise when it is done a second time.
        bucket.read().unwrap().unwrap();
        let kept = first.read().unwrap().unwrap();
        second.read().unwrap().unwrap_err();
        assert_eq!(third.read().unwrap(), Ok(ObjectDeleted { removed: Some(old.sequence) }));
        fourth.read().unwrap().unwrap();
        fifth.read().unwrap().unwrap();

        setting.proxy.faults.cut_after.store(0, Ordering::SeqCst);
        let found = catalog.object("b", Bytes::from(key("kept"))).await.unwrap().unwrap();
        assert_eq!(found.sequence, kept.object.sequence, "the answer is of the run that was committed");
        let owed = catalog.outbox(entry.unwrap() - 1, 1).await.unwrap();
        assert_eq!((owed[0].id, owed[0].attempts), (entry.unwrap(), 1), "an attempt was counted twice");
        if setting.proxy.faults.struck.load(Ordering::SeqCst) == struck {
            cuts = round;
            break;
        }
    }
    // The identification of the connection and its settings, the statements, the batch with seven kinds of change.
    assert!(cuts > 20, "{cuts} messages were all");
    catalog.shutdown().await;
    assert_whole(&setting.looked_at().await, &offered).await;
}

/// As soon as it is there again, without a start: for what reads and for what writes.
#[tokio::test]
async fn a_database_that_was_away_is_used_again_when_it_is_back() {
    let setting = Setting::new().await;
    let catalog = setting.catalog().await;
    one(&catalog, create("b")).await.unwrap();
    put_one(&catalog, put("b", b"k", inline(b"before"))).await;
    for round in 0..2 {
        setting.proxy.faults.away.store(true, Ordering::SeqCst);
        let (asked, _) = Asked::new(put("b", b"k", inline(b"meanwhile")));
        let (read, written) =
            tokio::join!(catalog.object("b", Bytes::from_static(b"k")), catalog.apply(vec![asked.into()]));
        // A connection that is quiet does not know yet that the other side is gone.
        if round > 0 || read.is_err() {
            assert!(
                matches!(read, Err(countersign_store::catalog::CatalogError::Unavailable(_))),
                "{read:?}"
            );
        }
        assert!(matches!(written, Err(ApplyError::Unavailable(_))), "{written:?}");
        setting.proxy.faults.away.store(false, Ordering::SeqCst);
        put_one(&catalog, put("b", b"k", inline(b"back"))).await;
        assert_eq!(bytes_of(&catalog, "k").await.unwrap(), "back");
    }
}

/// The callers wait no longer than they are let, and are told what is not known.
#[tokio::test]
async fn an_outcome_that_stays_unknown_is_said_to_be() {
    let setting = Setting::new().await;
    let mut options = setting.options(setting.proxy.port);
    options.patience.unknown = Duration::from_millis(300);
    let catalog = countersign_catalog_postgres::PostgresCatalog::open(options).await.unwrap();
    one(&catalog, create("b")).await.unwrap();
    let faults = &setting.proxy.faults;
    faults.swallow_every.store(1, Ordering::SeqCst);
    let (asked, _) = Asked::new(create("c"));
    let applied = catalog.apply(vec![asked.into()]);
    let away = async {
        while faults.struck.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        faults.away.store(true, Ordering::SeqCst);
    };
    let (outcome, ()) = tokio::join!(applied, away);
    let unknown = matches!(outcome, Err(ApplyError::OutcomeUnknown(_)));
    assert!(unknown || outcome.is_ok(), "{outcome:?}");
    faults.away.store(false, Ordering::SeqCst);
    faults.swallow_every.store(0, Ordering::SeqCst);
    // What may have been done is looked at again before anything else is decided.
    let again = one(&catalog, create("c")).await;
    let there = catalog.bucket("c").await.unwrap().is_some();
    assert!(there, "{again:?}");
    let seen = setting.looked_at().await;
    assert!(seen.bucket("c").await.unwrap().is_some());
}
