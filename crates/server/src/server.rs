//! The running server: its parts, its background tasks, and the service that the accept loop calls. What each request
//! needs of it is in `state`.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use countersign_clock::{Clock, Random};
use countersign_store::{QueryError, Store, Trouble};
use countersign_sys::{RsaKeyError, RsaMd5Key};
use http::Request;
use hyper::body::Incoming;
use rustls_pki_types::CertificateDer;

use crate::access::OWNER_ID;
use crate::bucket_rules::lifecycle::{self, LifecycleError};
use crate::budget::fair_budget::FairBudget;
use crate::callback::address::{Resolver, UndeliverableCallback};
use crate::callback::client::{CallbackClient, CallbackClientError, CallbackClientOptions};
use crate::callback::destination_guard::AllowedNetwork;
use crate::error_chain::ErrorChain;
use crate::limits::Limits;
use crate::listen::NotAccepted;
use crate::measures::ServerMetrics;
use crate::object::attributes::ObjectAttributes;
use crate::operations::{self, own_page};
use crate::request::host::HostNames;
use crate::response::wire_response::WireResponse;
use crate::routing::dispatch::Dispatcher;
use crate::state::{Credential, EtagSource, ServerState, StateOptions};

/// What a server is made of. Nothing in here is read from the environment.
pub struct ServerOptions {
    /// Where everything is kept.
    pub store: Store,
    /// Tells the time and waits.
    pub clock: Clock,
    /// What request ids are drawn from, and the keys of hash functions.
    pub random: Random,
    /// The keys that are known.
    pub credentials: Vec<Credential>,
    /// Endpoint names: `BUCKET.` in front of one names a bucket.
    pub domains: Vec<String>,
    /// Whole host names bound to buckets.
    pub cname: Vec<(String, String)>,
    /// The region, such as `cn-hangzhou`.
    pub region: String,
    /// What ListBuckets and GetBucketInfo tell clients to connect to; `None` echoes the request's host.
    pub advertised_endpoint: Option<String>,
    /// The address under which browsers reach the store, `http://host:port`, without a slash at its end;
    /// `None` takes the request's host.
    pub public_store_url: Option<String>,
    /// Networks that callbacks may go to although they are not public.
    pub callback_allow: Vec<AllowedNetwork>,
    /// Asks for the addresses of callback hosts.
    pub callback_resolver: Resolver,
    /// The key that signs callbacks.
    pub callback_key: RsaMd5Key,
    /// Where receivers find its public half; sent in `x-oss-pub-key-url`.
    pub callback_key_url: String,
    /// Certificate authorities that callbacks trust besides the public ones.
    pub callback_extra_roots: Vec<CertificateDer<'static>>,
    /// What the ETag of a form upload is made of.
    pub form_etag: EtagSource,
    /// Sizes, counts and times.
    pub limits: Limits,
}

/// Why a server cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The public half of the callback key cannot be written.
    #[error("the callback key cannot be used: {0}")]
    CallbackKey(#[from] RsaKeyError),
    /// TLS towards applications cannot be set up, most likely for a certificate authority that was added.
    #[error("TLS for callbacks cannot be set up: {0}")]
    CallbackTls(#[from] rustls::Error),
}

impl From<CallbackClientError> for ServerError {
    fn from(error: CallbackClientError) -> Self {
        match error {
            CallbackClientError::Key(error) => error.into(),
            CallbackClientError::Tls(error) => error.into(),
        }
    }
}

/// A running store. Cheap to clone.
#[derive(Clone)]
pub struct Server(Arc<Dispatcher>);

impl Server {
    /// Puts a server together.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn new(options: ServerOptions) -> Result<Self, ServerError> {
        let ServerOptions { store, clock, random, credentials, domains, cname, region, .. } = options;
        let hosts = HostNames::new(domains, cname);
        let limits = options.limits;
        let answers = FairBudget::new(limits.answers_bytes_max, usize::MAX, &random);
        let callbacks = CallbackClient::new(CallbackClientOptions {
            store: store.clone(),
            clock: clock.clone(),
            random: random.clone(),
            allowed: options.callback_allow,
            resolver: options.callback_resolver,
            key: options.callback_key,
            key_url: options.callback_key_url,
            owner_id: OWNER_ID,
            extra_roots: options.callback_extra_roots,
            answers: answers.clone(),
            limits: limits.clone(),
        })?;
        let options = StateOptions {
            store,
            clock,
            random,
            credentials,
            region,
            advertised_endpoint: options.advertised_endpoint,
            public_store_url: options.public_store_url,
            form_etag: options.form_etag,
            limits,
        };
        let metrics = ServerMetrics::register(operations::implemented_names());
        let state = Arc::new(ServerState::new(options, answers, Arc::new(callbacks), metrics));
        Ok(Self(Arc::new(Dispatcher::new(state, hosts))))
    }

    /// Does what goes on beside the requests, which is carrying out lifecycle rules, until `stop` is ready.
    pub async fn run_background(&self, stop: impl Future<Output = ()>) {
        if let Err(error) = self.0.state.callbacks.count_outbox().await {
            // The first upload with a callback tries it again.
            tracing::error!(error = %ErrorChain(&error), "the callbacks that are owed could not be counted");
        }
        let ServerState { options, rules, .. } = &*self.0.state;
        lifecycle::run(&options.store, &options.clock, rules, options.limits.lifecycle_interval, stop).await;
    }

    /// Carries out the lifecycle rules of all buckets once, now; says how many objects it deleted.
    ///
    /// # Errors
    /// See [`crate::LifecycleError`]; what was deleted before stays deleted.
    pub async fn expire_objects(&self) -> Result<u64, LifecycleError> {
        let ServerState { options, rules, .. } = &*self.0.state;
        lifecycle::pass(&options.store, &options.clock, rules).await
    }

    /// The type under which an object is served; `None` when there is no such object. For whoever hands out
    /// addresses of objects and must know whether a browser would run them.
    ///
    /// # Errors
    /// When the catalog cannot be asked.
    pub async fn content_type(&self, bucket: &str, key: &str) -> Result<Option<String>, QueryError> {
        let object = self.0.state.options.store.object(bucket, key).await?;
        Ok(object.map(|object| ObjectAttributes::decode(&object.attributes).content_type))
    }

    /// Which of these callback URLs (up to five, with `;` between them) could not be called as things stand: the host
    /// has no address, or none that is permitted. Nothing is connected to.
    pub async fn undeliverable(&self, callback_url: &str) -> Vec<UndeliverableCallback> {
        self.0.state.callbacks.undeliverable(callback_url).await
    }

    /// For a listener of this server: a connection that could not be accepted, which is for want of descriptors most
    /// often, shows on the health page.
    pub fn not_accepted(&self) -> NotAccepted {
        let store = self.0.state.options.store.clone();
        Arc::new(move |error| {
            if let Some(trouble) = Trouble::of(error) {
                store.note_trouble(trouble, format!("a connection could not be accepted: {error}"));
            }
        })
    }

    /// Brings those metrics up to date that are a state and not a count, for a monitor that asks. Blocks for a moment.
    pub fn measure(&self) {
        self.0.state.measure();
    }

    /// For a listener of this server: counts the bytes of answers as they are sent.
    pub fn sent_bytes(&self) -> metrics::Counter {
        self.0.state.metrics.sent_bytes.clone()
    }

    /// Whether requests should be sent here, and whole lines that say so or why not: what the health page says.
    pub fn health(&self) -> (bool, String) {
        let now = self.0.state.options.clock.wall();
        own_page::health_in_words(&self.0.state, now)
    }

    /// Waits for the commits and callbacks that are under way. Call it once the listener has ended.
    pub async fn finish(&self) {
        self.0.state.tasks.close();
        self.0.state.tasks.wait().await;
    }
}

impl hyper::service::Service<Request<Incoming>> for Server {
    type Response = WireResponse;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<WireResponse, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let dispatcher = Arc::clone(&self.0);
        Box::pin(async move { Ok(dispatcher.answer(request).await) })
    }
}
