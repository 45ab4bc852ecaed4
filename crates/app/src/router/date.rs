//! Adds `Date` to every answer. A page whose device's clock is wrong corrects by it when a signature expires.

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use countersign_protocol::http_date;
use http::{HeaderValue, header};

use crate::clock::Clock;

/// Adds `Date` by this clock to every answer that has none.
///
/// ```
/// use axum::{Router, body::Body, routing::get};
/// use tower::ServiceExt as _;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let noon = std::sync::Arc::new(|| "2026-11-22T12:00:00Z".parse().unwrap());
/// let app = countersign_app::router::date::dated(Router::new().route("/", get(async || "hi")), noon);
/// let answer = app.oneshot(http::Request::get("/").body(Body::empty())?).await?;
/// assert_eq!(answer.headers()["date"], "Sun, 22 Nov 2026 12:00:00 GMT");
/// # Ok(())
/// # }
/// ```
pub fn dated(router: Router, clock: Clock) -> Router {
    router.layer(middleware::from_fn_with_state(clock, add_date))
}

async fn add_date(State(clock): State<Clock>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Ok(date) = HeaderValue::from_str(&http_date::format(clock())) {
        response.headers_mut().entry(header::DATE).or_insert(date);
    }
    response
}
