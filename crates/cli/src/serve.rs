//! `countersign serve`: store, application server and page in one process, ready to be tried.
//!
//! The three stay strangers: the application server sees the store only through signed forms and signed
//! callbacks, as it would see OSS. What is shared is made here: the access key, and the pinned callback key.

mod demo_bucket;
mod open_link;
mod page_files;
mod routes;
mod serve_document;
mod welcome;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use axum::Router;
use countersign_app::admission::Admission;
use countersign_app::forward::Forward;
use countersign_app::upload_path::UploadPath;
use countersign_app::{AppOptions, CallbackVerifier, Signer, SignerOptions, UploadLedger};
use countersign_server::Permission;
use countersign_server::listen::{ListenOptions, Peer};
use countersign_store::Clock;
use http::request::Parts;

use crate::command_line::{Lan, ServeFlags};
use crate::network::interfaces;
use crate::network::reachable::Reachable;
use crate::setup::credentials::{self, AccessKey};
use crate::setup::listeners::{self, Bound, Wanted};
use crate::setup::running::{self, Running};
use crate::setup::store_server::{self, StoreServer};
use crate::setup::{callback_key, clock, random, shutdown, signing};
use crate::store_alone::DEFAULT_STORE_PORT;
use routes::Serving;

/// The default port of the page.
pub(crate) const DEFAULT_APP_PORT: u16 = 9818;
/// The bucket that the page uploads into.
const BUCKET: &str = "demo";
/// The folder in it.
const DIRECTORY: &str = "user-dir/";

/// The addresses of this start.
struct Addresses {
    store: Reachable,
    app: Reachable,
    /// The local network's, when it was asked for or is listened on among all.
    lan: Option<IpAddr>,
    /// Where the store calls the application.
    callback: SocketAddr,
}

/// Runs until it is asked to stop.
pub(crate) async fn run(flags: ServeFlags) -> anyhow::Result<ExitCode> {
    let options = listeners::options(&flags.tls)?;
    let lan = flags.lan.map(interfaces::lan_address).transpose()?;
    let store_bound = listeners::bind(Wanted::or_default(flags.store, DEFAULT_STORE_PORT), lan).await?;
    let app_bound = listeners::bind(Wanted::or_default(flags.app, DEFAULT_APP_PORT), lan).await?;
    let inner = inner_listener(&options).await?;
    let addresses = addresses(&flags, &options, lan, &store_bound, &app_bound, inner.as_ref());

    store_server::make_data_folder(&flags.data)?;
    let access_key = credentials::access_key(flags.key.clone(), &flags.data)?;
    let clock = clock::real(flags.clock.clock_offset);
    let opened = open_store(&flags, &clock, &access_key, &addresses).await?;
    let token = if addresses.lan.is_some() { Some(random::text::<16>()?) } else { None };
    let origins = welcome::origins(&addresses.app, flags.public_app_url.as_deref());
    demo_bucket::prepare(&opened.store, BUCKET, &origins).await?;

    let app = app_options(&flags, &clock, &access_key, &opened, &addresses, token.as_deref())?;
    let facts = serve_document::Facts::new(&flags, &app, &addresses, token.as_deref())?;
    let greeting = welcome::Greeting::new(&flags.data, &access_key, &addresses, &facts)?;
    let serving = Serving::new(&app, &opened, &addresses.store, access_key, clock, facts);
    let router: Router = routes::router(app, serving);

    let store_running = Running::store(store_bound, &opened.server, &options);
    let app_running = Running::app(app_bound, &router, &options);
    let inner_running = inner.map(|bound| Running::app(bound, &router, &ListenOptions::default()));
    greeting.print();
    shutdown::asked().await?;
    println!("finishing what is under way; Ctrl-C again ends at once");
    // The store first: an upload that is under way still needs the application's answer.
    running::end_store(store_running, &opened.server).await;
    if let Some(inner) = inner_running {
        inner.end().await;
    }
    app_running.end().await;
    running::close(&opened.store).await;
    Ok(ExitCode::SUCCESS)
}

/// A listener of its own for the callback where the page speaks TLS: the certificate is for the name that
/// browsers know, and the store calls by number.
async fn inner_listener(options: &ListenOptions) -> anyhow::Result<Option<Bound>> {
    if options.tls.is_none() {
        return Ok(None);
    }
    let anywhere = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
    listeners::bind(Wanted::Given(anywhere), None).await.map(Some)
}

fn addresses(
    flags: &ServeFlags,
    options: &ListenOptions,
    lan: Option<IpAddr>,
    store: &Bound,
    app: &Bound,
    inner: Option<&Bound>,
) -> Addresses {
    let secure = options.tls.is_some();
    let store = Reachable::new(secure, store.addresses.clone(), flags.settings.public_store_url.clone());
    let app = Reachable::new(secure, app.addresses.clone(), flags.public_app_url.clone());
    let inner = inner.and_then(|bound| bound.addresses.first().copied());
    let callback = inner.unwrap_or_else(|| app.own_address());
    let lan = lan.or_else(|| app.open_address(|| interfaces::lan_address(Lan::Find).ok()));
    Addresses { store, app, lan, callback }
}

async fn open_store(
    flags: &ServeFlags,
    clock: &Clock,
    access_key: &AccessKey,
    addresses: &Addresses,
) -> anyhow::Result<StoreServer> {
    let parts = store_server::Parts {
        data: &flags.data,
        clock,
        access_key,
        reachable: &addresses.store,
        also_allow: vec![Permission::exactly(addresses.callback)],
    };
    let key = callback_key::load_or_make(&flags.data)?;
    store_server::open(&flags.settings, key, parts).await
}

/// Everything the application server is made of.
fn app_options(
    flags: &ServeFlags,
    clock: &Clock,
    access_key: &AccessKey,
    opened: &StoreServer,
    addresses: &Addresses,
    token: Option<&str>,
) -> anyhow::Result<AppOptions> {
    let host = format!("{}/{BUCKET}", addresses.store.own_url());
    let mut signer = SignerOptions::new(&access_key.id, access_key.secret.clone(), BUCKET, host);
    signer.region.clone_from(&flags.settings.region);
    signer.root = UploadPath::normalise(DIRECTORY)?;
    signer.directory = None;
    signing::apply(&mut signer, &flags.signing, callback_url(flags, addresses)?)?;
    let signer = Signer::new(signer, Arc::clone(clock))?;
    let verifier = CallbackVerifier::new().pin(&opened.callback_key_url, &opened.callback_key_pem)?;
    let ledger =
        UploadLedger::open(&flags.data.join("ledger.sqlite")).context("the ledger cannot be opened")?;
    let mut app = AppOptions::new(signer, verifier, ledger, Arc::clone(clock));
    app.switches = true;
    app.origins =
        countersign_app::allowed_origins::AllowedOrigins::from_list(flags.signing.allow_origin.clone());
    if let Some(token) = token {
        let lan = addresses.lan;
        app.admission =
            Admission::open().or_token(token.into()).exempting(move |parts| is_at_home(parts, lan));
    }
    let store = addresses.store.clone();
    app.host_chooser =
        Some(Arc::new(move |parts| Some(format!("{}/{BUCKET}", store.url_for(arrived_at(parts))))));
    app.forward =
        flags.signing.forward.as_deref().map(str::parse::<Forward>).transpose().context("--forward")?;
    Ok(app)
}

fn callback_url(flags: &ServeFlags, addresses: &Addresses) -> anyhow::Result<Option<String>> {
    match (&flags.signing.callback_url, flags.no_callback) {
        (Some(_), true) => bail!("--callback-url and --no-callback contradict each other"),
        (Some(url), false) => Ok(Some(url.clone())),
        (None, true) => Ok(None),
        (None, false) => Ok(Some(format!("http://{}/callback", addresses.callback))),
    }
}

/// The address of this machine that the request came to.
fn arrived_at(parts: &Parts) -> IpAddr {
    parts.extensions.get::<Peer>().copied().unwrap_or_default().local.ip()
}

/// Whether the request came over loopback, and not over the address that was opened to others.
fn is_at_home(parts: &Parts, lan: Option<IpAddr>) -> bool {
    let local = arrived_at(parts);
    local.is_loopback() && Some(local) != lan
}
