//! The bucket that the page uploads into: made at the first start, emptied after a day, readable from the
//! page's own addresses only.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use countersign_server::bucket_mode::BucketMode;
use countersign_server::bucket_settings;
use countersign_store::{CommitError, Mutation, Refused, Store};

/// After how many days an object is deleted.
const RETENTION_DAYS: u32 = 1;
/// The same for the page.
pub(crate) const RETENTION_HOURS: u32 = RETENTION_DAYS * 24;

/// Makes the bucket if need be, and writes the CORS rule for where the page is this time.
pub(crate) async fn prepare(store: &Store, name: &str, origins: &[String]) -> anyhow::Result<()> {
    let lifecycle = (bucket_settings::LIFECYCLE.to_owned(), lifecycle().into_bytes());
    let mode = (bucket_settings::MODE.to_owned(), BucketMode::Guarded.as_str().as_bytes().to_vec());
    let settings = BTreeMap::from([lifecycle, mode]);
    match store.commit(Mutation::CreateBucket { name: name.to_owned(), settings }).await {
        Ok(_) => {}
        Err(CommitError::Refused(Refused::BucketExists)) => guard_if_unsaid(store, name).await?,
        Err(error) => return Err(error).context("the bucket cannot be made"),
    }
    let rule = Mutation::PutSetting {
        bucket: name.to_owned(),
        name: bucket_settings::CORS.to_owned(),
        value: Some(cors(origins)?.into_bytes()),
    };
    store.commit(rule).await.context("the bucket's CORS rule cannot be written")?;
    Ok(())
}

/// Gives a bucket that an older version made its mode. A mode that somebody chose since then stays.
async fn guard_if_unsaid(store: &Store, name: &str) -> anyhow::Result<()> {
    let bucket = store.bucket(name).await.context("the bucket cannot be read")?;
    if bucket.is_some_and(|bucket| bucket.settings.contains_key(bucket_settings::MODE)) {
        return Ok(());
    }
    let word = BucketMode::Guarded.as_str().as_bytes().to_vec();
    let (bucket, setting) = (name.to_owned(), bucket_settings::MODE.to_owned());
    let guard = Mutation::PutSetting { bucket, name: setting, value: Some(word) };
    store.commit(guard).await.context("the bucket's mode cannot be written")?;
    Ok(())
}

fn lifecycle() -> String {
    format!(
        "<LifecycleConfiguration><Rule><ID>one-day</ID><Prefix></Prefix><Status>Enabled</Status>\
         <Expiration><Days>{RETENTION_DAYS}</Days></Expiration></Rule></LifecycleConfiguration>"
    )
}

fn cors(origins: &[String]) -> anyhow::Result<String> {
    let mut listed = String::new();
    for origin in origins {
        // An origin is a scheme, a host and a port; anything that XML would read otherwise is none.
        if origin.contains(['<', '&', '*']) {
            bail!("{origin:?} is no origin of a page");
        }
        listed.push_str(&format!("<AllowedOrigin>{origin}</AllowedOrigin>"));
    }
    Ok(format!(
        "<CORSConfiguration><CORSRule>{listed}<AllowedMethod>POST</AllowedMethod><AllowedMethod>GET</AllowedMethod>\
         <AllowedMethod>HEAD</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>\
         <ExposeHeader>x-oss-request-id</ExposeHeader><ExposeHeader>x-oss-hash-crc64ecma</ExposeHeader>\
         <MaxAgeSeconds>600</MaxAgeSeconds></CORSRule></CORSConfiguration>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_lists_exactly_the_origins() {
        let rule = cors(&["http://127.0.0.1:9818".into(), "http://localhost:9818".into()]).unwrap();
        assert_eq!(rule.matches("<AllowedOrigin>").count(), 2);
        assert!(!rule.contains("<AllowedOrigin>*"));
    }

    #[test]
    fn nothing_but_an_origin_gets_into_the_rule() {
        assert!(cors(&["*".into()]).is_err());
        assert!(cors(&["http://a</AllowedOrigin>".into()]).is_err());
    }
}
