//! The answer of every tenth COMMIT is swallowed, while many upload, overwrite and delete at once.

use crate::setting::{Setting, assert_whole, bytes_of, inventory};
use bytes::Bytes;
use countersign_store::blobs::BlobId;
use countersign_store::catalog::{
    Asked, Journal as _, PlacedBytes, PlacedContent, Records as _, Upkeep as _,
};
use countersign_store::{ObjectPut, OutboxEntry, PutObject};
use countersign_testkit::catalog_suite::{create, delete, in_blob, one, put};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Uploads at once.
const UPLOADERS: usize = 8;

/// Rounds of each; a long run takes more.
fn rounds() -> usize {
    if std::env::var_os("COUNTERSIGN_LONG").is_some() { 400 } else { 40 }
}

fn small(text: &str) -> PlacedContent {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    PlacedContent { len: bytes.len() as u64, md5: None, crc64: 0, bytes: PlacedBytes::Inline(vec![bytes]) }
}

/// One key's history: what was acknowledged last.
async fn upload(catalog: Arc<countersign_catalog_postgres::PostgresCatalog>, uploader: usize) -> Vec<BlobId> {
    let key = format!("k{uploader}");
    let (mut last, mut offered) = (None::<(u64, String)>, Vec::new());
    for round in 0..rounds() {
        let text = format!("{uploader}-{round}");
        let entry = Some(OutboxEntry { payload: text.clone().into_bytes() });
        let (asked, answer) =
            Asked::new(PutObject { outbox_entry: entry, ..put("b", key.as_bytes(), small(&text)) });
        let mut id = [uploader as u8; 16];
        id[..8].copy_from_slice(&(round as u64).to_be_bytes());
        let blob = PlacedContent { bytes: PlacedBytes::Blob(BlobId(id)), ..in_blob(0) };
        let (beside, _) = Asked::new(put("b", format!("{key}-blob").as_bytes(), blob));
        offered.push(BlobId(id));
        catalog.apply(vec![asked.into(), beside.into()]).await.unwrap();
        let ObjectPut { object, outbox_id } = answer.read().unwrap().unwrap();
        assert_eq!(outbox_id, Some(object.sequence));
        assert!(last.as_ref().is_none_or(|(sequence, _)| *sequence < object.sequence));
        assert_eq!(
            bytes_of(&catalog, &key).await.unwrap(),
            text,
            "an acknowledged upload is readable and right"
        );
        last = Some((object.sequence, text));
        if round % 5 == 4 {
            let (sequence, _) = last.take().unwrap();
            let removed = one(&*catalog, delete("b", key.as_bytes(), Some(sequence))).await.unwrap();
            assert_eq!(removed.removed, Some(sequence), "it was deleted once");
        }
    }
    offered
}

/// Each of them is found out, so that every caller has the one answer that is true.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_committed_without_an_answer_is_answered_and_done_once() {
    let setting = Setting::new().await;
    let catalog = Arc::new(setting.catalog().await);
    one(&*catalog, create("b")).await.unwrap();
    setting.proxy.faults.swallow_every.store(10, Ordering::SeqCst);
    let uploads = (0..UPLOADERS).map(|uploader| tokio::spawn(upload(Arc::clone(&catalog), uploader)));
    let mut offered = Vec::new();
    for upload in uploads.collect::<Vec<_>>() {
        offered.extend(upload.await.unwrap());
    }
    setting.proxy.faults.swallow_every.store(0, Ordering::SeqCst);
    let struck = setting.proxy.faults.struck.load(Ordering::SeqCst);
    assert!(struck >= 5, "only {struck} answers were swallowed");

    // Each put owes one delivery, under one id.
    let mut owed: BTreeMap<Bytes, usize> = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = catalog.outbox(after, 1000).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.id;
        page.iter().for_each(|record| *owed.entry(record.payload.clone()).or_default() += 1);
    }
    assert_eq!(owed.len(), UPLOADERS * rounds());
    assert!(owed.values().all(|times| *times == 1), "nothing is owed under two ids");
    assert_eq!(inventory(&catalog).await.len(), UPLOADERS, "the last round deletes, and the blobs are left");
    catalog.shutdown().await;
    assert_whole(&setting.looked_at().await, &offered).await;
}
