//! The bare axum handler that `countersign app` is compared with: it makes the same policy, signs it and
//! answers the same JSON, without path rules, admission, origins or settings.

use axum::extract::{Json, State};
use axum::routing::get;
use axum::serve::ListenerExt as _;
use clap::Args;
use jiff::SignedDuration;
use serde::Serialize;
use serde_json::json;

use crate::signing::{AccessKey, base64};
use crate::wall_clock;

/// As long as `countersign app` signs for when it is not told otherwise.
const LIFETIME: SignedDuration = SignedDuration::from_secs(180);
const DIR: &str = "user-dir/";

/// The flags of `signature-reference`.
#[derive(Args)]
pub(crate) struct SignatureReferenceOptions {
    /// Where to listen.
    #[arg(long)]
    listen: String,
    /// The upload address in the answer.
    #[arg(long, default_value = "http://127.0.0.1:9817/bench")]
    host: String,
}

/// The answer, in the order of the product's.
#[derive(Serialize)]
struct Answer {
    accessid: String,
    host: String,
    policy: String,
    signature: String,
    expire: i64,
    dir: &'static str,
}

#[derive(Clone)]
struct Signs {
    key: AccessKey,
    host: String,
}

/// Answers until the process is ended.
pub(crate) fn serve(options: &SignatureReferenceOptions) -> anyhow::Result<()> {
    let key = AccessKey { id: "bench".to_owned(), secret: "benchsecret".to_owned() };
    let signs = Signs { key, host: options.host.clone() };
    let router = axum::Router::new().route("/signature", get(sign)).with_state(signs);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(&options.listen).await?;
        let listener = listener.tap_io(|socket| {
            // Without it an answer would wait for the acknowledgement of the one before.
            let _ = socket.set_nodelay(true);
        });
        Ok(axum::serve(listener, router).await?)
    })
}

async fn sign(State(signs): State<Signs>) -> Json<Answer> {
    let now = wall_clock::now();
    let expiration = now.checked_add(LIFETIME).unwrap_or(now);
    let policy = json!({
        "expiration": expiration.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string(),
        "conditions": [["content-length-range", 0, 1_048_576_000], ["starts-with", "$key", DIR]],
    });
    let policy = base64(policy.to_string());
    Json(Answer {
        accessid: signs.key.id.clone(),
        host: signs.host,
        signature: signs.key.sign_v1(&policy),
        policy,
        expire: expiration.as_second(),
        dir: DIR,
    })
}
