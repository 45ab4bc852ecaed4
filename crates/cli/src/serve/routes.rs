//! The routes of the application's address in `serve`: the library's three endpoints, the page, and what the page
//! asks about its surroundings.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use countersign_app::AppOptions;
use countersign_app::answer::Answer;
use countersign_app::router::admission::Admission;
use countersign_app::router::{date::dated, uploads_routes};
use countersign_app::upload_path::UploadPath;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};

use super::arrival::arrived_at;
use super::known_host::{self, KnownHost};
use super::serving::Serving;
use super::{open_link, page_files};

/// Everything under the application's address.
pub(super) fn router(app: AppOptions, serving: Serving, known_host: KnownHost) -> Router {
    let clock = app.clock.clone();
    let serving = Arc::new(serving);
    let asked = app.authorize.is_some();
    // Where an application says whose a request is, a token for everybody is no proof, and a link to any file no answer.
    let app = if asked { AppOptions { admission: Admission::open(), ..app } } else { app };
    let links = if asked { Router::new() } else { Router::new().route("/open", get(open_link::open)) };
    let admitted = links
        .route("/serve.json", get(document))
        .layer(middleware::from_fn_with_state(Arc::clone(&serving), admit));
    let routes = Router::new()
        .route("/", get(page_files::index))
        .route("/page/{*path}", get(page_files::page))
        .route("/uploader/{*path}", get(page_files::uploader))
        .route("/healthz", get(health))
        .merge(admitted)
        .with_state(serving)
        .merge(countersign_app::router(app.clone()))
        .merge(uploads_routes(AppOptions { folder: UploadPath::whole_bucket(), ..app }))
        .layer(middleware::from_fn_with_state(Arc::new(known_host), known_host::demand));
    dated(routes, clock)
}

async fn admit(State(serving): State<Arc<Serving>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match serving.admission.check(&parts) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refused) => Answer::from(refused).into_response(),
    }
}

async fn health(State(serving): State<Arc<Serving>>) -> (StatusCode, &'static str) {
    if serving.is_ready() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the store takes no writes\n")
    }
}

async fn document(State(serving): State<Arc<Serving>>, parts: Parts) -> Response {
    let store = serving.reachable.url_for(arrived_at(&parts));
    let mut response = Json(serving.facts.document(&store, serving.is_ready())).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
