//! `countersign serve`: store, application server and page in one process, ready to be tried.
//!
//! The three share no shortcut: the application server sees the store only through signed forms and signed
//! callbacks, as it would see OSS. What is shared is made here: the access key, and the pinned callback key.

mod addresses;
mod arrival;
mod demo_bucket;
pub(crate) mod known_host;
mod open_link;
mod page_files;
mod routes;
mod serve_document;
mod serving;
mod welcome;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use axum::Router;
use countersign_app::router::admission::Admission;
use countersign_app::upload_path::UploadPath;
use countersign_app::{AppOptions, CallbackVerifier, Signer, SignerOptions, StoreKind};
use countersign_server::listen::ListenOptions;
use countersign_server::listen::request_log::RequestLog;
use countersign_server::{AllowedNetwork, Server};
use countersign_store::Clock;

use crate::admin::{Admin, Watched};
use crate::command_line::serve_flags::ServeFlags;
use crate::network::interfaces;
use crate::network::interfaces::Lan;
use crate::network::reachable::Reachable;
use crate::seed;
use crate::setup::credentials::{self, AccessKey};
use crate::setup::data_folder::{self, DataFolder};
use crate::setup::listeners::{self, Bound, Wanted};
use crate::setup::running::{self, Running};
use crate::setup::shutdown::EndSignals;
use crate::setup::store_server::{self, StoreServer};
use crate::setup::{callback_key, clock, random, readiness, running_store, signing};
use crate::store_alone::DEFAULT_STORE_PORT;
use addresses::{Addresses, Reach};
use arrival::arrived_at;
use demo_bucket::BUCKET;
use known_host::KnownHost;
use serving::Serving;

/// The default port of the page.
pub(crate) const DEFAULT_APP_PORT: u16 = 9818;
/// The page's folder in its bucket.
const DIRECTORY: &str = "user-dir/";

/// Runs until it is asked to stop.
pub(crate) async fn run(mut flags: ServeFlags) -> anyhow::Result<ExitCode> {
    let signals = EndSignals::listen()?;
    let options = listeners::options(&flags.tls, &flags.proxy, RequestLog::Short, 2)?;
    let lan = flags.lan.map(interfaces::lan_address).transpose()?;
    let store_bound = listeners::bind(Wanted::or_default(flags.store, DEFAULT_STORE_PORT), lan).await?;
    let app_bound = listeners::bind(Wanted::or_default(flags.app, DEFAULT_APP_PORT), lan).await?;
    let inner = inner_listener(&options, &app_bound).await?;
    // Before the store is opened, so that it is measured.
    let admin = if flags.place.ephemeral {
        // A server for a test: no monitor looks for it, and the next one that is no test may want the port.
        Admin::bind(flags.admin).await?
    } else {
        Admin::bind_or_default(flags.admin).await?
    };
    let addresses = addresses(&flags, &options, lan, &store_bound, &app_bound, inner.as_ref());

    flags.catalog.refuse_ephemeral(flags.place.ephemeral)?;
    let folder = DataFolder::make(&mut flags.place)?;
    let access_key = credentials::access_key(flags.key.clone(), &flags.place.data, !flags.place.ephemeral)?;
    let clock = clock::real(flags.clock.clock_offset);
    let opened = open_store(&flags, &clock, &access_key, &addresses).await?;
    let token = if addresses.reach == Reach::Home { None } else { Some(random::text::<16>()?) };
    let mut origins = welcome::origins(&addresses.app, flags.public_app_url.as_deref());
    origins.extend(flags.signing.allow_origin.iter().cloned());
    demo_bucket::prepare(&opened.store, &origins).await?;
    // After the page's own bucket, which is what the page says of it whatever a seed says.
    let seeded = seed::at_start(&opened.store, flags.settings.seed.as_deref()).await?;

    let app = app_options(&flags, &clock, &access_key, &opened, &addresses, token.as_deref())?;
    let callback = app.signer.options().callback.as_ref().map(|callback| callback.url.clone());
    let facts = serve_document::Facts::new(&flags, &app, &addresses, token.as_deref())?;
    let greeting = welcome::Greeting::new(&flags.place.data, &access_key, &addresses, &facts)?;
    let serving_key = access_key.clone();
    let serving = Serving::new(&app, &opened, &addresses.store, access_key, clock, facts);
    let router: Router = routes::router(app, serving, KnownHost::new(flags.public_app_url.as_deref()));

    let mut environment =
        running_store::describe(&flags.place.data, &opened, &serving_key, &flags.settings, &addresses.store)?;
    environment.app_url = Some(addresses.app.own_url());
    environment.bucket = Some(BUCKET.to_owned());
    let announced = running_store::announce(&flags.place.data, &environment)?;
    // Whoever waits for the first answer may then read what was printed: the sockets are bound already.
    greeting.print(seeded.as_ref(), admin.metrics_url().as_deref());
    flags.catalog.say("store            ".len());
    folder.say("store            ".len());
    tokio::spawn(warn_of_callback(callback, opened.server.clone()));
    let store_running = Running::store(store_bound, &opened.server, &options);
    let app_running = Running::app(app_bound, &router, &options);
    let inner_running = inner.map(|bound| Running::app(bound, &router, &ListenOptions::default()));
    let admin = admin.start(Watched::store(&opened));
    readiness::ready();
    signals.asked().await;
    readiness::stopping();
    admin.stopping();
    say!("finishing what is under way; Ctrl-C again ends at once");
    drop(announced);
    // The store first: an upload that is under way still needs the application's answer.
    running::end_store(store_running, &opened.server).await;
    if let Some(inner) = inner_running {
        inner.end().await;
    }
    app_running.end().await;
    running::close(&opened.store).await;
    admin.end().await;
    folder.end()?;
    Ok(ExitCode::SUCCESS)
}

/// Tells early what would otherwise be found at the first upload. Asking for a name may take long, so nothing waits.
async fn warn_of_callback(callback: Option<String>, server: Server) {
    for told in server.undeliverable(callback.as_deref().unwrap_or_default()).await {
        tracing::warn!(
            destination = told.origin,
            reason = told.reason,
            "the configured callback could not be delivered"
        );
    }
}

/// A listener of its own for the callback where the store cannot call the page's address: with TLS, because
/// the certificate is for the name that browsers know and the store calls by number; and where that number is
/// IPv6, which the address of a callback cannot be.
async fn inner_listener(options: &ListenOptions, app: &Bound) -> anyhow::Result<Option<Bound>> {
    let own = Reachable::new(false, app.addresses.clone(), None).own_address();
    if options.tls.is_none() && own.is_ipv4() {
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
    let reach = Reach::of(&app, lan, flags.public_app_url.as_deref(), !flags.proxy.trusted_proxy.is_empty());
    Addresses { store, app, lan, callback, reach }
}

async fn open_store(
    flags: &ServeFlags,
    clock: &Clock,
    access_key: &AccessKey,
    addresses: &Addresses,
) -> anyhow::Result<StoreServer> {
    let parts = store_server::Parts {
        data: &flags.place.data,
        shared_catalog: flags.catalog.shared(),
        durable: !flags.place.ephemeral,
        clock,
        access_key,
        reachable: &addresses.store,
        also_allow: [addresses.callback]
            .into_iter()
            .chain(flags.signing.callback_url.as_deref().map(named_addresses).unwrap_or_default())
            .map(AllowedNetwork::exactly)
            .collect(),
    };
    let key = callback_key::load_or_make(&flags.place.data, !flags.place.ephemeral)?;
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
    signer.store = StoreKind::Countersign;
    signer.region.clone_from(&flags.settings.region);
    // The page's folder; where an application says whose folder it is, its folders are its own choice.
    if flags.signing.signature_hook.is_none() {
        signer.root = UploadPath::normalise(DIRECTORY)?;
    }
    signer.directory = None;
    signing::apply(&mut signer, &flags.signing, callback_url(flags, addresses)?)?;
    let signer = Signer::new(signer, clock.to_wall())?;
    let verifier = CallbackVerifier::new().pin(&opened.callback_key_url, &opened.callback_key_pem)?;
    let ledger = data_folder::ledger(&flags.place)?;
    let mut app = AppOptions::new(signer, verifier, ledger, clock.to_wall());
    // With an application that is asked, what is signed is its choice and not the caller's.
    app.switches = flags.signing.signature_hook.is_none();
    app.callback_body_bytes_max = flags.settings.callback_body_max;
    app.origins = countersign_app::router::allowed_origins::AllowedOrigins::from_list(
        flags.signing.allow_origin.clone(),
    );
    if let Some(token) = token {
        app.admission = Admission::open().or_token(token.into());
        if addresses.reach == Reach::Network {
            app.admission = app.admission.exempting(|parts| arrived_at(parts).is_loopback());
        }
    }
    let store = addresses.store.clone();
    app.host_chooser =
        Some(Arc::new(move |parts| Some(format!("{}/{BUCKET}", store.url_for(arrived_at(parts))))));
    app.folder = app.signer.options().root.clone();
    signing::with_application(app, &flags.signing)
}

/// The addresses on this machine or network that a `--callback-url` names by number or as localhost. Naming one is
/// permitting it; a name is judged by where it leads when it is called.
fn named_addresses(urls: &str) -> Vec<SocketAddr> {
    let of = |url: &str| -> Option<SocketAddr> {
        let spelled = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let url = reqwest::Url::parse(&spelled).ok()?;
        let host = url.host_str()?.replace("localhost", "127.0.0.1");
        Some(SocketAddr::new(host.parse().ok()?, url.port_or_known_default()?))
    };
    urls.split(';').filter_map(|url| of(url.trim())).collect()
}

fn callback_url(flags: &ServeFlags, addresses: &Addresses) -> anyhow::Result<Option<String>> {
    if flags.no_callback && flags.signing.forward.is_some() {
        bail!("--forward and --no-callback contradict each other: without callbacks nobody is asked");
    }
    match (&flags.signing.callback_url, flags.no_callback) {
        (Some(_), true) => bail!("--callback-url and --no-callback contradict each other"),
        (Some(url), false) => Ok(Some(url.clone())),
        (None, true) => Ok(None),
        (None, false) => Ok(Some(format!("http://{}/callback", addresses.callback))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_address_that_the_operator_names_is_permitted_and_no_other() {
        let named = named_addresses(
            "http://127.0.0.1:8000/cb; localhost:81/x;https://app.example.com/;https://10.0.0.5/",
        );
        let expected = ["127.0.0.1:8000", "127.0.0.1:81", "10.0.0.5:443"];
        assert_eq!(named.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
        assert!(named_addresses("http://localhost.evil.example/").is_empty());
    }
}
