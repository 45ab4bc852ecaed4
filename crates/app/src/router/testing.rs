//! Further query parameters of `/signature` for throw-away instances: a test chooses the bucket and the callback's
//! address. An application server that signs for users never has them, because both would be the uploader's choice.

use std::{future::Future, net::Ipv4Addr, pin::Pin, sync::Arc};

use countersign_protocol::callback::CallbackUrl;

use crate::answer::Answer;

/// Finds the upload address of a bucket by its name; `None` where there is no such bucket.
pub type UploadHost =
    Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = Option<String>> + Send>> + Send + Sync>;

/// What a test may choose in the query of `/signature`; see [`AppOptions::testing`](super::AppOptions::testing).
#[derive(Clone)]
pub struct TestingChoices {
    /// Knows the buckets that `bucket=NAME` may name.
    pub upload_host: UploadHost,
}

/// A bucket, and the address that its forms go to.
pub(super) struct ChosenBucket {
    pub(super) name: String,
    pub(super) host: String,
}

impl TestingChoices {
    /// The bucket that `bucket=NAME` names.
    pub(super) async fn bucket(&self, name: &str) -> Result<ChosenBucket, Answer> {
        match (self.upload_host)(name.to_owned()).await {
            Some(host) => Ok(ChosenBucket { name: name.to_owned(), host }),
            None => Err(Answer::bad_request("InvalidBucket", &format!("there is no bucket {name:?} here"))),
        }
    }
}

/// The address that `callback_url=URL` names: on this machine and without TLS, as a handler within a test listens.
/// It is read as the store reads it, so that the two cannot understand different hosts.
pub(super) fn loopback_url(text: &str) -> Result<String, Answer> {
    let refused = |reason: &str| {
        let message = format!("callback_url is one address as in http://127.0.0.1:8000/callback: {reason}");
        Err(Answer::bad_request("InvalidCallbackUrl", &message))
    };
    if text.contains(';') {
        return refused("a semicolon separates several");
    }
    if !text.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://")) {
        return refused("it does not begin with http://");
    }
    match CallbackUrl::parse(text) {
        Ok(url) if is_loopback(&url.host) => Ok(text.to_owned()),
        Ok(_) => refused("its host is neither localhost nor in 127.0.0.0/8"),
        Err(error) => refused(&error.to_string()),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}
