//! The store's HTTP face: what it is run with, what its requests share, and the service that the accept
//! loop calls.

pub(crate) mod fair_budget;
pub(crate) mod limits;
pub(crate) mod said_once;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use countersign_protocol::AccessKeySecret;
use countersign_store::{Clock, QueryError, Store, Trouble};
use countersign_sys::{RsaKeyError, RsaMd5Key};
use http::{HeaderValue, Request};
use hyper::body::Incoming;
use rustls_pki_types::CertificateDer;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::bucket_rules::lifecycle::{self, LifecycleError};
use crate::bucket_rules::refused_origins::RefusedOrigins;
use crate::callback::address::{self, Resolver, UndeliverableCallback};
use crate::callback::budget::CallbackBudget;
use crate::callback::connection::CallbackConnections;
use crate::callback::delivery;
use crate::callback::destination_guard::Permission;
use crate::callback::signing::SigningLine;
use crate::callback::tls;
use crate::callback::wait::CallbackWait;
use crate::holder::{CallbackDestination, UploadHolder};
use crate::listen::NotAccepted;
use crate::object::attributes::ObjectAttributes;
use crate::request::body_watch::BodyWatch;
use crate::request::host::HostNames;
use crate::response::gzip;
use crate::response::header_names::HeaderNames;
use crate::response::wire_response::WireResponse;
use crate::routing::dispatch;
use crate::server::fair_budget::FairBudget;
use crate::server::limits::Limits;
use crate::upload::form_coverage::CoverageWarnings;
use crate::upload::head_budget::HeadBudget;
use crate::upload::image_info;
use countersign_quota::places::Places;

/// An access key that may do everything: the owner's.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: AccessKeySecret,
}

/// What a server is made of. Nothing in here is read from the environment.
pub struct ServerOptions {
    /// Where everything is kept.
    pub store: Store,
    /// The one source of time.
    pub clock: Clock,
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
    pub callback_allow: Vec<Permission>,
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

/// What an ETag is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EtagSource {
    /// The MD5 of the bytes, which is then also known as `Content-MD5`: what OSS answers.
    #[default]
    Md5,
    /// CRC-64 and length, which take a twentieth of the processor time of an MD5. OSS documents that the ETag of
    /// a form upload need not be an MD5.
    Crc64,
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

/// What all requests share.
pub(crate) struct ServerState {
    pub(crate) options: ServerOptions,
    pub(crate) hosts: HostNames,
    /// What the heads of forms that are not yet authorised may hold together.
    pub(crate) form_heads: Arc<HeadBudget>,
    /// Of which uncovered fields of forms it was warned.
    pub(crate) coverage_warnings: CoverageWarnings,
    /// How the names of an answer's headers are written.
    pub(crate) header_names: HeaderNames,
    /// Which origins' preflights were refused.
    pub(crate) refused_origins: RefusedOrigins,
    /// A place for each callback that is under way.
    pub(crate) callbacks: Arc<Places<CallbackDestination, CallbackWait>>,
    /// One permit for each name of a callback's host that is being resolved.
    pub(crate) lookups: FairBudget,
    /// One permit for each image whose header is being read.
    pub(crate) image_headers: Semaphore,
    /// One permit for each answer that is compressed.
    pub(crate) gzip_answers: Arc<Semaphore>,
    /// What callbacks may hold, in memory and in the catalog.
    pub(crate) callback_budget: CallbackBudget,
    /// What answers may hold that clients have not read yet, and answers of applications that are being read.
    pub(crate) answers: FairBudget,
    /// What documents in requests may hold.
    pub(crate) documents: FairBudget,
    /// One permit for each list that is being made.
    pub(crate) listings: Semaphore,
    /// The callbacks that wait for their signature.
    pub(crate) signing: SigningLine,
    /// Connections to applications that are open and not in use.
    pub(crate) callback_connections: Arc<CallbackConnections>,
    /// TLS towards applications.
    pub(crate) callback_tls: Arc<rustls::ClientConfig>,
    /// The value of `x-oss-pub-key-url`.
    pub(crate) callback_key_url: HeaderValue,
    /// The public half of the callback key, as the store serves it.
    pub(crate) callback_key_pem: String,
    /// A place for each upload that streams.
    pub(crate) uploads: Arc<Places<UploadHolder, BodyWatch>>,
    /// Work that outlives its connection: commits, callbacks, the closing of owed entries.
    pub(crate) tasks: TaskTracker,
}

/// A running store. Cheap to clone.
#[derive(Clone)]
pub struct Server(pub(crate) Arc<ServerState>);

impl Server {
    /// Puts a server together.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn new(options: ServerOptions) -> Result<Self, ServerError> {
        let hosts = HostNames::new(options.domains.iter().cloned(), options.cname.iter().cloned());
        Ok(Self(Arc::new(ServerState {
            uploads: Places::new(options.limits.uploads_max),
            hosts,
            coverage_warnings: CoverageWarnings::default(),
            header_names: HeaderNames::default(),
            refused_origins: RefusedOrigins::default(),
            form_heads: HeadBudget::new(options.limits.form_heads_bytes_max),
            callbacks: Places::new(options.limits.callbacks_max),
            callback_budget: CallbackBudget::new(&options.limits),
            answers: FairBudget::new(options.limits.answers_bytes_max, usize::MAX),
            documents: FairBudget::new(options.limits.documents_bytes_max, usize::MAX),
            listings: Semaphore::new(options.limits.listings_max),
            gzip_answers: Arc::new(Semaphore::new(gzip::ANSWERS_MAX)),
            image_headers: Semaphore::new(image_info::MEASURED_AT_ONCE_MAX),
            lookups: FairBudget::new(usize::MAX, options.limits.callback_lookups_max),
            signing: SigningLine::new(),
            callback_connections: Arc::default(),
            callback_tls: tls::client_config(&options.callback_extra_roots)?,
            callback_key_url: delivery::key_url_header(&options.callback_key_url),
            callback_key_pem: options.callback_key.public_key_pem()?,
            tasks: TaskTracker::new(),
            options,
        })))
    }

    /// Does what goes on beside the requests, which is carrying out lifecycle rules, until `stop` is ready.
    pub async fn run_background(&self, stop: impl Future<Output = ()>) {
        if let Err(error) = self.0.callback_budget.ready(&self.0.options.store).await {
            // The first upload with a callback tries it again.
            tracing::error!(%error, "the callbacks that are owed could not be counted");
        }
        lifecycle::run(&self.0, self.0.options.limits.lifecycle_interval, stop).await;
    }

    /// Carries out the lifecycle rules of all buckets once, now; says how many objects it deleted.
    ///
    /// # Errors
    /// See [`LifecycleError`]; what was deleted before stays deleted.
    pub async fn expire_objects(&self) -> Result<u64, LifecycleError> {
        lifecycle::pass(&self.0).await
    }

    /// The type under which an object is served; `None` when there is no such object. For whoever hands out
    /// addresses of objects and must know whether a browser would run them.
    ///
    /// # Errors
    /// When the catalog cannot be asked.
    pub async fn content_type(&self, bucket: &str, key: &str) -> Result<Option<String>, QueryError> {
        let object = self.0.options.store.object(bucket, key).await?;
        Ok(object.map(|object| ObjectAttributes::decode(&object.attributes).content_type))
    }

    /// Which of these callback URLs (up to five, with `;` between them) could not be called as things stand: the host
    /// has no address, or none that is permitted. Nothing is connected to.
    pub async fn undeliverable(&self, callback_url: &str) -> Vec<UndeliverableCallback> {
        address::undeliverable(&self.0, callback_url).await
    }

    /// For a listener of this server: a connection that could not be accepted, which is for want of descriptors most
    /// often, shows on the health page.
    pub fn not_accepted(&self) -> NotAccepted {
        let store = self.0.options.store.clone();
        Arc::new(move |error| {
            if let Some(trouble) = Trouble::of(error) {
                store.note_trouble(trouble, format!("a connection could not be accepted: {error}"));
            }
        })
    }

    /// Waits for the commits and callbacks that are under way. Call it once the listener has ended.
    pub async fn finish(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

impl hyper::service::Service<Request<Incoming>> for Server {
    type Response = WireResponse;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<WireResponse, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let state = Arc::clone(&self.0);
        Box::pin(async move { Ok(dispatch::handle(state, request).await) })
    }
}

impl ServerState {
    /// The secret of a key id.
    pub(crate) fn secret(&self, id: &str) -> Option<&AccessKeySecret> {
        self.options.credentials.iter().find(|known| known.id == id).map(|known| &known.secret)
    }
}
