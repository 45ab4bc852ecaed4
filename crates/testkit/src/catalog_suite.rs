//! The conformance suite of the catalog: what every implementation of [`Catalog`] must do. Listing and pairs of
//! mutations have files of their own.

use crate::TestClock;
use bytes::Bytes;
use countersign_store::blobs::BlobId;
use countersign_store::catalog::{Asked, Catalog, Piece, Placed, PlacedBytes, PlacedContent};
use countersign_store::{
    Answered, BucketExists, CloseOutboxEntry, CreateBucket, DeleteBucket, DeleteBucketRefusal, DeleteObject,
    DeleteRefusal, DeliveryOutcome, NoSuchBucket, NoSuchOutboxEntry, ObjectDeleted, ObjectPut, ObjectRecord,
    OutboxEntry, Place, PutAttributes, PutAttributesRefusal, PutObject, PutRefusal, PutSetting,
};
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long the fixture's catalog keeps garbage.
pub const GRACE_SECONDS: i64 = 60;

/// A catalog to be tested, and what must live as long as it does.
pub struct CatalogFixture {
    /// The catalog, empty, with a grace of [`GRACE_SECONDS`].
    pub catalog: Arc<dyn Catalog>,
    /// Its clock.
    pub clock: TestClock,
    /// A temporary folder or the like.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// Makes a test of each of the suite's functions. Takes a path to `async fn() -> CatalogFixture`.
#[macro_export]
macro_rules! catalog_suite {
    ($fixture:path) => {
        $crate::catalog_suite!(@each $fixture; catalog_suite
            a_bucket_is_made_found_listed_and_removed
            settings_are_written_replaced_and_removed
            a_bucket_that_holds_objects_is_not_removed
            an_object_is_found_as_it_was_put
            a_put_replaces_what_the_key_held_under_a_higher_sequence
            forbidding_to_overwrite_sees_earlier_puts_of_its_own_batch
            a_refusal_leaves_the_rest_of_its_batch_alone
            deleting_names_what_it_removed_and_minds_the_sequence
            attributes_are_written_to_the_object_that_was_found_and_to_no_other
            what_is_owed_is_written_with_its_object_and_stays_until_it_is_delivered
            a_change_that_nobody_waits_for_is_made_soon
            replaced_and_deleted_bytes_become_garbage_after_their_grace
            the_blob_of_a_refused_put_is_garbage_at_once
            inline_bytes_stay_readable_until_their_garbage_is_forgotten
            the_mark_of_the_blobs_is_kept
            keys_are_bytes_and_differ_in_every_one_of_them
        );
        $crate::catalog_suite!(@each $fixture; survey_suite
            every_object_is_told_once_in_the_order_of_its_sequence
            a_catalog_that_was_only_used_has_nothing_wrong_with_it
            damage_is_kept_until_its_content_goes_or_is_found_whole
            the_progress_of_a_scrub_is_kept
        );
        $crate::catalog_suite!(@each $fixture; listing_suite
            pages_follow_on_one_another_without_gap_or_repetition
            a_listing_agrees_with_a_model_for_any_keys_and_any_query
        );
        $crate::catalog_suite!(@each $fixture; mutation_pairs
            any_two_mutations_of_one_batch_do_what_they_do_one_after_the_other
            any_two_mutations_at_once_do_what_one_of_their_orders_does
        );
    };
    (@each $fixture:path; $module:ident $($name:ident)*) => {
        $(#[tokio::test] async fn $name() { $crate::$module::$name(&$fixture().await).await; })*
    };
}

/// A content with bytes in the catalog.
pub fn inline(bytes: &'static [u8]) -> PlacedContent {
    let chunks = if bytes.is_empty() { Vec::new() } else { vec![Bytes::from_static(bytes)] };
    PlacedContent {
        len: bytes.len() as u64,
        md5: Some([bytes.len() as u8; 16]),
        crc64: u64::MAX,
        bytes: PlacedBytes::Inline(chunks),
    }
}

/// A content in a blob.
pub fn in_blob(id: u8) -> PlacedContent {
    PlacedContent { len: 100_000, md5: Some([id; 16]), crc64: 7, bytes: PlacedBytes::Blob(BlobId([id; 16])) }
}

/// A put.
pub fn put(bucket: &str, key: &[u8], content: PlacedContent) -> PutObject<PlacedContent> {
    PutObject {
        bucket: bucket.to_owned(),
        key: Bytes::copy_from_slice(key),
        content,
        attributes: Bytes::from_static(b"attributes"),
        forbid_overwrite: false,
        outbox_entry: None,
    }
}

/// A put that forbids overwriting, or owes something, or both.
pub fn put_with(bucket: &str, key: &[u8], forbid: bool, owes: Option<&[u8]>) -> PutObject<PlacedContent> {
    let outbox_entry = owes.map(|payload| OutboxEntry { payload: payload.to_vec() });
    PutObject { forbid_overwrite: forbid, outbox_entry, ..put(bucket, key, inline(b"with")) }
}

/// The making of a bucket.
pub fn create(name: &str) -> CreateBucket {
    CreateBucket { name: name.to_owned(), settings: BTreeMap::new() }
}

/// A deletion.
pub fn delete(bucket: &str, key: &[u8], only_if_sequence: Option<u64>) -> DeleteObject {
    DeleteObject { bucket: bucket.to_owned(), key: Bytes::copy_from_slice(key), only_if_sequence }
}

/// The writing of attributes to the object of [`put`].
pub fn put_attributes(bucket: &str, key: &[u8], sequence: u64) -> PutAttributes {
    PutAttributes {
        bucket: bucket.to_owned(),
        key: Bytes::copy_from_slice(key),
        sequence,
        found: Bytes::from_static(b"attributes"),
        attributes: Bytes::from_static(b"others"),
    }
}

/// Applies one.
pub async fn one<M: Placed>(catalog: &dyn Catalog, mutation: M) -> Answered<M> {
    let (asked, answer) = Asked::new(mutation);
    catalog.apply(vec![asked.into()]).await.unwrap();
    answer.read().unwrap()
}

/// Applies two in one batch.
pub async fn two<A: Placed, B: Placed>(
    catalog: &dyn Catalog,
    first: A,
    second: B,
) -> (Answered<A>, Answered<B>) {
    let ((first, one), (second, other)) = (Asked::new(first), Asked::new(second));
    catalog.apply(vec![first.into(), second.into()]).await.unwrap();
    (one.read().unwrap(), other.read().unwrap())
}

/// Applies several of one kind in one batch.
pub async fn several<M: Placed>(catalog: &dyn Catalog, mutations: Vec<M>) -> Vec<Answered<M>> {
    let (asked, answers): (Vec<_>, Vec<_>) = mutations.into_iter().map(Asked::new).unzip();
    catalog.apply(asked.into_iter().map(Into::into).collect()).await.unwrap();
    answers.into_iter().map(|answer| answer.read().unwrap()).collect()
}

/// Applies one put and answers the record.
pub async fn put_one(catalog: &dyn Catalog, put: PutObject<PlacedContent>) -> (ObjectRecord, Option<u64>) {
    let ObjectPut { object, outbox_id } = one(catalog, put).await.unwrap();
    (object, outbox_id)
}

async fn with_bucket(fixture: &CatalogFixture) -> &dyn Catalog {
    one(&*fixture.catalog, create("b")).await.unwrap();
    &*fixture.catalog
}

async fn object(catalog: &dyn Catalog, key: &'static [u8]) -> Option<ObjectRecord> {
    catalog.object("b", Bytes::from_static(key)).await.unwrap()
}

/// Buckets.
pub async fn a_bucket_is_made_found_listed_and_removed(fixture: &CatalogFixture) {
    let catalog = &*fixture.catalog;
    for name in ["b", "ab", "aa"] {
        assert_eq!(one(catalog, create(name)).await.unwrap().name, name);
    }
    assert_eq!(one(catalog, create("b")).await.unwrap_err(), BucketExists);
    assert_eq!(catalog.bucket("b").await.unwrap().unwrap().created, fixture.clock.now());
    let names = |prefix: &'static str, after: &'static str, limit| async move {
        let page = catalog.buckets(prefix, after, limit).await.unwrap();
        page.iter().map(|bucket| bucket.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("", "", 9).await, ["aa", "ab", "b"]);
    assert_eq!(names("a", "aa", 9).await, ["ab"]);
    assert_eq!(names("", "", 2).await, ["aa", "ab"]);
    one(catalog, DeleteBucket { name: "b".to_owned() }).await.unwrap();
    assert!(catalog.bucket("b").await.unwrap().is_none());
    let again = one(catalog, DeleteBucket { name: "b".to_owned() }).await;
    assert_eq!(again.unwrap_err(), DeleteBucketRefusal::NoSuchBucket);
}

/// Settings.
pub async fn settings_are_written_replaced_and_removed(fixture: &CatalogFixture) {
    let catalog = with_bucket(fixture).await;
    let set = |bucket: &str, value: Option<&[u8]>| {
        let (bucket, value) = (bucket.to_owned(), value.map(<[u8]>::to_vec));
        PutSetting { bucket, name: "cors".to_owned(), value }
    };
    for value in [Some(&b"one"[..]), Some(b"two"), None] {
        one(catalog, set("b", value)).await.unwrap();
        let bucket = catalog.bucket("b").await.unwrap().unwrap();
        assert_eq!(bucket.settings.get("cors").map(Vec::as_slice), value);
    }
    assert_eq!(one(catalog, set("other", None)).await.unwrap_err(), NoSuchBucket);
}

/// Also when the object came in the same batch.
pub async fn a_bucket_that_holds_objects_is_not_removed(fixture: &CatalogFixture) {
    let catalog = with_bucket(fixture).await;
    let remove = || DeleteBucket { name: "b".to_owned() };
    let (_, removed) = two(catalog, put("b", b"k", inline(b"x")), remove()).await;
    assert_eq!(removed, Err(DeleteBucketRefusal::BucketNotEmpty));
    let (_, removed) = two(catalog, delete("b", b"k", None), remove()).await;
    assert_eq!(removed, Ok(()));
}

/// Every field; inline bytes come along.
pub async fn an_object_is_found_as_it_was_put(fixture: &CatalogFixture) {
    let catalog = with_bucket(fixture).await;
    let without_md5 = PlacedContent { md5: None, ..in_blob(8) };
    for content in [inline(b""), inline(b"some bytes"), in_blob(9), without_md5] {
        let (stored, _) = put_one(catalog, put("b", b"k", content.clone())).await;
        let mut found = object(catalog, b"k").await.unwrap();
        if let (Place::Inline { bytes, .. }, PlacedBytes::Inline(chunks)) =
            (&mut found.content.place, &content.bytes)
        {
            assert_eq!(bytes.take().unwrap(), chunks.concat());
        }
        assert_eq!(found, stored);
        assert_eq!((found.len, found.md5, found.crc64), (content.len, content.md5, content.crc64));
        assert_eq!((found.modified, &found.attributes[..]), (fixture.clock.now(), &b"attributes"[..]));
    }
    assert!(object(catalog, b"other").await.is_none());
    assert!(catalog.object("other", Bytes::from_static(b"k")).await.unwrap().is_none());
}

/// Never the same sequence again, also after a deletion.
pub async fn a_put_replaces_what_the_key_held_under_a_higher_sequence(fixture: &CatalogFixture) {
    let catalog = with_bucket(fixture).await;
    let (first, _) = put_one(catalog, put("b", b"k", inline(b"first"))).await;
    let (second, _) = put_one(catalog, put("b", b"k", inline(b"second"))).await;
    one(catalog, delete("b", b"k", None)).await.unwrap();
    let (third, _) = put_one(catalog, put("b", b"k", inline(b"third"))).await;
    assert!(first.sequence < second.sequence && second.sequence < third.sequence);
    assert_eq!(object(catalog, b"k").await.unwrap().len, 5);
}

/// The earlier one wins.
pub async fn forbidding_to_overwrite_sees_earlier_puts_of_its_own_batch(fixture: &CatalogFixture) {
    let catalog = with_bucket(fixture).await;
    let batch = vec![put_with("b", b"k", true, None), put_with("b", b"k", true, None)];
    let outcome = several(catalog, batch).await;
    assert!(outcome[0].is_ok());
    assert_eq!(outcome[1].as_ref().unwrap_err(), &PutRefusal::ObjectExists);
}

/// Values, not failed transactions.
pub async fn a_refusal_leaves_the_rest_of_its_batch_alone(fixture: &CatalogFixture) {
    let catalog = with_bucket(fixture).await;
    let batch = vec![
        put("b", b"before", inline(b"x")),
        put("nowhere", b"k", inline(b"x")),
        put("b", b"after", inline(b"x")),
    ];
    let outcome = several(catalog, batch).await;
    assert_eq!(outcome[1].as_ref().unwrap_err(), &PutRefusal::NoSuchBucket);
    assert!(object(catalog, b"before").await.is_some() && object(catalog, b"after").await.is_some());
}

/// A missing object is no refusal, unless a certain one was meant.
pub async fn deleting_names_what_it_removed_and_minds_the_sequence(fixture: &CatalogFixture) {
    let catalog = with_bucket(fixture).await;
    let removed = |removed| Ok(ObjectDeleted { removed });
    assert_eq!(one(catalog, delete("b", b"k", None)).await, removed(None));
    assert_eq!(one(catalog, delete("b", b"k", Some(1))).await, Err(DeleteRefusal::ObjectChanged));
    let (stored, _) = put_one(catalog, put("b", b"k", inline(b"x"))).await;
    let another = Some(stored.sequence + 1);
    assert_eq!(one(catalog, delete("b", b"k", another)).await, Err(DeleteRefusal::ObjectChanged));
    let meant = Some(stored.sequence);
    assert_eq!(one(catalog, delete("b", b"k", meant)).await, removed(meant));
    assert_eq!(one(catalog, delete("nowhere", b"k", None)).await, Err(DeleteRefusal::NoSuchBucket));
}

/// Nothing else of the object changes, and what another has changed since it was found is not lost.
pub async fn attributes_are_written_to_the_object_that_was_found_and_to_no_other(fixture: &CatalogFixture) {
    let catalog = with_bucket(fixture).await;
    let changed = Err(PutAttributesRefusal::ObjectChanged);
    assert_eq!(one(catalog, put_attributes("b", b"k", 1)).await, changed);
    let (stored, _) = put_one(catalog, put("b", b"k", inline(b"x"))).await;
    let (sequence, attributes) = (stored.sequence, Bytes::from_static(b"others"));
    assert_eq!(one(catalog, put_attributes("b", b"k", sequence + 1)).await, changed);
    assert_eq!(one(catalog, put_attributes("b", b"other", sequence)).await, changed);
    assert_eq!(one(catalog, put_attributes("b", b"k", sequence)).await, Ok(()));
    let expected = ObjectRecord { attributes: attributes.clone(), ..stored };
    let now = object(catalog, b"k").await.unwrap();
    assert_eq!((now.sequence, now.len, now.modified), (expected.sequence, expected.len, expected.modified));
    assert_eq!((now.attributes, now.md5, now.crc64), (attributes, expected.md5, expected.crc64));
    assert_eq!(one(catalog, put_attributes("b", b"k", sequence)).await, changed);
    let nowhere = put_attributes("nowhere", b"k", sequence);
    assert_eq!(one(catalog, nowhere).await, Err(PutAttributesRefusal::NoSuchBucket));
}

/// In the order of commits, with what the failed attempts said; a refused put owes nothing.
pub async fn what_is_owed_is_written_with_its_object_and_stays_until_it_is_delivered(
    fixture: &CatalogFixture,
) {
    let catalog = with_bucket(fixture).await;
    let (object, first) = put_one(catalog, put_with("b", b"k", false, Some(b"first"))).await;
    let (_, second) = put_one(catalog, put_with("b", b"l", false, Some(b"second"))).await;
    one(catalog, put_with("b", b"k", true, Some(b"refused"))).await.unwrap_err();
    let (first, second) = (first.unwrap(), second.unwrap());
    let outcome = DeliveryOutcome::Failed("timed out".to_owned());
    one(catalog, CloseOutboxEntry { id: second, outcome }).await.unwrap();
    let owed = catalog.outbox(0, 9).await.unwrap();
    assert_eq!(owed.iter().map(|owed| owed.id).collect::<Vec<_>>(), [first, second]);
    assert_eq!(
        (&owed[0].payload[..], owed[0].attempts, owed[0].sequence),
        (&b"first"[..], 0, object.sequence)
    );
    assert_eq!(
        (owed[0].bucket.as_str(), &owed[0].key[..], owed[0].created),
        ("b", &b"k"[..], fixture.clock.now())
    );
    assert_eq!((owed[1].attempts, owed[1].last_error.as_deref()), (1, Some("timed out")));
    one(catalog, CloseOutboxEntry { id: first, outcome: DeliveryOutcome::Delivered }).await.unwrap();
    let again = one(catalog, CloseOutboxEntry { id: first, outcome: DeliveryOutcome::Delivered }).await;
    assert_eq!(again.unwrap_err(), NoSuchOutboxEntry);
    assert_eq!(catalog.outbox(0, 9).await.unwrap().len(), 1);
    assert_eq!(catalog.outbox(second, 9).await.unwrap().len(), 0);
}

/// Without another change to ride with.
pub async fn a_change_that_nobody_waits_for_is_made_soon(fixture: &CatalogFixture) {
    let catalog = with_bucket(fixture).await;
    let (_, id) = put_one(catalog, put_with("b", b"k", false, Some(b"payload"))).await;
    let close = CloseOutboxEntry { id: id.unwrap(), outcome: DeliveryOutcome::Delivered };
    catalog.apply_later(Asked::without_answer(close).into());
    for _ in 0..200 {
        if catalog.outbox(0, 9).await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the entry is still open after two seconds");
}

async fn garbage(fixture: &CatalogFixture) -> Vec<Piece> {
    let due = fixture.catalog.garbage(fixture.clock.now(), None, 99).await.unwrap();
    due.into_iter().map(|garbage| garbage.piece).collect()
}

/// Blobs and inline rows alike; what is garbage is still named.
pub async fn replaced_and_deleted_bytes_become_garbage_after_their_grace(fixture: &CatalogFixture) {
    let catalog = with_bucket(fixture).await;
    put_one(catalog, put("b", b"k", in_blob(1))).await;
    put_one(catalog, put("b", b"k", in_blob(2))).await;
    one(catalog, delete("b", b"k", None)).await.unwrap();
    assert_eq!(garbage(fixture).await, []);
    fixture.clock.advance(GRACE_SECONDS + 1);
    let blob = |id| Piece::Blob(BlobId([id; 16]));
    assert_eq!(garbage(fixture).await, [blob(1), blob(2)]);
    let ids = |numbers: &[u8]| numbers.iter().map(|number| BlobId([*number; 16])).collect::<Vec<_>>();
    put_one(catalog, put("b", b"k", in_blob(3))).await;
    assert_eq!(catalog.unnamed(ids(&[1, 3, 4])).await.unwrap(), ids(&[4]));
    let due = catalog.garbage(fixture.clock.now(), None, 1).await.unwrap();
    assert_eq!(due.len(), 1);
    let behind = catalog.garbage(fixture.clock.now(), due.first().cloned(), 9).await.unwrap();
    assert_eq!(behind.iter().map(|garbage| garbage.piece).collect::<Vec<_>>(), [blob(2)]);
    catalog.forget_garbage(due).await.unwrap();
    assert_eq!(garbage(fixture).await, [blob(2)]);
    assert_eq!(catalog.unnamed(ids(&[1, 3, 4])).await.unwrap(), ids(&[1, 4]));
}

/// It was never visible, and its uploader may not delete it.
pub async fn the_blob_of_a_refused_put_is_garbage_at_once(fixture: &CatalogFixture) {
    let catalog = with_bucket(fixture).await;
    one(catalog, put("nowhere", b"k", in_blob(5))).await.unwrap_err();
    assert_eq!(garbage(fixture).await, [Piece::Blob(BlobId([5; 16]))]);
}

/// For readers that have resolved their object already.
pub async fn inline_bytes_stay_readable_until_their_garbage_is_forgotten(fixture: &CatalogFixture) {
    let catalog = with_bucket(fixture).await;
    let (stored, _) = put_one(catalog, put("b", b"k", inline(b"still here"))).await;
    let Place::Inline { row, .. } = stored.content.place else { panic!("{stored:?}") };
    one(catalog, delete("b", b"k", None)).await.unwrap();
    assert_eq!(catalog.inline_bytes(row).await.unwrap().unwrap(), "still here");
    fixture.clock.advance(GRACE_SECONDS + 1);
    let due = catalog.garbage(fixture.clock.now(), None, 9).await.unwrap();
    catalog.forget_garbage(due).await.unwrap();
    assert!(catalog.inline_bytes(row).await.unwrap().is_none());
}

/// Nothing more.
pub async fn the_mark_of_the_blobs_is_kept(fixture: &CatalogFixture) {
    assert_eq!(fixture.catalog.blob_mark().await.unwrap(), 0);
    fixture.catalog.put_blob_mark(7).await.unwrap();
    assert_eq!(fixture.catalog.blob_mark().await.unwrap(), 7);
}

/// No collation, no normal form, no end at a NUL.
pub async fn keys_are_bytes_and_differ_in_every_one_of_them(fixture: &CatalogFixture) {
    let catalog = with_bucket(fixture).await;
    let keys: [&'static [u8]; 7] =
        [b"a", b"A", b"a\0", b"a\0b", b"\xff\xfe", "é".as_bytes(), "e\u{301}".as_bytes()];
    for (number, key) in keys.iter().enumerate() {
        put_one(catalog, put("b", key, in_blob(number as u8))).await;
    }
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(object(catalog, key).await.unwrap().md5, Some([number as u8; 16]), "{key:?}");
    }
}
