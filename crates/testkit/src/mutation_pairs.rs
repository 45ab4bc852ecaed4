//! Checks every ordered pair of mutations on the same bucket and key, from every state that matters: within one
//! batch, and at once.

use crate::CatalogFixture;
use crate::catalog_suite::{create, delete, one, put_attributes, put_one, put_with};
use bytes::Bytes;
use countersign_store::catalog::{AnyMutation, Asked, Catalog, Placed};
use countersign_store::{CloseOutboxEntry, DeleteBucket, DeliveryOutcome, PutSetting};

const KINDS: usize = 10;
const STATES: [State; 3] = [State::NoBucket, State::Empty, State::Holding];

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    NoBucket,
    Empty,
    /// With an object that something is owed for.
    Holding,
}

/// What the state's preparation has left: the object's sequence, which is the outbox entry's id.
async fn prepare(catalog: &dyn Catalog, bucket: &str, state: State) -> u64 {
    if state == State::NoBucket {
        return u64::MAX >> 1;
    }
    one(catalog, create(bucket)).await.unwrap();
    if state == State::Empty {
        return u64::MAX >> 1;
    }
    put_one(catalog, put_with(bucket, b"k", false, Some(b"prepared"))).await.0.sequence
}

/// A mutation, and what its answer says, without its numbers.
type Told = (AnyMutation, Box<dyn FnOnce() -> String>);

fn told<M: Placed>(mutation: M, say: fn(M::Outcome) -> String) -> Told {
    let (asked, answer) = Asked::new(mutation);
    let say = move || match answer.read().unwrap() {
        Ok(outcome) => say(outcome),
        Err(refused) => format!("{refused:?}"),
    };
    (asked.into(), Box::new(say))
}

fn mutation(kind: usize, bucket: &str, prepared: u64) -> Told {
    let put = |forbid, owes| {
        told(put_with(bucket, b"k", forbid, owes), |put| format!("put, owed: {}", put.outbox_id.is_some()))
    };
    let deleted = |sequence| {
        told(delete(bucket, b"k", sequence), |deleted| format!("deleted: {}", deleted.removed.is_some()))
    };
    match kind {
        0 => told(create(bucket), |_| "created".to_owned()),
        1 => told(DeleteBucket { name: bucket.to_owned() }, |()| "removed".to_owned()),
        2 => {
            let (bucket, value) = (bucket.to_owned(), Some(b"value".to_vec()));
            told(PutSetting { bucket, name: "s".to_owned(), value }, |()| "set".to_owned())
        }
        3 => put(false, None),
        4 => put(true, None),
        5 => put(false, Some(b"owed")),
        6 => deleted(None),
        7 => deleted(Some(prepared)),
        8 => told(put_attributes(bucket, b"k", prepared), |()| "described".to_owned()),
        _ => {
            let close = CloseOutboxEntry { id: prepared, outcome: DeliveryOutcome::Delivered };
            told(close, |()| "closed".to_owned())
        }
    }
}

/// What is left, without its numbers.
async fn left(catalog: &dyn Catalog, bucket: &str) -> String {
    let object = catalog.object(bucket, Bytes::from_static(b"k")).await.unwrap();
    let settings = catalog.bucket(bucket).await.unwrap().map(|bucket| bucket.settings.clone());
    let owed = catalog.outbox(0, usize::MAX >> 1).await.unwrap();
    let owed: Vec<_> = owed.iter().filter(|owed| owed.bucket == bucket).map(|owed| &owed.payload).collect();
    format!("{:?} {settings:?} {owed:?}", object.map(|object| (object.len, object.attributes)))
}

/// Both outcomes and what is left, when the pair is applied by `apply`.
async fn one_after_the_other(
    catalog: &dyn Catalog,
    bucket: &str,
    state: State,
    pair: [usize; 2],
) -> [String; 3] {
    let prepared = prepare(catalog, bucket, state).await;
    let (first, say_first) = mutation(pair[0], bucket, prepared);
    catalog.apply(vec![first]).await.unwrap();
    let (second, say_second) = mutation(pair[1], bucket, prepared);
    catalog.apply(vec![second]).await.unwrap();
    [say_first(), say_second(), left(catalog, bucket).await]
}

fn pairs() -> impl Iterator<Item = (State, [usize; 2])> {
    let pairs = (0..KINDS).flat_map(|first| (0..KINDS).map(move |second| [first, second]));
    pairs.flat_map(|pair| STATES.map(|state| (state, pair)))
}

/// Each mutation sees those before it, whether they are committed or not.
pub async fn any_two_mutations_of_one_batch_do_what_they_do_one_after_the_other(fixture: &CatalogFixture) {
    let catalog = &*fixture.catalog;
    for (number, (state, pair)) in pairs().enumerate() {
        let bucket = format!("batch-{number}");
        let prepared = prepare(catalog, &bucket, state).await;
        let [(first, say_first), (second, say_second)] = pair.map(|kind| mutation(kind, &bucket, prepared));
        catalog.apply(vec![first, second]).await.unwrap();
        let together = [say_first(), say_second(), left(catalog, &bucket).await];
        let apart = one_after_the_other(catalog, &format!("apart-{number}"), state, pair).await;
        assert_eq!(together, apart, "{pair:?} from {state:?}");
    }
}

/// Whoever comes first: nothing in between.
pub async fn any_two_mutations_at_once_do_what_one_of_their_orders_does(fixture: &CatalogFixture) {
    let catalog = &*fixture.catalog;
    for (number, (state, pair)) in pairs().enumerate().filter(|(_, (_, pair))| pair[0] <= pair[1]) {
        let bucket = format!("race-{number}");
        let prepared = prepare(catalog, &bucket, state).await;
        let [(first, say_first), (second, say_second)] = pair.map(|kind| mutation(kind, &bucket, prepared));
        let (first, second) = (catalog.apply(vec![first]), catalog.apply(vec![second]));
        second.await.unwrap();
        first.await.unwrap();
        let raced = [say_first(), say_second(), left(catalog, &bucket).await];
        let forwards = one_after_the_other(catalog, &format!("forwards-{number}"), state, pair).await;
        let turned = [pair[1], pair[0]];
        let [second, first, left] =
            one_after_the_other(catalog, &format!("backwards-{number}"), state, turned).await;
        assert!(raced == forwards || raced == [first, second, left], "{pair:?} from {state:?}: {raced:?}");
    }
}
