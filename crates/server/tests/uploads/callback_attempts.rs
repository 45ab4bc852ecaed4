//! How a callback is attempted: which address of a name is called, and what the log says about one that failed.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_protocol::callback::BodyType;
use countersign_server::{AllowedNetwork, Resolver};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tracing_subscriber::fmt::MakeWriter;

use crate::application::{Application, Conduct, ok};
use crate::form::Form;
use crate::running_store::{RunningStore, Setup};

/// An address that drops packets: a listener nobody accepts from, with its queue full. Holds what fills it.
async fn blackhole() -> (SocketAddr, TcpListener, Vec<tokio::task::JoinHandle<io::Result<TcpStream>>>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let listener = socket.listen(1).unwrap();
    let filling = (0..4).map(|_| tokio::spawn(TcpStream::connect(address))).collect();
    while tokio::time::timeout(Duration::from_millis(50), TcpStream::connect(address)).await.is_ok() {}
    (address, listener, filling)
}

fn resolving(addresses: Vec<SocketAddr>) -> Resolver {
    Arc::new(move |host, _| match host {
        "app.test" => Ok(addresses.clone()),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such name")),
    })
}

#[tokio::test]
async fn a_second_address_is_called_in_time_when_the_first_drops_packets() {
    let (hole, _listener, _filling) = blackhole().await;
    let application = Application::saying("{}").await;
    let callback_resolver = resolving(vec![hole, application.address]);
    let store = RunningStore::start_with(Setup { callback_resolver, ..Setup::default() }).await;
    let reply =
        Form::signed("k", b"x").callback("http://app.test/", "a=b", BodyType::Form).post(&store).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(application.only().text(), "a=b");
}

/// What a subscriber of this test's own wrote.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// The lines since the last time.
    fn take(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_failure_is_one_line_of_the_log_that_says_where_it_stopped_and_why() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_ansi(false);
    let _guard = tracing::subscriber::set_default(subscriber.with_writer(log.clone()).finish());
    let silent = Application::conducting(Conduct::Stall(Vec::new())).await;
    let mut but_one = ok("{}");
    but_one.pop();
    let slow = Application::conducting(Conduct::Stall(but_one)).await;
    let unheard = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let callback_resolver = resolving(vec![unheard]);
    let callback_allow: Vec<AllowedNetwork> = vec!["127.0.0.0/8".parse().unwrap()];
    let setup = Setup { callback_resolver, callback_allow, ..Setup::default() };
    let store = RunningStore::start_with(setup).await;

    let (plain, silent, slow) = (store.address, silent.address, slow.address);
    for (url, phase, address, reason) in [
        ("http://gone.test/".to_owned(), "resolve", String::new(), "no such name"),
        ("http://10.0.0.1:81/".to_owned(), "judge", String::new(), "--callback-allow 10.0.0.1/32:81"),
        ("http://app.test/".to_owned(), "connect", unheard.to_string(), "refused"),
        (format!("https://{plain}/"), "tls", plain.to_string(), "InvalidContentType"),
        (format!("http://{silent}/"), "wait", silent.to_string(), ""),
        (format!("http://{slow}/"), "read", slow.to_string(), ""),
    ] {
        let reply = Form::signed("k", b"x").callback(&url, "a=b", BodyType::Form).post(&store).await;
        assert_eq!(reply.status, 203, "{url}");
        let lines = log.take();
        assert_eq!(lines.len(), 1, "{lines:?}");
        let id = reply.header("x-oss-request-id").unwrap();
        let destination = format!("destination={} ", origin(&url));
        for part in [id, &destination, &format!("phase={phase} "), &format!("address=\"{address}\""), reason]
        {
            assert!(lines[0].contains(part), "{part} in {}", lines[0]);
        }
    }
}

/// Scheme, host and port; a port that is not written is that of the scheme.
fn origin(url: &str) -> String {
    let whole = url.trim_end_matches('/');
    if whole.matches(':').count() > 1 { whole.to_owned() } else { format!("{whole}:80") }
}

#[tokio::test]
async fn a_callback_that_could_not_be_delivered_is_known_before_the_first_upload() {
    let callback_resolver = resolving(vec!["127.0.0.1:81".parse().unwrap(), "10.0.0.1:81".parse().unwrap()]);
    let store = RunningStore::start_with(Setup { callback_resolver, ..Setup::default() }).await;
    let told = store.server.undeliverable("http://app.test:81/;http://127.0.0.1/").await;
    assert!(told.is_empty(), "one address that is permitted will do: {told:?}");
    let told =
        store.server.undeliverable("http://10.0.0.1:81/token1?token=2;http://gone.test/;ftp://token3").await;
    assert!(told[0].to_string().contains("--callback-allow 10.0.0.1/32:81"), "{}", told[0]);
    assert_eq!(told[0].origin, "http://10.0.0.1:81", "tokens stand in paths and queries, and this is logged");
    assert!(told[1].to_string().contains("no such name"), "{}", told[1]);
    assert!(told[2].to_string().contains("neither http nor https"), "{}", told[2]);
    assert!(!told.iter().any(|told| told.to_string().contains("token")), "{told:?}");
}
