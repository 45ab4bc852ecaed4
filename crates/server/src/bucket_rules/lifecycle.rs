//! Applies lifecycle rules: deletes objects that have expired. Their bytes are removed by the store's sweeper.
//!
//! A day is 24 hours by the injected clock, counted from the moment the object was last written. An object is
//! deleted only as it was seen: one that was overwritten in the meantime has begun a new life.
//!
//! Clauses BKT-13 to BKT-17.

use std::{future::Future, pin::pin, time::Duration};

use countersign_protocol::xml::{Expiration, LifecycleRule};
use countersign_store::{
    ApplyError, BucketRecord, Clock, DeleteObject, Entry, ListQuery, ObjectRecord, QueryError, Store,
};
use jiff::{SignedDuration, Timestamp};

use crate::bucket_rules::rules::RulesCache;
use crate::error_chain::ErrorChain;

/// How many names are looked at in one query.
const PAGE_NAMES: usize = 500;

/// Why a pass ended early. What it deleted before stays deleted, and the next pass goes on.
#[derive(Debug, thiserror::Error)]
pub enum LifecycleError {
    /// The catalog could not be asked.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The deletions could not be written.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

/// Carries the rules of all buckets out, at once and then every `interval`, until `stop` is ready.
pub(crate) async fn run(
    store: &Store,
    clock: &Clock,
    rules: &RulesCache,
    interval: Duration,
    stop: impl Future<Output = ()>,
) {
    let mut stop = pin!(stop);
    loop {
        match pass(store, clock, rules).await {
            Ok(0) => {}
            Ok(objects) => tracing::info!(objects, "expired objects were deleted"),
            Err(error) => {
                tracing::error!(error = %ErrorChain(&error), "the lifecycle rules could not be carried out to their end")
            }
        }
        tokio::select! {
            () = &mut stop => return,
            () = clock.sleep(interval) => {}
        }
    }
}

/// One pass over all buckets; says how many objects it deleted.
pub(crate) async fn pass(store: &Store, clock: &Clock, rules: &RulesCache) -> Result<u64, LifecycleError> {
    let (mut deleted, mut after) = (0, String::new());
    loop {
        let buckets = store.buckets("", &after, PAGE_NAMES).await?;
        let Some(last) = buckets.last() else { return Ok(deleted) };
        after.clone_from(&last.name);
        for bucket in &buckets {
            let rules = rules.of(bucket);
            let Some(configuration) = &rules.lifecycle else { continue };
            for rule in configuration.rules.iter().filter(|rule| rule.enabled) {
                deleted += carry_out(store, bucket, rule, clock.wall()).await?;
            }
        }
    }
}

async fn carry_out(
    store: &Store,
    bucket: &BucketRecord,
    rule: &LifecycleRule,
    now: Timestamp,
) -> Result<u64, LifecycleError> {
    let Some(expiration) = rule.expiration else { return Ok(0) };
    let (mut deleted, mut after) = (0, Vec::new());
    loop {
        let query = ListQuery {
            prefix: rule.prefix.clone().into_bytes(),
            delimiter: Vec::new(),
            after,
            limit: PAGE_NAMES,
        };
        let page = match store.list(&bucket.name, query).await {
            // Deleted since the buckets were listed.
            Err(QueryError::NoSuchBucket) => return Ok(deleted),
            page => page?,
        };
        let expired = page.entries.iter().filter_map(|entry| match entry {
            Entry::Object(object) if has_expired(expiration, object, now) => Some(deletion(bucket, object)),
            _ => None,
        });
        let expired: Vec<DeleteObject> = expired.collect();
        if !expired.is_empty() {
            // A refusal means that somebody was faster: the object or the bucket is another one now.
            deleted += store.apply(expired).await?.iter().filter(|outcome| outcome.is_ok()).count() as u64;
        }
        match page.next {
            Some(next) => after = next.to_vec(),
            None => return Ok(deleted),
        }
    }
}

fn deletion(bucket: &BucketRecord, object: &ObjectRecord) -> DeleteObject {
    DeleteObject {
        bucket: bucket.name.clone(),
        key: object.key.clone(),
        only_if_sequence: Some(object.sequence),
    }
}

fn has_expired(expiration: Expiration, object: &ObjectRecord, now: Timestamp) -> bool {
    match expiration {
        Expiration::Days(days) => {
            now.duration_since(object.modified) >= SignedDuration::from_hours(24 * i64::from(days))
        }
        Expiration::CreatedBeforeDate(date) => object.modified < date,
        Expiration::Date(date) => now >= date,
    }
}
