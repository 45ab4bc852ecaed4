//! Starts services on their listeners, and stops them in the order that lets uploads finish.

use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use countersign_server::Server;
use countersign_server::listen::request_log::IdSlot;
use countersign_server::listen::{ListenOptions, listen};
use countersign_server::request::framing;
use countersign_server::request_id::RequestIds;
use countersign_store::Random;
use countersign_store::Store;
use http::{HeaderValue, StatusCode, header};
use hyper::body::Incoming;
use hyper_util::service::TowerToHyperService;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::clock;
use super::listeners::Bound;
use super::shutdown::StopSwitch;

/// How long commits and callbacks under way get after the store's listeners have ended.
const FINISH_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest head of a request to an application server. Each connection may hold as much of what it sends, and no
/// request to it needs long headers.
const APP_HEADER_BYTES_MAX: usize = 16 * 1024;
/// How many connections the application server takes. Each may hold some 60 KiB while a body comes, and the server
/// promises to hold less than 128 MiB; what it does for a connection takes moments, and idle ones give way.
const APP_CONNECTIONS_MAX: usize = 1024;

/// A server's connections, divided among its listeners.
fn per_listener(options: &ListenOptions, bound: &Bound) -> usize {
    (options.connections_max / bound.listeners.len().max(1)).max(1)
}

/// One service on its listeners.
pub(crate) struct Running {
    stop: StopSwitch,
    tasks: JoinSet<()>,
}

impl Running {
    /// Starts the store's HTTP face.
    pub(crate) fn store(bound: Bound, server: &Server, options: &ListenOptions) -> Self {
        let (stop, mut tasks) = (StopSwitch::new(), JoinSet::new());
        let connections_max = per_listener(options, &bound);
        let options = ListenOptions {
            connections_max,
            not_accepted: Some(server.not_accepted()),
            sent_bytes: server.sent_bytes(),
            ..options.clone()
        };
        for listener in bound.listeners {
            tasks.spawn(listen(listener, server.clone(), options.clone(), stop.thrown()));
        }
        let (background, stopped) = (server.clone(), stop.thrown());
        tasks.spawn(async move { background.run_background(stopped).await });
        Running { stop, tasks }
    }

    /// Starts an application server.
    pub(crate) fn app(bound: Bound, router: &Router, options: &ListenOptions) -> Self {
        let header_bytes_max = options.header_bytes_max.min(APP_HEADER_BYTES_MAX);
        let connections_max = options.connections_max.min(APP_CONNECTIONS_MAX);
        let options = ListenOptions { connections_max, header_bytes_max, ..options.clone() };
        let options = ListenOptions { connections_max: per_listener(&options, &bound), ..options };
        let (stop, mut tasks) = (StopSwitch::new(), JoinSet::new());
        let router =
            router.clone().layer(middleware::from_fn(refuse_ambiguous)).layer(middleware::from_fn(with_id));
        for listener in bound.listeners {
            let service = TowerToHyperService::new(router.clone().into_service::<Incoming>());
            tasks.spawn(listen(listener, service, options.clone(), stop.thrown()));
        }
        Running { stop, tasks }
    }

    /// Stops accepting and waits until what is under way has ended.
    pub(crate) async fn end(mut self) {
        self.stop.throw();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Gives each answer an id, which the log names too.
async fn with_id(request: Request, next: Next) -> Response {
    static IDS: LazyLock<RequestIds> = LazyLock::new(|| RequestIds::new(&Random::system()));
    let id = IDS.fresh(clock::real(0).wall());
    if let Some(slot) = request.extensions().get::<IdSlot>() {
        slot.tell(id.as_str());
    }
    let span = tracing::error_span!("request", request_id = id.as_str(), method = request.method().as_str());
    let mut response = next.run(request).instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().entry("x-request-id").or_insert(value);
    }
    response
}

/// Refuses what a proxy in front could have read otherwise, as the store's port does.
async fn refuse_ambiguous(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match framing::check(&parts) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(error) => {
            let close = [(header::CONNECTION, "close")];
            (StatusCode::BAD_REQUEST, close, format!("{error}\n")).into_response()
        }
    }
}

/// Ends a store: its listeners, then the commits and callbacks under way, then the data folder.
pub(crate) async fn end_store(running: Running, server: &Server) {
    running.end().await;
    if tokio::time::timeout(FINISH_TIMEOUT, server.finish()).await.is_err() {
        tracing::warn!("callbacks were still under way when the time was over; they stay listed as owed");
    }
}

/// Frees the data folder, once nothing uses it any more.
pub(crate) async fn close(store: &Store) {
    store.shutdown().await;
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::super::listeners::{self, Wanted};
    use super::*;

    #[tokio::test]
    async fn the_applications_port_refuses_requests_without_one_host() {
        let any = Wanted::Given(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let bound = listeners::bind(any, None).await.unwrap();
        let address = bound.addresses[0];
        let router = Router::new().route("/healthz", get(|| async { "ok\n" }));
        let running = Running::app(bound, &router, &ListenOptions::default());
        for (hosts, status) in [
            ("Host: a\r\n", "200"),
            ("", "400"),
            ("Host: a\r\nHost: b\r\n", "400"),
            ("Host: a\r\nHost: a\r\n", "400"),
        ] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request = format!("GET /healthz HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert_eq!(answer.split(' ').nth(1), Some(status), "{hosts:?}: {answer}");
        }
        running.end().await;
    }
}
