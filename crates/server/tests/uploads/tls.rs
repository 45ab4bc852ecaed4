//! TLS on both sides: a listener with certificate and key from files, and callbacks to https applications.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use countersign_protocol::callback::BodyType;
use countersign_server::listen::{ListenOptions, TlsFiles, TlsFilesError, listen};
use http_body_util::Full;
use hyper::service::service_fn;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::form::Form;
use crate::running_store::{RunningStore, Setup};
use crate::wire_client::{Answer, connect_from, request};

/// A certificate for these names in files of its own, and the certificate itself.
pub(crate) fn certificate(names: &[&str]) -> (Arc<rustls::ServerConfig>, CertificateDer<'static>) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (TlsFiles::open(&certificate, &key).unwrap().config().unwrap(), made.cert.der().clone())
}

fn client(root: CertificateDer<'static>) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

#[tokio::test]
async fn a_form_comes_in_over_tls_and_its_location_says_https() {
    let (tls, root) = certificate(&["demo.oss.test"]);
    let listen = ListenOptions { tls: Some(tls), ..ListenOptions::default() };
    let store = RunningStore::start_with(Setup { listen, ..Setup::default() }).await;
    let stream = TcpStream::connect(store.address).await.unwrap();
    let name = ServerName::try_from("demo.oss.test").unwrap();
    let mut stream = client(root).connect(name, stream).await.unwrap();
    let form = Form::signed("k", b"x").field("success_action_status", "201");
    stream.write_all(&form.request(&[])).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let answer = Answer::parse(&bytes);
    assert_eq!((answer.status, answer.element("Location")), (201, Some("https://demo.oss.test/k")));
}

/// The beginning of a ClientHello whose length says so many bytes.
fn hello_of(bytes: u32) -> Vec<u8> {
    let [_, high, middle, low] = bytes.to_be_bytes();
    let record = u16::try_from(bytes.min(16_000)).unwrap().to_be_bytes();
    vec![22, 3, 1, record[0], record[1], 1, high, middle, low, 3, 3]
}

#[tokio::test]
async fn unfinished_tls_handshakes_are_ended_and_block_no_other_client() {
    let (tls, root) = certificate(&["demo.oss.test"]);
    let handshake_timeout = Duration::from_millis(1500);
    let listen =
        ListenOptions { tls: Some(tls), handshake_timeout, connections_max: 8, ..ListenOptions::default() };
    let store = RunningStore::start_with(Setup { listen, ..Setup::default() }).await;
    let greedy = Ipv4Addr::new(127, 0, 0, 2);
    let mut halves = Vec::new();
    for number in 0..12 {
        let mut stream = connect_from(greedy, store.address).await;
        stream.write_all(&hello_of(500)[..number]).await.unwrap();
        halves.push(stream);
    }
    let started = Instant::now();
    for _ in 0..4 {
        let stream = TcpStream::connect(store.address).await.unwrap();
        let name = ServerName::try_from("demo.oss.test").unwrap();
        let mut stream = client(root.clone()).connect(name, stream).await.unwrap();
        stream.write_all(&request("GET /_countersign/healthz", "oss.test", &[], b"")).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(Answer::parse(&bytes).status, 200);
    }
    assert!(started.elapsed() < handshake_timeout, "it waited for a handshake to be given up");
    for stream in &mut halves {
        let mut bytes = Vec::new();
        let end = timeout(Duration::from_secs(5), stream.read_to_end(&mut bytes)).await;
        assert!(end.is_ok(), "a half handshake outlasts its time");
    }
}

#[tokio::test]
async fn a_handshake_message_that_is_larger_than_any_is_not_held() {
    let (tls, _) = certificate(&["demo.oss.test"]);
    let handshake_timeout = Duration::from_secs(60);
    let listen = ListenOptions { tls: Some(tls), handshake_timeout, ..ListenOptions::default() };
    let store = RunningStore::start_with(Setup { listen, ..Setup::default() }).await;
    let mut stream = TcpStream::connect(store.address).await.unwrap();
    let begun = hello_of(60_000);
    stream.write_all(&begun).await.unwrap();
    stream.write_all(&vec![0; 16_000 - (begun.len() - 5)]).await.unwrap();
    // It may be ended before all is sent.
    let _ended = stream.write_all(&[&[22, 3, 1, 0x3e, 0x80][..], &[0; 15_000]].concat()).await;
    let end = timeout(Duration::from_secs(5), stream.read_to_end(&mut Vec::new())).await;
    assert!(end.is_ok(), "it waits for the rest of it");
}

#[tokio::test]
async fn callbacks_reach_https_applications_whose_authority_is_trusted_and_no_others() {
    let (tls, root) = certificate(&["localhost"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/cb", listener.local_addr().unwrap().port());
    let application = service_fn(|_request| async {
        Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from_static(b"{\"tls\":true}"))))
    });
    let application = Arc::new(application);
    let options = ListenOptions { tls: Some(tls), ..ListenOptions::default() };
    tokio::spawn(listen(listener, application, options, std::future::pending()));
    let trusting = Setup { callback_extra_roots: vec![root], ..Setup::default() };
    for (setup, status) in [(trusting, 200), (Setup::default(), 203)] {
        let store = RunningStore::start_with(setup).await;
        let answer = Form::signed("k", b"x").callback(&url, "a=b", BodyType::Form).post(&store).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}

#[test]
fn files_that_are_no_certificate_or_no_key_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, empty) = (folder.path().join("missing.pem"), folder.path().join("empty.pem"));
    std::fs::write(&empty, "").unwrap();
    let error = TlsFiles::open(&missing, &empty).unwrap_err();
    assert!(matches!(error, TlsFilesError::Certificate { .. }) && error.to_string().contains("missing.pem"));
    assert!(matches!(TlsFiles::open(&empty, &empty), Err(TlsFilesError::NoCertificate(_))));
}
