//! An application server on the library: it signs uploads, receives the store's callbacks and keeps a ledger of
//! them, beside pages of its own. A login of yours would be a layer around all of it but `/callback`, and `authorize`
//! say of each request whose it is and which folder it may upload into.

use std::{env, fs, path::Path, sync::Arc};

use anyhow::Context;
use axum::{Router, extract::State, response::Html, routing::get};
use countersign_app::{
    AccessKeySecret, AppOptions, CallbackOptions, CallbackVerifier, Clock, SignatureAnswer, Signer,
    SignerChoice, SignerOptions, Timestamp, UploadLedger, answer::Answer, router,
};

const PLAIN_FORM: &str = include_str!("../../plain-form/index.html");

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let signing = SignerOptions {
        callback: Some(CallbackOptions::to(setting("CALLBACK_URL")?)),
        ..SignerOptions::new(
            setting("COUNTERSIGN_ACCESS_KEY_ID")?,
            AccessKeySecret::new(setting("COUNTERSIGN_ACCESS_KEY_SECRET")?),
            setting("BUCKET")?,
            setting("UPLOAD_HOST")?,
        )
    };
    // Without a key of a store of your own, callbacks come from the real OSS.
    let verifier = match env::var("STORE_KEY_FILE") {
        Ok(file) => CallbackVerifier::new().pin(&setting("STORE_KEY_URL")?, &fs::read_to_string(file)?)?,
        Err(_) => CallbackVerifier::new().pin_alibaba()?,
    };
    let ledger = UploadLedger::open(Path::new(&env::var("LEDGER").unwrap_or("uploads.sqlite".into())))?;
    // One folder for everybody. With a login: `.authorize(…)`, which gives each user one of his own.
    let options = AppOptions::new(Signer::new(signing, clock())?, verifier, ledger, clock())
        // Here the upload goes into a table of your own; an answer other than 200 declines it.
        .on_upload(|upload| async move {
            println!("{:?} is stored as {:?}", upload.facts.name, upload.facts.key);
            Answer::accepting(&upload.facts)
        });

    let pages = Router::new().route("/plain-form", get(plain_form)).with_state(Arc::clone(&options.signer));
    let behind_login =
        router::signature_routes(options.clone()).merge(router::uploads_routes(options.clone()));
    let routes = behind_login.merge(router::callback_routes(options));
    let address = env::var("LISTEN").unwrap_or("127.0.0.1:8000".into());
    let listener = tokio::net::TcpListener::bind(&address).await.context(address)?;
    println!("open http://{}/plain-form", listener.local_addr()?);
    Ok(axum::serve(listener, routes.merge(pages)).await?)
}

/// The form without script, filled in for one upload.
async fn plain_form(State(signer): State<Arc<Signer>>) -> Result<Html<String>, String> {
    let choice = SignerChoice::default();
    let answer: SignatureAnswer = signer.sign(None, &choice).map_err(|error| error.to_string())?;
    let placed = [("host", answer.host()), ("dir", answer.dir())].into_iter().chain(answer.form_fields());
    Ok(Html(placed.fold(PLAIN_FORM.to_owned(), |page, (name, value)| {
        let value = value.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
        page.replace(&format!("{{{{{name}}}}}"), &value)
    })))
}

#[expect(clippy::disallowed_methods, reason = "the one real clock of this program")]
fn clock() -> Clock {
    Arc::new(Timestamp::now)
}

fn setting(name: &str) -> anyhow::Result<String> {
    env::var(name).with_context(|| format!("{name} is not set; see README.md"))
}
