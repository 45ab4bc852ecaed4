//! The only place that writes error answers. What happened inside goes to the log; the client gets code,
//! message and EC number (ERR-1 to ERR-6), a HEAD gets them as headers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_protocol::{ErrorCode, WireError};
use countersign_store::blobs::BlobError;
use countersign_store::catalog::CatalogError;
use countersign_store::{
    ApplyError, BucketExists, CommitError, DeleteBucketRefusal, DeleteRefusal, NoSuchBucket,
    PutAttributesRefusal, PutRefusal, QueryError, ReadError, StageError, Trouble,
};
use http::header::RETRY_AFTER;
use http::{HeaderValue, Method, StatusCode};

use crate::callback::budget::CallbackRoom;
use crate::callback::client::CallbackNotAdmitted;
use crate::error_chain::ErrorChain;
use crate::request::Call;
use crate::request::context::RequestContext;
use crate::request::request_body::BodyError;
use crate::response::endpoint;
use crate::response::wire_response::{self, WireResponse};

/// Where the error reference is served; `RecommendDoc` links to a topic below it.
pub(crate) const ERROR_REFERENCE_PATH: &str = "/_countersign/docs/errors";
/// When to come again after SlowDown, or when no file descriptor was left. What is short then, a place for an upload or room for a form's fields, comes
/// free within moments; who waits longer waits for nothing.
const RETRY_AFTER_SECONDS: &str = "1";

/// Why an operation did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperationError {
    /// The client is told exactly this.
    #[error("{0}")]
    Wire(Box<WireError>),
    /// The request's body could not be read.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// Bytes could not be taken in.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// A rule of the store refused a change.
    #[error(transparent)]
    Refused(#[from] RefusedChange),
    /// A change failed.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// A question to the catalog failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Stored bytes could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A task of this server ended without an answer.
    #[error("a task ended without an answer: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// The rules by which the store refuses the changes that operations ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RefusedChange {
    /// Of a bucket that is not there.
    #[error(transparent)]
    NoSuchBucket(#[from] NoSuchBucket),
    /// The making of a bucket that is there.
    #[error(transparent)]
    CreateBucket(#[from] BucketExists),
    /// The removing of a bucket.
    #[error(transparent)]
    DeleteBucket(#[from] DeleteBucketRefusal),
    /// The storing of an object.
    #[error(transparent)]
    Put(#[from] PutRefusal),
    /// The writing of an object's attributes.
    #[error(transparent)]
    PutAttributes(#[from] PutAttributesRefusal),
    /// The deleting of an object.
    #[error(transparent)]
    Delete(#[from] DeleteRefusal),
}

impl RefusedChange {
    /// What the client is told, for a request on `bucket`.
    fn into_wire(self, bucket: &str) -> WireError {
        let (code, names_bucket) = match self {
            Self::NoSuchBucket(NoSuchBucket)
            | Self::DeleteBucket(DeleteBucketRefusal::NoSuchBucket)
            | Self::Put(PutRefusal::NoSuchBucket)
            | Self::PutAttributes(PutAttributesRefusal::NoSuchBucket)
            | Self::Delete(DeleteRefusal::NoSuchBucket) => (ErrorCode::NoSuchBucket, true),
            Self::CreateBucket(BucketExists) => (ErrorCode::BucketAlreadyExists, true),
            Self::DeleteBucket(DeleteBucketRefusal::BucketNotEmpty) => (ErrorCode::BucketNotEmpty, true),
            Self::Put(PutRefusal::ObjectExists) => (ErrorCode::FileAlreadyExists, false),
            Self::PutAttributes(PutAttributesRefusal::ObjectChanged)
            | Self::Delete(DeleteRefusal::ObjectChanged) => (ErrorCode::PreconditionFailed, false),
        };
        let error = WireError::new(code);
        if names_bucket { error.with_element("BucketName", bucket) } else { error }
    }
}

impl<R> From<CommitError<R>> for OperationError
where
    R: std::error::Error + Into<RefusedChange> + 'static,
{
    fn from(error: CommitError<R>) -> Self {
        match error {
            CommitError::Refused(refused) => Self::Refused(refused.into()),
            CommitError::Failed(error) => Self::Apply(error),
        }
    }
}

impl From<WireError> for OperationError {
    fn from(error: WireError) -> Self {
        Self::Wire(Box::new(error))
    }
}

impl From<ErrorCode> for OperationError {
    fn from(code: ErrorCode) -> Self {
        WireError::new(code).into()
    }
}

impl From<CallbackNotAdmitted> for OperationError {
    fn from(error: CallbackNotAdmitted) -> Self {
        let slow_down =
            |message: &'static str| WireError::new(ErrorCode::SlowDown).with_message(message).into();
        match error {
            CallbackNotAdmitted::Outbox(error) => error.into(),
            CallbackNotAdmitted::TooLong(error) => WireError::from(error).into(),
            CallbackNotAdmitted::NoRoom(CallbackRoom::Owed) => {
                slow_down("Too many callbacks of this destination are owed. Please try again later.")
            }
            CallbackNotAdmitted::NoRoom(CallbackRoom::UnderWay) => {
                slow_down("Too many callbacks of this destination are under way. Please try again later.")
            }
        }
    }
}

impl OperationError {
    /// Whether the machine below refused it for a reason that an operator can mend.
    fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Stage(error) => error.trouble(),
            Self::Apply(error) => error.trouble(),
            Self::Query(error) => error.trouble(),
            Self::Read(error) => error.trouble(),
            _ => None,
        }
    }

    /// What the client is told, for a request on `bucket`.
    pub(crate) fn into_wire(self, bucket: Option<&str>) -> WireError {
        let bucket = bucket.unwrap_or_default();
        if let Some(trouble) = self.trouble() {
            return WireError::new(match trouble {
                Trouble::OpenFiles => ErrorCode::OpenFilesExhausted,
                Trouble::DataFolder => ErrorCode::DataFolderUnusable,
            });
        }
        match self {
            Self::Wire(error) => *error,
            Self::Body(error) => WireError::from(&error),
            Self::Query(QueryError::NoSuchBucket) => RefusedChange::from(NoSuchBucket).into_wire(bucket),
            Self::Refused(refused) => refused.into_wire(bucket),
            Self::Stage(StageError::Full) | Self::Apply(ApplyError::Full) => {
                WireError::new(ErrorCode::InsufficientStorage)
            }
            Self::Stage(StageError::Unhealthy { .. } | StageError::Blob(BlobError::SyncFailed(_)))
            | Self::Apply(ApplyError::Unhealthy { .. }) => WireError::new(ErrorCode::WritesRefused),
            Self::Apply(ApplyError::Closed | ApplyError::Unavailable(_) | ApplyError::OutcomeUnknown(_))
            | Self::Query(QueryError::Catalog(CatalogError::Unavailable(_)))
            | Self::Read(ReadError::Catalog(CatalogError::Unavailable(_))) => {
                WireError::new(ErrorCode::ServiceUnavailable)
            }
            Self::Read(ReadError::Damaged | ReadError::Short) => WireError::new(ErrorCode::ObjectDamaged),
            Self::Read(ReadError::Gone) => WireError::new(ErrorCode::NoSuchKey),
            Self::Stage(_) | Self::Apply(_) | Self::Query(_) | Self::Read(_) | Self::Task(_) => {
                WireError::new(ErrorCode::InternalError)
            }
        }
    }
}

/// Writes the answer to a request that failed. The inner reason goes to the log only.
pub(crate) fn respond(error: OperationError, context: &RequestContext, call: &Call) -> WireResponse {
    log(&error, context, call);
    if let Some(trouble) = error.trouble() {
        context.server.options.store.note_trouble(trouble, error.to_string());
    }
    let error = error.into_wire(call.bucket());
    answer(&error, context, call)
}

/// Writes one error as an answer.
pub(crate) fn answer(error: &WireError, context: &RequestContext, call: &Call) -> WireResponse {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reference = format!("{}{ERROR_REFERENCE_PATH}", endpoint::reached(context, call));
    let document = error.to_xml(context.request_id.as_str(), &call.host, &reference);
    let mut response = if call.parts.method == Method::HEAD {
        let mut response = wire_response::empty(status);
        if let Ok(value) = HeaderValue::from_str(&STANDARD.encode(document)) {
            response.headers_mut().insert("x-oss-err", value);
        }
        response
    } else if status == StatusCode::NOT_MODIFIED {
        wire_response::empty(status)
    } else {
        wire_response::xml(status, document)
    };
    if let Some(ec) = error.ec() {
        response.headers_mut().insert("x-oss-ec", HeaderValue::from_static(ec));
    }
    if [ErrorCode::SlowDown, ErrorCode::OpenFilesExhausted].contains(&error.code()) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    }
    response
}

fn log(error: &OperationError, context: &RequestContext, call: &Call) {
    let (request_id, method, host) = (context.request_id, &call.parts.method, &call.host);
    match error {
        OperationError::Wire(_) | OperationError::Body(_) | OperationError::Refused(_) => {
            tracing::info!(%request_id, %method, host, %error, "refused");
        }
        OperationError::Read(ReadError::Gone) | OperationError::Query(QueryError::NoSuchBucket) => {
            tracing::info!(%request_id, %method, host, %error, "not found");
        }
        _ => {
            let error = ErrorChain(error);
            tracing::error!(%request_id, %method, host, %error, "failed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_store::catalog::EngineError;

    #[test]
    fn a_full_disk_has_its_own_code_wherever_it_shows() {
        for error in [OperationError::from(StageError::Full), OperationError::from(ApplyError::Full)] {
            let error = error.into_wire(Some("demo"));
            assert_eq!((error.status(), error.code()), (507, ErrorCode::InsufficientStorage));
        }
    }

    #[test]
    fn a_store_that_refuses_writes_says_so_wherever_it_shows() {
        let reason = || "a sync failed".to_owned();
        let sync = std::io::Error::other("injected");
        for error in [
            OperationError::from(StageError::Unhealthy { reason: reason() }),
            OperationError::from(StageError::Blob(BlobError::SyncFailed(sync))),
            OperationError::from(ApplyError::Unhealthy { reason: reason() }),
        ] {
            let error = error.into_wire(Some("demo"));
            assert_eq!((error.status(), error.code()), (503, ErrorCode::WritesRefused));
        }
    }

    #[test]
    fn a_catalog_that_cannot_be_reached_asks_to_come_again() {
        let away = || EngineError::new("connection refused");
        for error in [
            OperationError::from(ApplyError::Unavailable(away())),
            OperationError::from(ApplyError::OutcomeUnknown(away())),
            OperationError::from(QueryError::Catalog(CatalogError::Unavailable(away()))),
            OperationError::from(ReadError::Catalog(CatalogError::Unavailable(away()))),
        ] {
            let error = error.into_wire(Some("demo"));
            assert_eq!((error.status(), error.code()), (503, ErrorCode::ServiceUnavailable));
        }
    }

    #[test]
    fn what_failed_inside_stays_inside() {
        let said = EngineError::new("table version is locked");
        let error = OperationError::from(ApplyError::Engine(said));
        let wire = error.into_wire(Some("demo"));
        assert_eq!(wire.code(), ErrorCode::InternalError);
        assert!(!wire.to_xml("id", "host", "").contains("locked"));
    }
}
