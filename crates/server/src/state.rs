//! The state that every request needs: options, store, clock and keys, and the shared budgets.
//!
//! Made once and handed to each request with its context. The running server and the operations are not known here.

use std::sync::Arc;

use countersign_clock::{Clock, Random};
use countersign_protocol::AccessKeySecret;
use countersign_quota::places::Places;
use countersign_store::Store;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::bucket_rules::form_coverage::CoverageWarnings;
use crate::bucket_rules::refused_origins::RefusedOrigins;
use crate::bucket_rules::rules::RulesCache;
use crate::budget::body_watch::BodyWatch;
use crate::budget::fair_budget::FairBudget;
use crate::budget::head_budget::HeadBudget;
use crate::budget::holder::UploadHolder;
use crate::callback::client::CallbackClient;
use crate::limits::{GZIP_ANSWERS_MAX, IMAGE_HEADERS_MAX, Limits};
use crate::measures::{BoundMetrics, ServerMetrics};
use crate::request_id::RequestIds;

/// An access key that may do everything: the owner's.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: AccessKeySecret,
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

/// What the operator decided, and where everything is kept.
pub(crate) struct StateOptions {
    /// Where everything is kept.
    pub(crate) store: Store,
    /// Tells the time and waits.
    pub(crate) clock: Clock,
    /// What request ids are drawn from, and the keys of hash functions.
    pub(crate) random: Random,
    /// The keys that are known.
    pub(crate) credentials: Vec<Credential>,
    /// The region, such as `cn-hangzhou`.
    pub(crate) region: String,
    /// What ListBuckets and GetBucketInfo tell clients to connect to.
    pub(crate) advertised_endpoint: Option<String>,
    /// The address under which browsers reach the store.
    pub(crate) public_store_url: Option<String>,
    /// What the ETag of a form upload is made of.
    pub(crate) form_etag: EtagSource,
    /// Sizes, counts and times.
    pub(crate) limits: Limits,
}

/// What all requests share.
pub(crate) struct ServerState {
    pub(crate) options: StateOptions,
    /// The ids of requests.
    pub(crate) request_ids: RequestIds,
    /// What the heads of forms that are not yet authorised may hold together.
    pub(crate) form_heads: Arc<HeadBudget>,
    /// Of which uncovered fields of forms it was warned.
    pub(crate) coverage_warnings: CoverageWarnings,
    /// What the settings of buckets mean.
    pub(crate) rules: RulesCache,
    /// Which origins' preflights were refused.
    pub(crate) refused_origins: RefusedOrigins,
    /// Calls the applications.
    pub(crate) callbacks: Arc<CallbackClient>,
    /// One permit for each image whose header is being read.
    pub(crate) image_headers: Semaphore,
    /// One permit for each answer that is compressed.
    pub(crate) gzip_answers: Arc<Semaphore>,
    /// What answers may hold that clients have not read yet, and answers of applications that are being read.
    pub(crate) answers: FairBudget,
    /// What documents in requests may hold.
    pub(crate) documents: FairBudget,
    /// One permit for each list that is being made.
    pub(crate) listings: Semaphore,
    /// A place for each upload that streams.
    pub(crate) uploads: Arc<Places<UploadHolder, BodyWatch>>,
    /// Work that outlives its connection: commits, callbacks, the closing of outbox entries.
    pub(crate) tasks: TaskTracker,
    /// What monitors are told.
    pub(crate) metrics: ServerMetrics,
    bounds: BoundMetrics,
}

impl ServerState {
    /// With empty budgets. `answers` is shared with the callbacks.
    pub(crate) fn new(
        options: StateOptions,
        answers: FairBudget,
        callbacks: Arc<CallbackClient>,
        metrics: ServerMetrics,
    ) -> Self {
        let limits = &options.limits;
        Self {
            uploads: Places::new(limits.uploads_max),
            request_ids: RequestIds::new(&options.random),
            coverage_warnings: CoverageWarnings::default(),
            rules: RulesCache::default(),
            refused_origins: RefusedOrigins::default(),
            form_heads: HeadBudget::new(limits.form_heads_bytes_max),
            callbacks,
            answers,
            documents: FairBudget::new(limits.documents_bytes_max, usize::MAX, &options.random),
            listings: Semaphore::new(limits.listings_max),
            gzip_answers: Arc::new(Semaphore::new(GZIP_ANSWERS_MAX)),
            image_headers: Semaphore::new(IMAGE_HEADERS_MAX),
            tasks: TaskTracker::new(),
            metrics,
            bounds: BoundMetrics::register(),
            options,
        }
    }

    /// Brings the metrics of what is bounded, and those of the store's state, up to date. Blocks for a moment.
    pub(crate) fn measure(&self) {
        let bounds = &self.bounds;
        let (used, max) = self.uploads.in_use();
        bounds.places("uploads", used, max);
        let permits = |semaphore: &Semaphore, max: usize| {
            let free = semaphore.available_permits().min(max);
            ((max - free) as u64, max as u64)
        };
        let (used, max) = permits(&self.listings, self.options.limits.listings_max);
        bounds.places("listings", used, max);
        let (used, max) = permits(&self.gzip_answers, GZIP_ANSWERS_MAX);
        bounds.places("gzip_answers", used, max);
        let (used, max) = permits(&self.image_headers, IMAGE_HEADERS_MAX);
        bounds.places("image_headers", used, max);
        let (used, max) = self.form_heads.in_use();
        bounds.bytes("form_heads", used, max);
        for (name, budget) in [("answers", &self.answers), ("documents", &self.documents)] {
            bounds.bytes(name, budget.held().bytes as u64, budget.max().bytes as u64);
        }
        self.callbacks.measure(bounds);
        self.options.store.measure();
    }

    /// The secret of a key id.
    pub(crate) fn secret(&self, id: &str) -> Option<&AccessKeySecret> {
        self.options.credentials.iter().find(|known| known.id == id).map(|known| &known.secret)
    }
}
