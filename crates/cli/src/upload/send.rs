//! Uploads one file: asks for a signature, posts the form, reads the answer. Every failure on the way becomes an
//! outcome in words.

use anyhow::{Context as _, anyhow};
use indicatif::ProgressBar;

use super::form;
use super::http_client::client_for;
use super::local_files::FileToUpload;
use super::outcome::Outcome;
use super::signature_answer::SignatureEndpoint;
use crate::wording::{innermost, sentence};

/// Sends a file and says what became of it.
pub(super) async fn send(endpoint: &SignatureEndpoint, file: &FileToUpload, bar: &ProgressBar) -> Outcome {
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
    file: &FileToUpload,
    bar: &ProgressBar,
) -> anyhow::Result<Outcome> {
    bar.set_message("getting permission");
    let signed = endpoint.ask().await?;
    let built = form::build(&signed, file, endpoint.keep_name, bar).await?;
    bar.set_message("");
    let client = client_for(&signed.host)?;
    let answer = client.post(signed.host.clone()).multipart(built.form).send().await;
    let answer = answer.map_err(|error| {
        let store = signed.host.origin().ascii_serialization();
        anyhow!("the store at {store} cannot be reached, or broke the connection: {}", innermost(&error))
    })?;
    let status = answer.status();
    let body = answer.text().await.context("the store's answer broke off; the file may be stored")?;
    Ok(Outcome::read(status, &body, built.key, signed.with_callback))
}
