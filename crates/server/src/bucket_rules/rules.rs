//! Parses a bucket's settings once, and again only when they changed.
//!
//! A setting that cannot be read, which only damage can leave, grants nothing and deletes nothing, and is logged.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use countersign_protocol::Acl;
use countersign_protocol::xml::{CorsConfiguration, LifecycleConfiguration};
use countersign_store::BucketRecord;

use crate::bucket_rules::mode::BucketMode;
use crate::bucket_rules::settings;

/// How many buckets' rules are kept; with the next one it is begun anew.
const KEPT_MAX: usize = 4_096;

/// What the settings of a bucket mean.
#[derive(Debug)]
pub(crate) struct BucketRules {
    /// Who may do what without a key.
    pub(crate) acl: Acl,
    /// How much it demands of the policies of forms.
    pub(crate) mode: BucketMode,
    /// Which pages of other origins may ask.
    pub(crate) cors: Option<CorsConfiguration>,
    /// When objects expire.
    pub(crate) lifecycle: Option<LifecycleConfiguration>,
}

impl BucketRules {
    fn read(bucket: &BucketRecord) -> Self {
        let cors = bucket.settings.get(settings::CORS).map(|document| CorsConfiguration::parse(document));
        let cors = cors.transpose().unwrap_or_else(|error| {
            tracing::error!(bucket = bucket.name, %error, "the CORS rules cannot be read");
            None
        });
        let lifecycle = bucket.settings.get(settings::LIFECYCLE);
        let lifecycle = lifecycle.map(|document| LifecycleConfiguration::parse(document)).transpose();
        let lifecycle = lifecycle.unwrap_or_else(|error| {
            tracing::error!(bucket = bucket.name, %error, "the lifecycle rules cannot be read");
            None
        });
        Self { acl: settings::acl(bucket), mode: BucketMode::of(bucket), cors, lifecycle }
    }
}

/// The rules of the buckets that were asked for, each beside the very record that it was read from.
///
/// The store hands out the same record until the bucket changes, and another one from then on, so that a record's
/// identity is its revision. It is held here, and can therefore not be changed in place nor its address be reused.
#[derive(Debug, Default)]
pub(crate) struct RulesCache(RwLock<HashMap<String, Kept>>);

type Kept = (Arc<BucketRecord>, Arc<BucketRules>);

impl RulesCache {
    /// The rules of a bucket as this record has it.
    pub(crate) fn of(&self, record: &Arc<BucketRecord>) -> Arc<BucketRules> {
        {
            let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((known, rules)) = kept.get(&record.name)
                && Arc::ptr_eq(known, record)
            {
                return Arc::clone(rules);
            }
        }
        let rules = Arc::new(BucketRules::read(record));
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX && !kept.contains_key(&record.name) {
            kept.clear();
        }
        kept.insert(record.name.clone(), (Arc::clone(record), Arc::clone(&rules)));
        rules
    }
}

#[cfg(test)]
mod tests {
    use countersign_store::{Clock, CreateBucket, DeleteBucket, PutSetting, Store, StoreOptions};
    use jiff::Timestamp;

    use super::*;

    async fn bucket(store: &Store) -> Arc<BucketRecord> {
        store.bucket("bucket").await.unwrap().unwrap()
    }

    async fn set_acl(store: &Store, word: &str) {
        let (bucket, name) = ("bucket".to_owned(), settings::ACL.to_owned());
        store.commit(PutSetting { bucket, name, value: Some(word.into()) }).await.unwrap();
    }

    #[tokio::test]
    async fn rules_are_read_once_and_again_after_every_change_of_the_bucket() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::with_wall(|| Timestamp::UNIX_EPOCH);
        let store = Store::open(StoreOptions::new(folder.path(), clock)).await.unwrap();
        let creation = || CreateBucket { name: "bucket".to_owned(), settings: Default::default() };
        store.commit(creation()).await.unwrap();
        let cache = RulesCache::default();
        let first = cache.of(&bucket(&store).await);
        assert_eq!(first.acl, Acl::Private);
        assert!(Arc::ptr_eq(&first, &cache.of(&bucket(&store).await)), "nothing changed");
        set_acl(&store, "public-read").await;
        assert_eq!(cache.of(&bucket(&store).await).acl, Acl::PublicRead);
        let before = bucket(&store).await;
        store.commit(DeleteBucket { name: "bucket".to_owned() }).await.unwrap();
        store.commit(creation()).await.unwrap();
        assert_eq!(cache.of(&bucket(&store).await).acl, Acl::Private, "made anew");
        assert_eq!(cache.of(&before).acl, Acl::PublicRead, "a request under way keeps what it found");
        assert_eq!(cache.of(&bucket(&store).await).acl, Acl::Private, "and nobody else gets it");
    }
}
