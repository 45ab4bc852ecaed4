//! The bucket that the page uploads into: made at the first start, its objects expired after a day, readable from the
//! page's own addresses only.

use std::collections::BTreeMap;

use anyhow::Context as _;
use countersign_protocol::xml::CorsConfiguration;
use countersign_server::bucket_rules::mode::BucketMode;
use countersign_server::bucket_rules::settings;
use countersign_store::{BucketExists, CommitError, CreateBucket, PutSetting, Store};

use crate::bucket::page_origins;

/// The bucket that the page uploads into.
pub(super) const BUCKET: &str = "demo";
/// After how many days an object is deleted.
const RETENTION_DAYS: u32 = 1;
/// The same for the page.
pub(crate) const RETENTION_HOURS: u32 = RETENTION_DAYS * 24;

/// Makes the bucket if need be, and writes the CORS rule for where the page is this time.
pub(crate) async fn prepare(store: &Store, origins: &[String]) -> anyhow::Result<()> {
    let name = BUCKET;
    let lifecycle = (settings::LIFECYCLE.to_owned(), lifecycle().into_bytes());
    let mode = (settings::MODE.to_owned(), BucketMode::Guarded.as_str().as_bytes().to_vec());
    let settings = BTreeMap::from([lifecycle, mode]);
    match store.commit(CreateBucket { name: name.to_owned(), settings }).await {
        Ok(_) => {}
        Err(CommitError::Refused(BucketExists)) => guard_if_unsaid(store, name).await?,
        Err(error) => return Err(error).context("the bucket cannot be made"),
    }
    let cors = CorsConfiguration { rules: vec![page_origins::rule(origins)?], response_vary: false };
    let rule = PutSetting {
        bucket: name.to_owned(),
        name: settings::CORS.to_owned(),
        value: Some(cors.to_xml().into_bytes()),
    };
    store.commit(rule).await.context("the bucket's CORS rule cannot be written")?;
    Ok(())
}

/// Gives a bucket that an older version made its mode. A mode that somebody chose since then stays.
async fn guard_if_unsaid(store: &Store, name: &str) -> anyhow::Result<()> {
    let bucket = store.bucket(name).await.context("the bucket cannot be read")?;
    if bucket.is_some_and(|bucket| bucket.settings.contains_key(settings::MODE)) {
        return Ok(());
    }
    let word = BucketMode::Guarded.as_str().as_bytes().to_vec();
    let (bucket, setting) = (name.to_owned(), settings::MODE.to_owned());
    let guard = PutSetting { bucket, name: setting, value: Some(word) };
    store.commit(guard).await.context("the bucket's mode cannot be written")?;
    Ok(())
}

fn lifecycle() -> String {
    format!(
        "<LifecycleConfiguration><Rule><ID>one-day</ID><Prefix></Prefix><Status>Enabled</Status>\
         <Expiration><Days>{RETENTION_DAYS}</Days></Expiration></Rule></LifecycleConfiguration>"
    )
}
