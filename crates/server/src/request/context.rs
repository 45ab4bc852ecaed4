//! The context of a request: its id, the time it arrived, who sent it, and the server's state. Operations get it by
//! reference and clone it (cheaply) into tasks that outlive the connection.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use crate::callback::plan::UploadRequest;
use crate::measures::Stage;
use crate::request_id::RequestId;
use crate::state::ServerState;

/// The surroundings of one request.
#[derive(Clone)]
pub(crate) struct RequestContext {
    /// Store, options, budgets.
    pub(crate) server: Arc<ServerState>,
    /// The request's id.
    pub(crate) request_id: RequestId,
    /// The date when the request arrived.
    pub(crate) now: Timestamp,
    /// The same moment on the monotonic clock.
    pub(crate) arrived: Instant,
    /// The client's address: the connection's, or what a trusted proxy says. Nobody else is believed.
    pub(crate) client: IpAddr,
    /// Whether the connection is TLS.
    pub(crate) secure: bool,
    /// The span that lines about it are written in.
    pub(crate) span: tracing::Span,
}

impl RequestContext {
    /// Does a stage of an upload, in a span of its own and measured.
    pub(crate) async fn in_stage<F: Future>(&self, stage: Stage, work: Pin<&mut F>) -> F::Output {
        self.server.metrics.in_stage(&self.server.options.clock, stage, work).await
    }

    /// The request as its callback speaks of it.
    pub(crate) fn of_upload(&self) -> UploadRequest<'_> {
        UploadRequest { id: self.request_id.as_str(), client: self.client }
    }
}
