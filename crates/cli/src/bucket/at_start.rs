//! Makes the buckets that `store --bucket` names, before the server listens.

use std::collections::BTreeMap;

use anyhow::Context as _;
use countersign_protocol::BucketName;
use countersign_protocol::xml::CorsConfiguration;
use countersign_server::bucket_rules::mode::BucketMode;
use countersign_server::bucket_rules::settings;
use countersign_store::{BucketExists, CommitError, CreateBucket, PutSetting, Store};

use super::page_origins;

/// Makes each bucket, guarded, unless it is there, and lets pages of the origins upload into it. What is set already
/// stays as it is.
pub(crate) async fn make(store: &Store, names: &[String], origins: &[String]) -> anyhow::Result<()> {
    for name in names {
        BucketName::parse(name).with_context(|| format!("--bucket {name}"))?;
        let mode = (settings::MODE.to_owned(), BucketMode::Guarded.as_str().as_bytes().to_vec());
        let making = CreateBucket { name: name.clone(), settings: BTreeMap::from([mode]) };
        match store.commit(making).await {
            Ok(_) | Err(CommitError::Refused(BucketExists)) => {}
            Err(error) => return Err(error).with_context(|| format!("the bucket {name} cannot be made")),
        }
        if !origins.is_empty() {
            allow(store, name, origins).await.with_context(|| format!("the CORS rules of {name}"))?;
        }
    }
    Ok(())
}

async fn allow(store: &Store, name: &str, origins: &[String]) -> anyhow::Result<()> {
    let bucket = store.bucket(name).await?.context("the bucket is not there")?;
    let rules = match bucket.settings.get(settings::CORS) {
        Some(document) => CorsConfiguration::parse(document)?,
        None => CorsConfiguration::default(),
    };
    if let Some(rules) = page_origins::added(rules, origins)? {
        let (bucket, setting) = (name.to_owned(), settings::CORS.to_owned());
        let value = Some(rules.to_xml().into_bytes());
        store.commit(PutSetting { bucket, name: setting, value }).await?;
    }
    Ok(())
}
