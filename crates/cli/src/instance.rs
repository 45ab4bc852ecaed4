//! A throw-away instance for tests: a store and an application server in this process, on free loopback ports, whose
//! keys and data are removed with it.
//!
//! It differs from `serve` in what a test needs and a server must not do: callbacks may go to every port of this
//! machine, `/signature` lets the caller choose bucket and callback address, and nothing is synced.

pub(crate) mod until_asked;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::middleware;
use countersign_app::router::{date::dated, testing::TestingChoices, uploads_routes};
use countersign_app::upload_path::UploadPath;
use countersign_app::{
    AccessKeySecret, AppOptions, CallbackOptions, CallbackVerifier, Signer, SignerOptions, StoreKind,
    UploadLedger,
};
use countersign_server::listen::ListenOptions;
use countersign_server::listen::request_log::RequestLog;
use countersign_server::{
    AllowedNetwork, CALLBACK_KEY_PATH, Credential, EtagSource, Limits, Server, ServerOptions, system_resolver,
};
use countersign_store::{Clock, Random, Store, StoreOptions};
use countersign_sys::RsaMd5Key;

use crate::bucket;
use crate::environment::InstanceEnvironment;
use crate::seed;
use crate::serve::known_host::{self, KnownHost};
use crate::setup::ephemeral_folder::EphemeralFolder;
use crate::setup::listeners::{self, Bound, Wanted};
use crate::setup::running::{self, Running};
use crate::setup::running_store::{self, AnnouncedStore};
use crate::setup::{process_limits, random};

/// The bucket when none is named.
pub(crate) const DEFAULT_BUCKET: &str = "demo";
/// Of those that a seed brings the first by name is signed for when none is named; the others are there anyway.
const SEEDED_BUCKETS_MAX: usize = 1;
/// The region that signatures name.
const REGION: &str = "cn-hangzhou";
/// How long what is under way may take at the end. Nothing of it stays, so there is little to wait for.
const END_TIMEOUT: Duration = Duration::from_millis(500);

/// What is said of every instance, since it does what a store must not do elsewhere.
pub(crate) const SAID: &str =
    "for tests only: callbacks may go to every port of this machine, and what is stored is thrown away";

/// How to start an instance.
pub(crate) struct InstanceOptions {
    /// The buckets; the application server signs for the first. None means those of the seed, else [`DEFAULT_BUCKET`].
    pub(crate) buckets: Vec<String>,
    /// A folder of files that the buckets begin with; see [`seed`].
    pub(crate) seed: Option<PathBuf>,
    /// Where the data folder is made; see [`EphemeralFolder::make`].
    pub(crate) within: Option<PathBuf>,
    /// The source of time.
    pub(crate) clock: Clock,
}

/// A running instance. It is ended by [`RunningInstance::end`]; dropping it removes its folder, but leaves threads
/// that may still write.
pub(crate) struct RunningInstance {
    /// What tests are told.
    pub(crate) environment: InstanceEnvironment,
    /// Knows the key that callbacks are signed with.
    pub(crate) verifier: CallbackVerifier,
    store: Store,
    store_running: Running,
    app_running: Running,
    announced: AnnouncedStore,
    folder: EphemeralFolder,
}

impl RunningInstance {
    /// Starts an instance; when this returns, both servers answer.
    pub(crate) async fn start(options: InstanceOptions) -> anyhow::Result<RunningInstance> {
        // The longest step, beside everything else.
        let making_key = tokio::task::spawn_blocking(RsaMd5Key::generate_1024_for_tests);
        let folder = EphemeralFolder::make(options.within.as_deref())?;
        let loopback = || Wanted::Given(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let (store_bound, app_bound) =
            (listeners::bind(loopback(), None).await?, listeners::bind(loopback(), None).await?);
        let mut store_options = StoreOptions::new(folder.path(), options.clock.clone());
        store_options.durable = false;
        store_options.read_connections = 2;
        let store = Store::open(store_options).await?;
        // First, so that what it says of a bucket holds for those that are made anyway.
        seed::at_start(&store, options.seed.as_deref()).await?;
        let buckets = named_or_there(options.buckets, &store).await?;
        bucket::at_start::make(&store, &buckets, &[]).await?;
        let key = making_key.await?.context("the callback key cannot be made")?;
        let (environment, key_pem) = describe(&folder, &store_bound, &app_bound, &buckets, &key)?;
        let server = server(&environment, &store, &options.clock, key)?;
        let verifier = CallbackVerifier::new().pin(&environment.callback_key_url, &key_pem)?;
        let router = router(&environment, &store, &options.clock, &verifier)?;
        let announced = running_store::announce(folder.path(), &environment)?;
        let listen = listen_options();
        let store_running = Running::store(store_bound, &server, &listen);
        let app_running = Running::app(app_bound, &router, &listen);
        Ok(RunningInstance { environment, verifier, store, store_running, app_running, announced, folder })
    }

    /// What is said of the data folder.
    pub(crate) fn folder_in_words(&self) -> &'static str {
        self.folder.in_words()
    }

    /// Stops answering, and removes the data.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        let RunningInstance { store, store_running, app_running, announced, folder, .. } = self;
        drop(announced);
        let ended = async {
            tokio::join!(store_running.end(), app_running.end());
            running::close(&store).await;
        };
        // What has not ended now is aborted by being dropped.
        let _in_time = tokio::time::timeout(END_TIMEOUT, ended).await;
        drop(store);
        let path = folder.path().display().to_string();
        folder.remove().with_context(|| format!("{path} cannot be removed; the next start does"))?;
        Ok(())
    }
}

/// The buckets that were named, else those that the seed brought, else [`DEFAULT_BUCKET`].
async fn named_or_there(named: Vec<String>, store: &Store) -> anyhow::Result<Vec<String>> {
    if !named.is_empty() {
        return Ok(named);
    }
    let seeded = store.buckets("", "", SEEDED_BUCKETS_MAX).await?;
    let seeded: Vec<String> = seeded.iter().map(|bucket| bucket.name.clone()).collect();
    Ok(if seeded.is_empty() { vec![DEFAULT_BUCKET.to_owned()] } else { seeded })
}

fn listen_options() -> ListenOptions {
    let options = ListenOptions { request_log: RequestLog::Short, ..ListenOptions::default() };
    // Tests have few connections, and where few files may be open there is nothing to be done about it.
    let connections_max = process_limits::connections_fitting(options.connections_max, 2);
    ListenOptions { connections_max, shutdown_grace: END_TIMEOUT, ..options }
}

/// What the instance says of itself, and the public callback key.
fn describe(
    folder: &EphemeralFolder,
    store: &Bound,
    app: &Bound,
    buckets: &[String],
    key: &RsaMd5Key,
) -> anyhow::Result<(InstanceEnvironment, String)> {
    let url = |bound: &Bound| {
        let address = bound.addresses.first().context("a listener has an address")?;
        anyhow::Ok(format!("http://{address}"))
    };
    let key_pem = key.public_key_pem().context("the callback key cannot be published")?;
    let store_url = url(store)?;
    let environment = InstanceEnvironment {
        callback_key_url: format!("{store_url}{CALLBACK_KEY_PATH}"),
        store_url,
        app_url: Some(url(app)?),
        callback_key_file: running_store::publish_key(folder.path(), &key_pem)?,
        region: REGION.to_owned(),
        bucket: buckets.first().cloned(),
        access_key_id: format!("CS{}", random::capitals::<18>()?),
        access_key_secret: AccessKeySecret::from(random::text::<30>()?),
        data: folder.path().display().to_string(),
    };
    Ok((environment, key_pem))
}

fn server(
    environment: &InstanceEnvironment,
    store: &Store,
    clock: &Clock,
    callback_key: RsaMd5Key,
) -> anyhow::Result<Server> {
    let loopback: Result<Vec<AllowedNetwork>, _> =
        ["127.0.0.0/8", "::1/128"].map(str::parse).into_iter().collect();
    let credential =
        Credential { id: environment.access_key_id.clone(), secret: environment.access_key_secret.clone() };
    let server = Server::new(ServerOptions {
        store: store.clone(),
        clock: clock.clone(),
        random: Random::system(),
        credentials: vec![credential],
        domains: Vec::new(),
        cname: Vec::new(),
        region: environment.region.clone(),
        advertised_endpoint: None,
        public_store_url: None,
        callback_allow: loopback?,
        callback_resolver: system_resolver(),
        callback_key,
        callback_key_url: environment.callback_key_url.clone(),
        callback_extra_roots: Vec::new(),
        form_etag: EtagSource::Md5,
        limits: Limits::default(),
    })?;
    Ok(server)
}

/// The application server: `/signature`, `/callback`, `/uploads`, for the whole bucket.
fn router(
    environment: &InstanceEnvironment,
    store: &Store,
    clock: &Clock,
    verifier: &CallbackVerifier,
) -> anyhow::Result<Router> {
    let bucket = environment.bucket.as_deref().unwrap_or(DEFAULT_BUCKET);
    let host = format!("{}/{bucket}", environment.store_url);
    let (id, secret) = (&environment.access_key_id, environment.access_key_secret.clone());
    let mut signer = SignerOptions::new(id, secret, bucket, host);
    signer.store = StoreKind::Countersign;
    signer.region.clone_from(&environment.region);
    let app_url = environment.app_url.as_deref().unwrap_or_default();
    signer.callback = Some(CallbackOptions::to(format!("{app_url}/callback")));
    let signer = Signer::new(signer, clock.to_wall())?;
    let ledger = UploadLedger::in_memory().context("the ledger cannot be opened")?;
    let mut app = AppOptions::new(signer, verifier.clone(), ledger, clock.to_wall());
    app.switches = true;
    app.testing = Some(testing_choices(environment, store));
    app.folder = UploadPath::whole_bucket();
    let health = Router::new().route("/healthz", axum::routing::get(|| async { "ok\n" }));
    let routes = countersign_app::router(app.clone()).merge(uploads_routes(app)).merge(health);
    // A page that a browser of this machine has open must not reach it by a name of its own.
    let routes =
        routes.layer(middleware::from_fn_with_state(Arc::new(KnownHost::new(None)), known_host::demand));
    Ok(dated(routes, clock.to_wall()))
}

fn testing_choices(environment: &InstanceEnvironment, store: &Store) -> TestingChoices {
    let (store, store_url) = (store.clone(), environment.store_url.clone());
    TestingChoices {
        upload_host: Arc::new(move |name| {
            let (store, store_url) = (store.clone(), store_url.clone());
            Box::pin(async move {
                let bucket = store.bucket(&name).await.ok().flatten()?;
                Some(format!("{store_url}/{}", bucket.name))
            })
        }),
    }
}
