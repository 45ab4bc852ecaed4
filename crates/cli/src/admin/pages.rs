//! The pages of the administration listener: `/metrics`, `/livez`, `/readyz`, and `/healthz` as another name of the last.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use countersign_server::listen::Peer;
use http::{HeaderValue, Method, StatusCode, header};
use metrics_exporter_prometheus::PrometheusHandle;

use super::known_origin::{self, Foreign};
use super::watched::Watched;

/// Where the metrics are.
pub(super) const METRICS_PATH: &str = "/metrics";
/// The type of Prometheus' text format.
const METRICS_TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
const TEXT_TYPE: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// What the pages are made of.
pub(super) struct Pages {
    watched: Watched,
    stopping: Arc<AtomicBool>,
    metrics: PrometheusHandle,
}

impl Pages {
    pub(super) fn new(watched: Watched, stopping: Arc<AtomicBool>, metrics: PrometheusHandle) -> Pages {
        Pages { watched, stopping, metrics }
    }

    fn readiness(&self) -> Response {
        if self.stopping.load(Ordering::Relaxed) {
            return text(StatusCode::SERVICE_UNAVAILABLE, "it is stopping\n".to_owned());
        }
        let said = (self.watched.health)();
        text(if said.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, said.text)
    }

    async fn metrics(&self) -> Response {
        let (metrics, measure) = (self.metrics.clone(), Arc::clone(&self.watched.measure));
        let written = tokio::task::spawn_blocking(move || {
            measure();
            metrics.render()
        });
        match written.await {
            Ok(body) => page(StatusCode::OK, METRICS_TYPE, body),
            Err(error) => {
                tracing::error!(%error, "the metrics could not be written");
                text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be written\n".to_owned())
            }
        }
    }
}

/// Answers one request.
pub(super) async fn answer(State(pages): State<Arc<Pages>>, request: Request) -> Response {
    let local = request.extensions().get::<Peer>().copied().unwrap_or_default().local.ip();
    if let Err(foreign) = known_origin::check(request.uri(), request.headers(), local) {
        let status = match foreign {
            Foreign::Host => StatusCode::MISDIRECTED_REQUEST,
            Foreign::Origin => StatusCode::FORBIDDEN,
        };
        return text(status, format!("{foreign}\n"));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refusal =
            text(StatusCode::METHOD_NOT_ALLOWED, "pages here are read with GET or HEAD\n".to_owned());
        refusal.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        // It may have a body, which is not read.
        refusal.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        return refusal;
    }
    match request.uri().path() {
        METRICS_PATH => pages.metrics().await,
        "/livez" => text(StatusCode::OK, "ok\n".to_owned()),
        "/readyz" | "/healthz" => pages.readiness(),
        _ => text(StatusCode::NOT_FOUND, "there are /metrics, /livez, /readyz and /healthz\n".to_owned()),
    }
}

fn text(status: StatusCode, body: String) -> Response {
    page(status, TEXT_TYPE, body)
}

fn page(status: StatusCode, content_type: HeaderValue, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, headers, body).into_response()
}
