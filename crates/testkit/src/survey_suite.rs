//! What a catalog must tell a scrub and a backup, and keep for them.

use crate::CatalogFixture;
use crate::catalog_suite::{create, delete, in_blob, inline, one, put, put_one};
use bytes::Bytes;
use countersign_store::catalog::{Catalog, DamageRecord, Inventoried, ScrubNote, ScrubProgress};

async fn three(catalog: &dyn Catalog) -> [u64; 3] {
    one(catalog, create("b")).await.unwrap();
    one(catalog, create("c")).await.unwrap();
    [
        put_one(catalog, put("b", b"in a blob", in_blob(1))).await.0.sequence,
        put_one(catalog, put("c", b"inline", inline(b"x"))).await.0.sequence,
        put_one(catalog, put("b", b"empty", inline(b""))).await.0.sequence,
    ]
}

/// However the buckets and keys are ordered.
pub async fn every_object_is_told_once_in_the_order_of_its_sequence(fixture: &CatalogFixture) {
    let catalog = &*fixture.catalog;
    let sequences = three(catalog).await;
    one(catalog, delete("c", b"inline", None)).await.unwrap();
    let again = put_one(catalog, put("c", b"inline", inline(b"again"))).await.0;
    let mut told: Vec<Inventoried> = Vec::new();
    loop {
        let after = told.last().map_or(0, |named| named.object.sequence);
        let page = catalog.inventory(after, 2).await.unwrap();
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        told.extend(page);
    }
    let names: Vec<(&str, &[u8], u64)> =
        told.iter().map(|named| (&named.bucket[..], &named.object.key[..], named.object.sequence)).collect();
    assert_eq!(
        names,
        [
            ("b", &b"in a blob"[..], sequences[0]),
            ("b", b"empty", sequences[2]),
            ("c", b"inline", again.sequence)
        ]
    );
    assert_eq!(told[2].object, again);
}

/// After any of the changes that a catalog knows.
pub async fn a_catalog_that_was_only_used_has_nothing_wrong_with_it(fixture: &CatalogFixture) {
    let catalog = &*fixture.catalog;
    three(catalog).await;
    put_one(catalog, put("b", b"in a blob", in_blob(2))).await;
    one(catalog, put("nowhere", b"k", in_blob(3))).await.unwrap_err();
    one(catalog, delete("c", b"inline", None)).await.unwrap();
    assert_eq!(catalog.check().await.unwrap(), Vec::<String>::new());
}

fn damage(sequence: u64, what: &str) -> DamageRecord {
    DamageRecord {
        content: sequence,
        bucket: "b".to_owned(),
        key: Bytes::from_static(b"in a blob"),
        sequence,
        what: what.to_owned(),
        found: jiff::Timestamp::UNIX_EPOCH,
    }
}

/// Overwriting and deleting end it, and so does a scrub that finds the bytes whole.
pub async fn damage_is_kept_until_its_content_goes_or_is_found_whole(fixture: &CatalogFixture) {
    let catalog = &*fixture.catalog;
    let sequences = three(catalog).await;
    let state = catalog.scrub_state().await.unwrap();
    assert_eq!((state.damaged.len(), state.newest), (0, sequences[2]));
    let damaged = sequences.map(|sequence| damage(sequence, "rotten")).to_vec();
    catalog.note_scrub(ScrubNote { damaged: damaged.clone(), ..ScrubNote::default() }).await.unwrap();
    assert_eq!(catalog.scrub_state().await.unwrap().damaged, damaged);
    put_one(catalog, put("b", b"in a blob", in_blob(2))).await;
    one(catalog, delete("c", b"inline", None)).await.unwrap();
    let left = |state: countersign_store::catalog::ScrubState| {
        state.damaged.into_iter().map(|damage| (damage.content, damage.what)).collect::<Vec<_>>()
    };
    assert_eq!(left(catalog.scrub_state().await.unwrap()), [(sequences[2], "rotten".to_owned())]);
    let again = vec![damage(sequences[2], "gone")];
    catalog.note_scrub(ScrubNote { damaged: again, ..ScrubNote::default() }).await.unwrap();
    assert_eq!(left(catalog.scrub_state().await.unwrap()), [(sequences[2], "gone".to_owned())]);
    let whole = vec![sequences[2]];
    catalog.note_scrub(ScrubNote { whole, ..ScrubNote::default() }).await.unwrap();
    assert_eq!(left(catalog.scrub_state().await.unwrap()), []);
}

/// And left alone by a note that says nothing of it.
pub async fn the_progress_of_a_scrub_is_kept(fixture: &CatalogFixture) {
    let catalog = &*fixture.catalog;
    let progress = ScrubProgress { position: 7, began: Some(fixture.clock.now()), ended: None };
    let note = ScrubNote { progress: Some(progress.clone()), ..ScrubNote::default() };
    catalog.note_scrub(note).await.unwrap();
    catalog.note_scrub(ScrubNote::default()).await.unwrap();
    assert_eq!(catalog.scrub_state().await.unwrap().progress, progress);
}
