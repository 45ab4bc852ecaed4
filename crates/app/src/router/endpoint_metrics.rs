//! Counts the answers of each endpoint by their class of status, with the `metrics` facade: an application that mounts
//! the routes and has a recorder finds them there.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use metrics::{Counter, counter, describe_counter};

/// The counters of one endpoint, registered once.
#[derive(Clone)]
pub(super) struct EndpointMetrics(Arc<[Counter; 4]>);

impl EndpointMetrics {
    /// Registers them.
    pub(super) fn register(endpoint: &'static str) -> Self {
        describe_counter!("countersign_app_requests_total", "Requests of the application server.");
        let count = |status: &'static str| counter!("countersign_app_requests_total", "endpoint" => endpoint, "status" => status);
        Self(Arc::new(["2xx", "3xx", "4xx", "5xx"].map(count)))
    }
}

/// Counts one answer.
pub(super) async fn count(State(metrics): State<EndpointMetrics>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let class = usize::from(response.status().as_u16() / 100).checked_sub(2);
    if let Some(counter) = class.and_then(|class| metrics.0.get(class)) {
        counter.increment(1);
    }
    response
}
