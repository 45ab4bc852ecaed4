//! An hour of timeouts, with the figures that ship, on a simulated clock: sockets, disk and threads are real, and nothing
//! is waited for.
//!
//! Each scene names the moment at which something ends. Time moves only when the server waits for exactly that moment,
//! and a thousandth of a second before it the server still waits.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use countersign_protocol::callback::BodyType;
use countersign_protocol::policy::PolicyDocument;
use countersign_server::listen::ListenOptions;
use countersign_server::object::attributes::ObjectAttributes;
use countersign_server::{Server, ServerOptions};
use countersign_store::{CreateBucket, PutObject, Store, StoreOptions};
use countersign_testkit::{SimulatedClock, seeded_random};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::application::{Application, Conduct, ok};
use crate::form::{Form, HOST};
use crate::test_server::{self, BUCKET};
use crate::wire_client::{Answer, request, send};

const SECOND: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_millis(1);
/// How old the object is at the beginning that a rule deletes after a day: half an hour is left to it.
const AGE: Duration = Duration::from_secs(23 * 3600 + 1800);
/// How often the sweeper looks: never at the moment of anything else here, so that one is not taken for the other.
const SWEEP_EVERY: Duration = Duration::from_millis(7_003);
/// More than the kernel takes from a server for a client that reads nothing.
const LARGE_BYTES: usize = 8 << 20;
/// How long a scene waits, in real time, for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server at the beginning of its hour.
struct Hour {
    clock: SimulatedClock,
    began: Duration,
    address: SocketAddr,
    tls_address: SocketAddr,
    store: Store,
    server: Server,
    folder: tempfile::TempDir,
    stop: Vec<oneshot::Sender<()>>,
    listening: JoinHandle<()>,
}

#[tokio::test]
async fn an_hour_of_timeouts_passes_and_each_ends_at_its_moment() {
    let mut hour = Hour::begin().await;
    hour.a_connection_that_says_nothing_ends_after_a_minute().await;
    hour.a_connection_that_is_kept_ends_a_minute_after_its_answer().await;
    hour.a_head_has_one_minute_in_all().await;
    hour.a_handshake_has_ten_seconds().await;
    hour.a_form_s_fields_have_a_minute().await;
    hour.a_body_that_stops_is_answered_after_a_minute_and_drained_for_five_seconds().await;
    hour.a_body_that_crawls_is_answered_after_a_minute_too().await;
    hour.what_is_refused_is_drained_for_five_seconds().await;
    hour.a_reader_that_takes_nothing_is_left_after_a_minute().await;
    hour.an_application_that_says_nothing_has_five_seconds().await;
    hour.a_connection_to_an_application_is_kept_for_a_second().await;
    hour.an_object_expires_at_the_next_look_and_its_bytes_go_after_their_grace().await;
    hour.a_policy_is_good_until_its_hour_is_over().await;
    hour.a_stop_waits_for_half_a_minute().await;
    assert_eq!(hour.passed(), Duration::from_secs(3600 + 1 + 1 + 30));
}

impl Hour {
    async fn begin() -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), SimulatedClock::new());
        let mut options = StoreOptions::new(folder.path(), clock.clock());
        (options.random, options.sweep_every, options.durable) = (seeded_random(1), SWEEP_EVERY, false);
        let store = Store::open(options).await.unwrap();
        let rule = "<Rule><Prefix>old</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>";
        let rules = format!("<LifecycleConfiguration>{rule}</LifecycleConfiguration>");
        let settings = [("acl", "public-read"), ("lifecycle", rules.as_str())];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).into();
        store.commit(CreateBucket { name: BUCKET.to_owned(), settings }).await.unwrap();
        put(&store, "old", 100_000).await;
        put(&store, "large", LARGE_BYTES).await;
        clock.advance(AGE);
        let options = ServerOptions {
            callback_allow: vec!["127.0.0.1/32".parse().unwrap()],
            random: seeded_random(2),
            ..test_server::options(&store, clock.clock())
        };
        let server = Server::new(options).unwrap();
        let listen = ListenOptions { clock: clock.clock(), ..ListenOptions::default() };
        let tls = Some(crate::tls::certificate(&["demo.oss.test"]).0);
        let (tls_address, tls_stop, _) =
            test_server::serve(server.clone(), ListenOptions { tls, ..listen.clone() }).await;
        let (address, stop, listening) = test_server::serve(server.clone(), listen).await;
        let (began, stop) = (clock.passed(), vec![stop, tls_stop]);
        Self { clock, began, address, tls_address, store, folder, stop, listening, server }
    }

    fn passed(&self) -> Duration {
        self.clock.passed() - self.began
    }

    /// The server waits until so long from now, and still does a moment before. Then it is that time.
    async fn ends_after(&self, duration: Duration) {
        let end = self.clock.passed() + duration;
        self.clock.until_waited_for(end).await;
        self.clock.advance_to(end - MOMENT);
        assert!(self.clock.waited_for().contains(&end), "{duration:?} are not over and nothing waits for it");
        self.clock.advance_to(end);
    }

    /// A connection whose head is being waited for, for a second already: so that its time ends apart from that of
    /// what comes next.
    async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).await.unwrap();
        self.clock.until_waited_for(self.clock.passed() + 60 * SECOND).await;
        self.clock.advance(SECOND);
        stream
    }

    /// A connection with the form but for so many of its last bytes.
    async fn begin_form(&self, form: &Form, keep_back: usize) -> TcpStream {
        let mut stream = self.connect().await;
        let bytes = form.request(&[]);
        stream.write_all(&bytes[..bytes.len() - keep_back]).await.unwrap();
        stream
    }

    async fn a_connection_that_says_nothing_ends_after_a_minute(&self) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        self.ends_after(60 * SECOND).await;
        assert_eq!(rest(&mut stream).await, b"");
    }

    async fn a_connection_that_is_kept_ends_a_minute_after_its_answer(&self) {
        let mut stream = self.connect().await;
        let asked = format!("GET /none HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
        stream.write_all(asked.as_bytes()).await.unwrap();
        assert_refused(&mut stream, 404, "NoSuchKey").await;
        self.ends_after(60 * SECOND).await;
        assert_eq!(rest(&mut stream).await, b"");
    }

    async fn a_head_has_one_minute_in_all(&self) {
        let mut stream = self.connect().await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: ").await.unwrap();
        self.ends_after(59 * SECOND).await;
        assert_eq!(rest(&mut stream).await, b"");
    }

    async fn a_handshake_has_ten_seconds(&self) {
        let mut stream = TcpStream::connect(self.tls_address).await.unwrap();
        self.ends_after(10 * SECOND).await;
        assert_eq!(rest(&mut stream).await, b"");
    }

    async fn a_form_s_fields_have_a_minute(&self) {
        let form = Form::signed("k", b"");
        let mut stream = self.begin_form(&form, form.tail().len() + 20).await;
        self.ends_after(60 * SECOND).await;
        assert_refused(&mut stream, 400, "RequestTimeout").await;
        self.ends_after(5 * SECOND).await;
        rest(&mut stream).await;
    }

    async fn a_body_that_stops_is_answered_after_a_minute_and_drained_for_five_seconds(&self) {
        let mut stream = self.begin_form(&Form::signed("k", &[b'x'; 1000]), 500).await;
        self.ends_after(60 * SECOND).await;
        assert_refused(&mut stream, 400, "RequestTimeout").await;
        self.ends_after(5 * SECOND).await;
        rest(&mut stream).await;
    }

    async fn a_body_that_crawls_is_answered_after_a_minute_too(&self) {
        let mut stream = self.begin_form(&Form::signed("k", &[b'x'; 1000]), 500).await;
        self.clock.until_waited_for(self.clock.passed() + 60 * SECOND).await;
        self.clock.advance(59 * SECOND);
        stream.write_all(b"x").await.unwrap();
        self.ends_after(SECOND).await;
        assert_refused(&mut stream, 400, "RequestTimeout").await;
        self.ends_after(5 * SECOND).await;
        rest(&mut stream).await;
    }

    async fn what_is_refused_is_drained_for_five_seconds(&self) {
        let form = Form::signed("k", &[b'x'; 1000]).without("Signature").field("Signature", "AAAA");
        let mut stream = self.begin_form(&form, 500).await;
        assert_refused(&mut stream, 403, "SignatureDoesNotMatch").await;
        self.ends_after(5 * SECOND).await;
        rest(&mut stream).await;
    }

    async fn a_reader_that_takes_nothing_is_left_after_a_minute(&self) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(self.address).await.unwrap();
        self.clock.until_waited_for(self.clock.passed() + 60 * SECOND).await;
        self.clock.advance(SECOND);
        stream.write_all(&request("GET /large", HOST, &[], b"")).await.unwrap();
        // What the kernel still takes begins the minute anew, and takes no simulated time.
        self.clock.until_waited_for(self.clock.passed() + 60 * SECOND).await;
        until_quiet(&stream).await;
        self.ends_after(60 * SECOND).await;
        assert!(rest(&mut stream).await.len() < LARGE_BYTES);
    }

    async fn an_application_that_says_nothing_has_five_seconds(&self) {
        let application = Application::conducting(Conduct::Stall(Vec::new())).await;
        let mut stream = self.begin_form(&with_callback("silent", &application), 0).await;
        until(|| !application.received().is_empty()).await;
        self.ends_after(5 * SECOND).await;
        let answer = Answer::parse(&rest(&mut stream).await);
        assert_eq!((answer.status, answer.element("Code")), (203, Some("CallbackFailed")));
        assert_eq!(self.store.outbox(0, 10).await.unwrap().len(), 1, "it is still owed");
    }

    async fn a_connection_to_an_application_is_kept_for_a_second(&self) {
        let application = Application::conducting(Conduct::Keep(vec![ok("{}")])).await;
        let mut stream = self.begin_form(&with_callback("answered", &application), 0).await;
        assert_eq!(Answer::parse(&rest(&mut stream).await).status, 200);
        assert_eq!(application.open(), 1);
        self.ends_after(SECOND).await;
        until(|| application.open() == 0).await;
    }

    async fn an_object_expires_at_the_next_look_and_its_bytes_go_after_their_grace(&self) {
        let expires = self.began + 1800 * SECOND;
        self.clock.advance_to(expires - 60 * SECOND);
        let server = self.server.clone();
        let background = tokio::spawn(async move { server.run_background(std::future::pending()).await });
        self.clock.until_waited_for(expires).await;
        assert!(self.store.object(BUCKET, "old").await.unwrap().is_some(), "a minute is left to it");
        let blobs = blob_files(self.folder.path());
        self.ends_after(60 * SECOND).await;
        self.clock.until_waited_for(expires + 60 * SECOND).await;
        assert!(self.store.object(BUCKET, "old").await.unwrap().is_none());
        self.ends_after(SWEEP_EVERY).await;
        self.clock.until_waited_for(expires + 2 * SWEEP_EVERY).await;
        assert_eq!(blob_files(self.folder.path()), blobs, "a reader may have resolved it seven seconds ago");
        self.ends_after(SWEEP_EVERY).await;
        self.clock.until_waited_for(expires + 3 * SWEEP_EVERY).await;
        assert_eq!(blob_files(self.folder.path()), blobs - 1, "after ten seconds none has");
        background.abort();
        let _aborted = background.await;
    }

    async fn a_policy_is_good_until_its_hour_is_over(&self) {
        let end = self.began + 3600 * SECOND;
        let expiration = self.clock.clock().wall() + (end - self.clock.passed());
        let form = |key| Form::anonymous(key, b"x").sign(&PolicyDocument::new(expiration).bucket(BUCKET));
        self.clock.advance_to(end - SECOND);
        assert_eq!(send(self.address, &form("in-time").request(&[])).await.status, 204);
        self.clock.advance_to(end + SECOND);
        let answer = send(self.address, &form("late").request(&[])).await;
        assert_eq!((answer.status, answer.element("Code")), (403, Some("AccessDenied")));
    }

    async fn a_stop_waits_for_half_a_minute(&mut self) {
        let _hanging = self.begin_form(&Form::signed("k", &[b'x'; 1000]), 500).await;
        self.clock.until_waited_for(self.clock.passed() + 60 * SECOND).await;
        self.stop.clear();
        self.ends_after(30 * SECOND).await;
        tokio::time::timeout(PATIENCE, &mut self.listening).await.expect("it ends").unwrap();
    }
}

fn with_callback(key: &str, application: &Application) -> Form {
    let url = format!("http://{}/callback", application.address);
    Form::signed(key, b"x").callback(&url, "key=${object}", BodyType::Form)
}

async fn put(store: &Store, key: &'static str, bytes: usize) {
    let mut staged = store.stage(Some(bytes as u64)).await.unwrap();
    staged.write(vec![b'x'; bytes].into()).await.unwrap();
    let put = PutObject {
        bucket: BUCKET.to_owned(),
        key: key.into(),
        content: staged.seal().await.unwrap(),
        attributes: ObjectAttributes::default().encode(),
        forbid_overwrite: false,
        outbox_entry: None,
    };
    store.commit(put).await.unwrap();
}

/// How many objects have a file of their own.
fn blob_files(data: &Path) -> usize {
    let folders = std::fs::read_dir(data.join("blobs")).unwrap().map(|folder| folder.unwrap().path());
    folders.filter(|folder| folder.is_dir()).map(|folder| std::fs::read_dir(folder).unwrap().count()).sum()
}

/// What comes until the connection ends.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let end = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    // A connection that is cut off is over too.
    let _how_it_ended = end.expect("the connection ends");
    bytes
}

/// The answer on a connection that goes on is this refusal.
async fn assert_refused(stream: &mut TcpStream, status: u16, code: &str) {
    let mut bytes = Vec::new();
    let reading = async {
        while !bytes.ends_with(b"</Error>") && !bytes.ends_with(b"</Error>\n") {
            assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "it ended early");
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("an answer");
    let answer = Answer::parse(&bytes);
    assert_eq!((answer.status, answer.element("Code")), (status, Some(code)));
}

/// Ready when something of the real world has happened.
async fn until(happened: impl Fn() -> bool) {
    let looking = async {
        while !happened() {
            tokio::time::sleep(MOMENT).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.expect("it happens");
}

/// Ready when a client that reads nothing has been sent all that its kernel takes.
async fn until_quiet(stream: &TcpStream) {
    let (mut buffer, mut seen) = (vec![0; 1 << 20], 0);
    loop {
        let there = stream.peek(&mut buffer).await.unwrap();
        if there == seen {
            return;
        }
        seen = there;
        tokio::time::sleep(50 * MOMENT).await;
    }
}
