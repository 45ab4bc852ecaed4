//! Measures a server for monitors, and opens the spans that the lines of its log belong to.
//!
//! Every metric is registered once, when the server is put together; counting is an addition to a number from then on.
//! Labels come from tables (operations, stages, classes of status): never a bucket, a key, an address or a destination,
//! of which there are as many as clients like. `docs/metrics.md` names all of them.

use std::pin::Pin;
use std::time::Instant;

use countersign_clock::Clock;
use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};
use tracing::{Instrument as _, Span};

/// The operation of requests that ask for none, or for one that is not served.
pub(crate) const NO_OPERATION: &str = "none";

/// A stage of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The form is read up to its file.
    Head,
    /// Everything is checked.
    Authorise,
    /// The bytes are taken in.
    Intake,
    /// The bytes are sealed.
    Seal,
    /// The transaction that makes it visible.
    Commit,
    /// The application is called.
    Callback,
}

impl Stage {
    const ALL: [Stage; 6] =
        [Stage::Head, Stage::Authorise, Stage::Intake, Stage::Seal, Stage::Commit, Stage::Callback];

    const fn word(self) -> &'static str {
        match self {
            Stage::Head => "head",
            Stage::Authorise => "authorise",
            Stage::Intake => "intake",
            Stage::Seal => "seal",
            Stage::Commit => "commit",
            Stage::Callback => "callback",
        }
    }
}

/// What is counted of one operation: its requests by how they were answered.
struct OperationCounts {
    name: &'static str,
    by_class: [Counter; 4],
    unanswered: Counter,
}

/// The metrics of a server.
pub(crate) struct ServerMetrics {
    operations: Vec<OperationCounts>,
    request_seconds: Histogram,
    stages: [Histogram; 6],
    uploads_under_way: Gauge,
    /// Bytes of bodies that came.
    pub(crate) received_bytes: Counter,
    /// Bytes of bodies that were sent.
    pub(crate) sent_bytes: Counter,
}

impl ServerMetrics {
    /// Registers them. `operations` are the names of those that are served.
    pub(crate) fn register(operations: impl Iterator<Item = &'static str>) -> Self {
        describe_counter!("countersign_requests_total", "Requests by operation and class of status.");
        describe_histogram!("countersign_request_seconds", "From a request's head to its answer's head.");
        describe_histogram!("countersign_upload_stage_seconds", "How long the stages of uploads took.");
        describe_gauge!("countersign_uploads_under_way", "Uploads between their head and their answer.");
        describe_counter!("countersign_received_bytes_total", "Bytes of request bodies that came.");
        describe_counter!("countersign_sent_bytes_total", "Bytes of answers' bodies that were sent.");
        let count = |operation: &'static str, status: &'static str| counter!("countersign_requests_total", "operation" => operation, "status" => status);
        let counts = |name| OperationCounts {
            name,
            by_class: ["2xx", "3xx", "4xx", "5xx"].map(|class| count(name, class)),
            unanswered: count(name, "unanswered"),
        };
        Self {
            operations: operations.chain([NO_OPERATION]).map(counts).collect(),
            request_seconds: histogram!("countersign_request_seconds"),
            stages: Stage::ALL
                .map(|stage| histogram!("countersign_upload_stage_seconds", "stage" => stage.word())),
            uploads_under_way: gauge!("countersign_uploads_under_way"),
            received_bytes: counter!("countersign_received_bytes_total"),
            sent_bytes: counter!("countersign_sent_bytes_total"),
        }
    }

    /// A request that has come; it counts once, when this is dropped.
    pub(crate) fn request<'m>(&'m self, clock: &'m Clock, arrived: Instant) -> MeasuredRequest<'m> {
        MeasuredRequest { metrics: self, clock, arrived, operation: NO_OPERATION, status: None }
    }

    /// An upload is under way until the answer is dropped.
    pub(crate) fn upload(&self) -> UploadUnderWay<'_> {
        self.uploads_under_way.increment(1.0);
        UploadUnderWay(&self.uploads_under_way)
    }

    /// Does a stage of an upload in a span of its own, and measures how long it takes.
    ///
    /// The work comes pinned: these futures are of many kilobytes, and each that wraps another would copy it.
    pub(crate) async fn in_stage<F: Future>(
        &self,
        clock: &Clock,
        stage: Stage,
        work: Pin<&mut F>,
    ) -> F::Output {
        let begun = clock.monotonic();
        let output = work.instrument(tracing::debug_span!("stage", stage = stage.word())).await;
        if let Some(histogram) = self.stages.get(stage as usize) {
            histogram.record(clock.since(begun).as_secs_f64());
        }
        output
    }
}

/// See [`ServerMetrics::request`].
pub(crate) struct MeasuredRequest<'m> {
    metrics: &'m ServerMetrics,
    clock: &'m Clock,
    arrived: Instant,
    /// What it asks for, by the name of a served operation.
    pub(crate) operation: &'static str,
    /// How it was answered; `None` where the client left before.
    pub(crate) status: Option<u16>,
}

impl Drop for MeasuredRequest<'_> {
    fn drop(&mut self) {
        let known = |name| move |counts: &&OperationCounts| counts.name == name;
        let operations = &self.metrics.operations;
        let counts = operations.iter().find(known(self.operation));
        let Some(counts) = counts.or_else(|| operations.iter().find(known(NO_OPERATION))) else { return };
        let class =
            self.status.and_then(|status| counts.by_class.get(usize::from(status / 100).checked_sub(2)?));
        class.unwrap_or(&counts.unanswered).increment(1);
        self.metrics.request_seconds.record(self.clock.since(self.arrived).as_secs_f64());
    }
}

/// See [`ServerMetrics::upload`].
pub(crate) struct UploadUnderWay<'m>(&'m Gauge);

impl Drop for UploadUnderWay<'_> {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// How much of something bounded is in use, and how much there is.
struct Use {
    name: &'static str,
    used: Gauge,
    max: Gauge,
}

/// Metrics of what is bounded, read off when a monitor asks.
pub(crate) struct BoundMetrics {
    places: Vec<Use>,
    bytes: Vec<Use>,
    owed_entries: Gauge,
    owed_bytes: Gauge,
}

/// What has places.
const PLACES: [&str; 7] =
    ["uploads", "callbacks", "owed_callbacks", "lookups", "listings", "gzip_answers", "image_headers"];
/// What has bytes.
const BUDGETS: [&str; 5] = ["form_heads", "answers", "documents", "callback_bodies", "owed_callbacks"];

impl BoundMetrics {
    /// Registers them.
    pub(crate) fn register() -> Self {
        describe_gauge!("countersign_places_used", "Places in use, of what is bounded in number.");
        describe_gauge!("countersign_places_max", "Places that there are.");
        describe_gauge!(
            "countersign_budget_bytes_used",
            "Bytes in use, of what is bounded in memory or on disk."
        );
        describe_gauge!("countersign_budget_bytes_max", "Bytes that may be in use.");
        describe_gauge!("countersign_owed_entries", "Callbacks that are owed or under way.");
        describe_gauge!("countersign_owed_bytes", "What they take in the catalog.");
        let place = |name| Use {
            name,
            used: gauge!("countersign_places_used", "of" => name),
            max: gauge!("countersign_places_max", "of" => name),
        };
        let budget = |name| Use {
            name,
            used: gauge!("countersign_budget_bytes_used", "of" => name),
            max: gauge!("countersign_budget_bytes_max", "of" => name),
        };
        Self {
            places: PLACES.map(place).into(),
            bytes: BUDGETS.map(budget).into(),
            owed_entries: gauge!("countersign_owed_entries"),
            owed_bytes: gauge!("countersign_owed_bytes"),
        }
    }

    /// So many places of these are in use.
    pub(crate) fn places(&self, of: &str, used: u64, max: u64) {
        set(&self.places, of, used, max);
    }

    /// So many bytes of these are in use.
    pub(crate) fn bytes(&self, of: &str, used: u64, max: u64) {
        set(&self.bytes, of, used, max);
    }

    /// So much is owed.
    pub(crate) fn outbox(&self, entries: u64, bytes: u64) {
        self.owed_entries.set(real(entries));
        self.owed_bytes.set(real(bytes));
    }
}

fn set(table: &[Use], of: &str, used: u64, max: u64) {
    let Some(row) = table.iter().find(|row| row.name == of) else {
        return debug_assert!(false, "{of} is not in the table");
    };
    row.used.set(real(used));
    row.max.set(real(max));
}

/// Exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn real(number: u64) -> f64 {
    number as f64
}

/// The most characters of a name that a span holds.
const NAME_CHARACTERS_MAX: usize = 256;

/// The beginning of a text that is too long to be logged whole.
pub(crate) fn cut(text: &str) -> &str {
    match text.char_indices().nth(NAME_CHARACTERS_MAX) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    }
}

/// The span of a request, in which every line about it is written. At the level of errors, because an error deep inside
/// says only by it which request it met.
pub(crate) fn request_span(id: &str, method: &str, bucket: Option<&str>, key: Option<&[u8]>) -> Span {
    tracing::error_span!(
        "request",
        request_id = id,
        method = cut(method),
        bucket = bucket.map(cut),
        key = key.map(String::from_utf8_lossy).as_deref().map(cut),
        operation = tracing::field::Empty,
        principal = tracing::field::Empty,
    )
}
