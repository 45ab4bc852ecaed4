//! The administration listener: its pages, its limits, and what it refuses.

mod metrics_page;

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::watched::Readiness;
use super::*;

/// A listener of its own for each test, whose recorder is not the process's.
async fn running(ready: &'static AtomicBool) -> (RunningAdmin, SocketAddr) {
    let any = Wanted::Given(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let bound = listeners::bind(any, None).await.unwrap();
    let address = bound.addresses[0];
    let recorder = measuring::recorder().unwrap();
    let measured = metrics::with_local_recorder(&recorder, || metrics::gauge!("measured"));
    let health = || {
        let ready = ready.load(Ordering::Relaxed);
        Readiness { ready, text: if ready { "ok\n" } else { "writes are refused: a test\n" }.to_owned() }
    };
    let watched = Watched { health: Arc::new(health), measure: Arc::new(move || measured.increment(1.0)) };
    let admin = Admin(Some((bound, MetricsRecorder::of(&recorder))));
    assert_eq!(admin.metrics_url(), Some(format!("http://{address}/metrics")));
    (admin.start(watched), address)
}

async fn answer(address: SocketAddr, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.replace('\n', "\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    // What is cut off has no status.
    let _ = stream.read_to_string(&mut answer).await;
    let status = answer.split(' ').nth(1).unwrap_or_default().parse().unwrap_or_default();
    (status, answer)
}

async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    answer(address, &format!("GET {path} HTTP/1.1\nHost: {address}\nConnection: close\n\n")).await
}

#[tokio::test]
async fn serves_metrics_and_health_and_says_at_the_end_that_it_is_alive_and_not_ready() {
    static READY: AtomicBool = AtomicBool::new(true);
    let (admin, address) = running(&READY).await;
    let (status, text) = get(address, "/metrics").await;
    assert_eq!((status, text.contains("text/plain; version=0.0.4")), (200, true), "{text}");
    assert!(text.contains("\nmeasured 1\n"), "{text}");
    assert!(get(address, "/metrics?x=1").await.1.contains("\nmeasured 2\n"), "measured at each answer");
    for path in ["/livez", "/readyz", "/healthz"] {
        let (status, text) = get(address, path).await;
        assert_eq!((status, text.ends_with("\r\n\r\nok\n")), (200, true), "{path}: {text}");
    }
    READY.store(false, Ordering::Relaxed);
    for (path, expected) in [("/livez", 200), ("/readyz", 503), ("/healthz", 503)] {
        let (status, text) = get(address, path).await;
        assert_eq!(status, expected, "{path}: {text}");
        assert_eq!(text.contains("writes are refused"), expected == 503, "{path}: {text}");
    }
    READY.store(true, Ordering::Relaxed);
    admin.stopping();
    assert_eq!((get(address, "/livez").await.0, get(address, "/readyz").await.0), (200, 503));
    admin.end().await;
}

#[tokio::test]
async fn refuses_other_hosts_origins_methods_and_paths() {
    static READY: AtomicBool = AtomicBool::new(true);
    let (admin, address) = running(&READY).await;
    let own = format!("Host: {address}\nConnection: close\n");
    let closed = "Connection: close\n";
    for (first_line, headers, expected) in [
        ("GET /metrics HTTP/1.1", format!("Host: localhost:1\n{closed}"), 200),
        ("GET /metrics HTTP/1.1", format!("{own}Origin: http://{address}\n"), 200),
        ("GET /metrics HTTP/1.1", format!("Host: rebound.example:9819\n{closed}"), 421),
        ("GET /metrics HTTP/1.1", closed.to_owned(), 400),
        ("GET /metrics HTTP/1.0", closed.to_owned(), 421),
        ("GET /metrics HTTP/1.1", format!("{own}Host: {address}\n"), 400),
        ("GET http://rebound.example/metrics HTTP/1.1", own.clone(), 421),
        ("GET /metrics HTTP/1.1", format!("{own}Origin: http://evil.example\n"), 403),
        ("GET /metrics HTTP/1.1", format!("{own}Origin: null\n"), 403),
        ("POST /metrics HTTP/1.1", format!("{own}Content-Length: 3\n"), 405),
        ("DELETE /readyz HTTP/1.1", own.clone(), 405),
        ("OPTIONS /metrics HTTP/1.1", format!("{own}Origin: http://evil.example\n"), 403),
        ("GET / HTTP/1.1", own.clone(), 404),
        ("GET /metrics/ HTTP/1.1", own.clone(), 404),
        ("GET /_countersign/healthz HTTP/1.1", own.clone(), 404),
    ] {
        let (status, text) = answer(address, &format!("{first_line}\n{headers}\n")).await;
        assert_eq!(status, expected, "{first_line}\n{headers}\n{text}");
        assert!(!text.to_ascii_lowercase().contains("access-control-allow"), "{text}");
        assert_eq!(text.contains("\nmeasured "), expected == 200, "{text}");
    }
    let (status, text) = answer(address, &format!("HEAD /metrics HTTP/1.1\n{own}\n")).await;
    assert!(status == 200 && text.ends_with("\r\n\r\n"), "{text}");
    admin.end().await;
}

#[tokio::test]
async fn limits_the_size_of_heads_and_the_number_of_connections() {
    static READY: AtomicBool = AtomicBool::new(true);
    let (admin, address) = running(&READY).await;
    let long = format!("GET /livez HTTP/1.1\nHost: {address}\nX: {}\n\n", "a".repeat(2 * HEADER_BYTES_MAX));
    let (status, text) = answer(address, &long).await;
    assert!(matches!(status, 431 | 0), "{text}");
    let mut idle = Vec::new();
    for _ in 0..2 * CONNECTIONS_MAX {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    // Connections that say nothing give way, a moment after they came.
    let answered = async {
        while get(address, "/livez").await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), answered).await.unwrap();
    admin.end().await;
}

#[tokio::test]
async fn none_means_that_there_is_no_listener() {
    for asked in [None, Some(AdminAddress::None)] {
        assert_eq!(Admin::bind(asked).await.unwrap().metrics_url(), None);
    }
    assert_eq!(Admin::bind_or_default(Some(AdminAddress::None)).await.unwrap().metrics_url(), None);
    let taken = Admin::bind_or_default(None).await.unwrap();
    assert!(taken.metrics_url().unwrap().starts_with("http://127.0.0.1:"));
}
