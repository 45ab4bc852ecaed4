//! Uploads one file: asks for a signature, posts the form, reads the answer. Every failure on the way becomes an
//! outcome in words.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use indicatif::ProgressBar;
use reqwest::{Client, Url};

use super::form;
use super::local_files::LocalFile;
use super::outcome::Outcome;
use super::permission::SignatureEndpoint;
use crate::wording::{innermost, sentence};

/// A server that is there takes a connection within this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends a file and says what became of it.
pub(super) async fn send(endpoint: &SignatureEndpoint, file: &LocalFile, bar: &ProgressBar) -> Outcome {
    let sent = match try_send(endpoint, file, bar).await {
        // It ran out on the way, or this device and the store disagree about the time: a fresh one, once.
        Ok(Outcome::Expired { .. }) => {
            bar.reset();
            try_send(endpoint, file, bar).await
        }
        sent => sent,
    };
    sent.unwrap_or_else(|error| Outcome::Failed { message: sentence(&error) })
}

async fn try_send(
    endpoint: &SignatureEndpoint,
    file: &LocalFile,
    bar: &ProgressBar,
) -> anyhow::Result<Outcome> {
    bar.set_message("getting permission");
    let permission = endpoint.ask().await?;
    let built = form::build(&permission, file, endpoint.keep_name, bar).await?;
    bar.set_message("");
    let client = client_for(&permission.host)?;
    let answer = client.post(permission.host.clone()).multipart(built.form).send().await;
    let answer = answer.map_err(|error| {
        let store = permission.host.origin().ascii_serialization();
        anyhow!("the store at {store} cannot be reached, or broke the connection: {}", innermost(&error))
    })?;
    let status = answer.status();
    let body = answer.text().await.context("the store's answer broke off; the file may be stored")?;
    Ok(Outcome::read(status, &body, built.key, permission.with_callback))
}

/// A client for an address; what is on this machine is never asked through a proxy.
pub(super) fn client_for(url: &Url) -> anyhow::Result<Client> {
    let builder =
        Client::builder().connect_timeout(CONNECT_TIMEOUT).redirect(reqwest::redirect::Policy::none());
    let builder = if is_loopback(url) { builder.no_proxy() } else { builder };
    builder.build().context("no HTTP client can be made")
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let named = host == "localhost" || host.ends_with(".localhost");
    named || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_known_in_all_its_spellings() {
        for local in [
            "http://127.0.0.1:1/",
            "http://127.9.9.9/",
            "http://[::1]:2/",
            "http://localhost/",
            "http://demo.localhost:3/",
        ] {
            assert!(is_loopback(&local.parse().unwrap()), "{local}");
        }
        for far in ["http://192.168.1.5/", "https://localhost.example.com/"] {
            assert!(!is_loopback(&far.parse().unwrap()), "{far}");
        }
    }
}
