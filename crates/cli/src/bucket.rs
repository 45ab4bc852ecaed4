//! `countersign bucket`: makes, changes, shows, lists and deletes buckets, of a store of ours or of the real OSS.

mod api_client;
pub(crate) mod at_start;
pub(crate) mod page_origins;

use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use countersign_app::AccessKeySecret;
use countersign_protocol::BucketName;
use countersign_protocol::xml::CorsConfiguration;
use countersign_server::bucket_rules::mode::{BucketMode, MODE_HEADER};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::command_line::bucket_flags::{BucketCommand, BucketPlace, BucketSettings};
use crate::configuration::PREFIX;
use crate::setup::{credentials, running_store};
use crate::wording::on_one_line;
use crate::xml_text::{first_text, texts};
use api_client::{ApiAnswer, ApiClient, ApiRequest};

/// Carries the command out. What the store refuses ends with code 1.
pub(crate) async fn run(command: BucketCommand) -> anyhow::Result<ExitCode> {
    let place = match &command {
        BucketCommand::Create { place, .. }
        | BucketCommand::Set { place, .. }
        | BucketCommand::Show { place, .. }
        | BucketCommand::List { place }
        | BucketCommand::Rm { place, .. } => place,
    };
    let client = client(place)?;
    let done = match &command {
        BucketCommand::Create { name, settings, .. } => create(&client, name, settings).await,
        BucketCommand::Set { name, settings, .. } => set(&client, name, settings).await,
        BucketCommand::Show { name, place } => show(&client, name, place.json).await,
        BucketCommand::List { place } => list(&client, place.json).await,
        BucketCommand::Rm { name, .. } => remove(&client, name).await,
    };
    match done {
        Ok(text) => {
            crate::wording::print(&text);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            warn_line!("countersign: {}", crate::wording::sentence(&error));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The store and key that are given, else those of the data folder.
fn client(place: &BucketPlace) -> anyhow::Result<ApiClient> {
    let endpoint = match place.endpoint.clone().filter(|endpoint| !endpoint.is_empty()) {
        Some(endpoint) => endpoint,
        None => running_store::address(&place.data)?,
    };
    let (id, secret) = match given_key(place)? {
        Some(key) => key,
        None => credentials::kept(&place.data).context(
            "no access key: set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, or name the --data of the store",
        )?,
    };
    ApiClient::new(&endpoint, id, secret, place.region.clone())
}

/// The key of the flags or of `OSS_…`, else the one that the store was started with, where the environment has it: a
/// store in a container is given its key so, and so is a command that is run beside it.
fn given_key(place: &BucketPlace) -> anyhow::Result<Option<(String, AccessKeySecret)>> {
    let mut key = (place.access_key_id.clone(), place.access_key_secret.clone());
    if key.0.is_none() && key.1.is_none() {
        let of_the_store = |name: &str| std::env::var(format!("{PREFIX}{name}")).ok();
        key = (of_the_store("ACCESS_KEY_ID"), of_the_store("ACCESS_KEY_SECRET").map(AccessKeySecret::from));
    }
    match key {
        (Some(id), Some(secret)) => Ok(Some((id, secret))),
        (None, None) => Ok(None),
        _ => bail!("an access key is an id and a secret, both given"),
    }
}

async fn create(client: &ApiClient, name: &str, settings: &BucketSettings) -> anyhow::Result<String> {
    BucketName::parse(name).with_context(|| format!("{name:?}"))?;
    let guarded = (!client.is_aliyun()).then_some(BucketMode::Guarded);
    let exists =
        client.send(Method::HEAD, ApiRequest { bucket: Some(name), ..ApiRequest::default() }).await?;
    ensure!(
        exists.status == StatusCode::NOT_FOUND,
        "the bucket {name} exists already; `countersign bucket set` changes it"
    );
    put(client, name, settings.mode.or(guarded)).await?;
    allow_origins(client, name, &settings.allow_origin).await?;
    Ok(format!("{name}  made\n"))
}

async fn set(client: &ApiClient, name: &str, settings: &BucketSettings) -> anyhow::Result<String> {
    ensure!(
        settings.mode.is_some() || !settings.allow_origin.is_empty(),
        "nothing to set: name --mode or --allow-origin"
    );
    // Putting a bucket that is not there would make it.
    info(client, name).await?;
    if settings.mode.is_some() {
        put(client, name, settings.mode).await?;
    }
    allow_origins(client, name, &settings.allow_origin).await?;
    Ok(format!("{name}  set\n"))
}

/// Makes the bucket or changes its mode, and makes sure that a mode that was asked for is kept.
async fn put(client: &ApiClient, name: &str, mode: Option<BucketMode>) -> anyhow::Result<()> {
    let mode_header = MODE_HEADER;
    let header = mode.map(|mode| (mode_header.as_str(), mode.as_str()));
    let request = ApiRequest { bucket: Some(name), header, ..ApiRequest::default() };
    let answer = client.done(Method::PUT, request).await?;
    if let Some(mode) = mode {
        let kept = answer.headers.get(MODE_HEADER).and_then(|value| value.to_str().ok());
        ensure!(kept == Some(mode.as_str()), "this store keeps no mode; only Countersign does");
    }
    Ok(())
}

async fn allow_origins(client: &ApiClient, name: &str, origins: &[String]) -> anyhow::Result<()> {
    if origins.is_empty() {
        return Ok(());
    }
    if let Some(rules) = page_origins::added(cors(client, name).await?, origins)? {
        let request =
            ApiRequest { bucket: Some(name), query: "cors", body: rules.to_xml(), ..ApiRequest::default() };
        client.done(Method::PUT, request).await?;
    }
    Ok(())
}

async fn cors(client: &ApiClient, name: &str) -> anyhow::Result<CorsConfiguration> {
    let request = ApiRequest { bucket: Some(name), query: "cors", ..ApiRequest::default() };
    let answer = client.send(Method::GET, request).await?;
    match answer.status {
        StatusCode::OK => CorsConfiguration::parse(answer.body.as_bytes())
            .context("the bucket's CORS rules are not understood"),
        StatusCode::NOT_FOUND
            if first_text(&answer.body, "Code").as_deref() == Some("NoSuchCORSConfiguration") =>
        {
            Ok(CorsConfiguration::default())
        }
        _ => bail!(answer.refusal()),
    }
}

async fn info(client: &ApiClient, name: &str) -> anyhow::Result<ApiAnswer> {
    let request = ApiRequest { bucket: Some(name), query: "bucketInfo", ..ApiRequest::default() };
    let answer = client.done(Method::GET, request).await?;
    must_speak_the_api(&answer, "BucketInfo")?;
    Ok(answer)
}

/// A page of HTML, say, with status 200 is no list without buckets.
fn must_speak_the_api(answer: &ApiAnswer, document: &str) -> anyhow::Result<()> {
    let speaks = answer.body.contains(&format!("<{document}"));
    ensure!(speaks, "what answers at --endpoint is no object store: its answer is no {document}");
    Ok(())
}

async fn show(client: &ApiClient, name: &str, as_json: bool) -> anyhow::Result<String> {
    let answer = info(client, name).await?;
    let text = |element: &str| first_text(&answer.body, element).unwrap_or_default();
    let mode = answer.headers.get(MODE_HEADER).and_then(|value| value.to_str().ok()).unwrap_or("none");
    let origins: Vec<String> =
        cors(client, name).await?.rules.into_iter().flat_map(|rule| rule.allowed_origins).collect();
    let (acl, class, created) = (text("Grant"), text("StorageClass"), text("CreationDate"));
    if as_json {
        let value = json!({
            "name": name, "mode": mode, "acl": acl, "storageClass": class, "created": created, "origins": origins,
        });
        return Ok(format!("{value}\n"));
    }
    let pages = if origins.is_empty() { "of no origin".to_owned() } else { origins.join(" ") };
    Ok(format!(
        "bucket           {name}\nmode             {mode}\naccess           {acl}\nstorage class    {class}\n\
         made             {created}\npages may upload {}\n",
        on_one_line(&pages)
    ))
}

async fn list(client: &ApiClient, as_json: bool) -> anyhow::Result<String> {
    let (mut names, mut marker) = (Vec::new(), String::new());
    loop {
        let query = format!("marker={marker}&max-keys=1000");
        let answer = client.done(Method::GET, ApiRequest { query: &query, ..ApiRequest::default() }).await?;
        must_speak_the_api(&answer, "ListAllMyBucketsResult")?;
        names.extend(texts(&answer.body, "Name"));
        let more = first_text(&answer.body, "IsTruncated").as_deref() == Some("true");
        match first_text(&answer.body, "NextMarker").filter(|next| more && *next != marker) {
            Some(next) => marker = next,
            None => break,
        }
    }
    if as_json {
        return Ok(format!("{}\n", json!({ "buckets": names })));
    }
    Ok(names.iter().map(|name| format!("{}\n", on_one_line(name))).collect())
}

async fn remove(client: &ApiClient, name: &str) -> anyhow::Result<String> {
    client.done(Method::DELETE, ApiRequest { bucket: Some(name), ..ApiRequest::default() }).await?;
    Ok(format!("{name}  deleted\n"))
}
