//! Checks listings against a model that looks at every key.

use crate::CatalogFixture;
use crate::catalog_suite::{create, in_blob, one, put};
use countersign_store::catalog::{Asked, Catalog};
use countersign_store::{Entry, ListQuery};
use proptest::collection::{btree_set, vec};
use proptest::prelude::Strategy;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;

/// How many random buckets and queries are tried.
const CASES: usize = 150;

type Keys = BTreeSet<Vec<u8>>;

/// The names of a page, common prefixes marked.
type Names = Vec<(bool, Vec<u8>)>;

async fn fill(catalog: &dyn Catalog, bucket: &str, keys: &Keys) {
    let (create, created) = Asked::new(create(bucket));
    let puts = keys.iter().map(|key| Asked::new(put(bucket, key, in_blob(1))));
    let (puts, stored): (Vec<_>, Vec<_>) = puts.unzip();
    let batch = std::iter::once(create.into()).chain(puts.into_iter().map(Into::into));
    catalog.apply(batch.collect()).await.unwrap();
    created.read().unwrap().unwrap();
    stored.into_iter().for_each(|put| drop(put.read().unwrap().unwrap()));
}

async fn page(catalog: &dyn Catalog, bucket: &str, query: &ListQuery) -> (Names, Option<Vec<u8>>) {
    let page = catalog.list(bucket, query.clone()).await.unwrap().unwrap();
    let names = page.entries.iter().map(|entry| {
        let common = matches!(entry, Entry::CommonPrefix(_));
        (common, entry.name().to_vec())
    });
    (names.collect(), page.next.map(|next| next.to_vec()))
}

/// All entries by looking at every key: what is beyond the limit shows whether more follows.
fn model(keys: &Keys, query: &ListQuery) -> Names {
    let mut names = Names::new();
    for key in keys.iter().filter(|key| key.starts_with(&query.prefix) && **key > query.after) {
        let rest = &key[query.prefix.len()..];
        let delimiter = &query.delimiter;
        let at = (0..rest.len()).find(|at| !delimiter.is_empty() && rest[*at..].starts_with(delimiter));
        let name = match at {
            None => (false, key.clone()),
            Some(at) => (true, key[..query.prefix.len() + at + delimiter.len()].to_vec()),
        };
        if name.1 != query.after && names.last() != Some(&name) {
            names.push(name);
        }
    }
    names
}

/// Walks a bucket page by page, with and without a delimiter.
pub async fn pages_follow_on_one_another_without_gap_or_repetition(fixture: &CatalogFixture) {
    let catalog = &*fixture.catalog;
    let keys: Keys = (0..60u32).map(|n| format!("{}/{}", n % 7, n).into_bytes()).collect();
    fill(catalog, "b", &keys).await;
    for delimiter in [&b""[..], b"/"] {
        for limit in [1, 3, 60, 61] {
            let mut query = ListQuery { delimiter: delimiter.to_vec(), limit, ..ListQuery::default() };
            let expected = model(&keys, &query);
            let mut walked = Names::new();
            loop {
                let (names, next) = page(catalog, "b", &query).await;
                walked.extend(names);
                let Some(next) = next else { break };
                query.after = next;
            }
            assert_eq!(walked, expected, "{delimiter:?} by {limit}");
        }
    }
    assert!(catalog.list("nowhere", ListQuery::default()).await.unwrap().is_none());
    one(catalog, create("empty")).await.unwrap();
    assert_eq!(page(catalog, "empty", &ListQuery { limit: 5, ..ListQuery::default() }).await, (vec![], None));
}

/// Keys, prefixes, delimiters and starts of few letters, so that they meet often.
pub async fn a_listing_agrees_with_a_model_for_any_keys_and_any_query(fixture: &CatalogFixture) {
    let letters = || vec(select(vec![0u8, b'/', b'a', b'b', 0xff]), 0..5);
    let key = vec(select(vec![0u8, b'/', b'a', b'b', 0xff]), 1..6);
    let queries = vec((letters(), vec(select(vec![b'/', b'a', 0xff]), 0..3), letters(), 0..6usize), 6);
    let strategy = (btree_set(key, 0..25), queries);
    let mut runner = TestRunner::default();
    for case in 0..CASES {
        let (keys, queries) = strategy.new_tree(&mut runner).unwrap().current();
        let bucket = format!("case-{case}");
        fill(&*fixture.catalog, &bucket, &keys).await;
        for (prefix, delimiter, after, limit) in queries {
            let query = ListQuery { prefix, delimiter, after, limit };
            let mut expected = model(&keys, &query);
            let more = limit > 0 && expected.len() > limit;
            expected.truncate(limit);
            let next = expected.last().filter(|_| more).map(|(_, name)| name.clone());
            let found = page(&*fixture.catalog, &bucket, &query).await;
            assert_eq!(found, (expected, next), "{query:?} of {keys:?}");
        }
    }
}
