//! A real application on loopback: it takes callbacks as bytes and answers with the bytes a test scripts.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// One callback as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// The how-manieth connection it came over.
    pub(crate) connection: usize,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// What the application does with a callback.
#[derive(Clone)]
pub(crate) enum Conduct {
    /// Waits, then sends these bytes and ends the connection.
    Answer(Duration, Vec<u8>),
    /// Sends these bytes and keeps the connection open.
    Stall(Vec<u8>),
    /// Ends the connection at once.
    HangUp,
    /// Answers the requests of a connection with one of these after the other and keeps it open; hangs up on
    /// the first that it has no answer for.
    Keep(Vec<Vec<u8>>),
}

pub(crate) struct Application {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    open: Arc<AtomicUsize>,
}

impl Application {
    /// One that says 200 with this body.
    pub(crate) async fn saying(body: &str) -> Self {
        Self::answering(&ok(body)).await
    }

    pub(crate) async fn answering(bytes: &[u8]) -> Self {
        Self::conducting(Conduct::Answer(Duration::ZERO, bytes.to_vec())).await
    }

    pub(crate) async fn conducting(conduct: Conduct) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let open = Arc::new(AtomicUsize::new(0));
        let (log, count) = (Arc::clone(&received), Arc::clone(&open));
        tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((stream, _)) = listener.accept().await {
                connection += 1;
                let talk = converse(stream, connection, conduct.clone(), Arc::clone(&log));
                let count = Arc::clone(&count);
                tokio::spawn(async move {
                    count.fetch_add(1, Ordering::SeqCst);
                    talk.await;
                    count.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, received, open }
    }

    /// How many connections are open now.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The only callback it got.
    pub(crate) fn only(&self) -> Received {
        let received = self.received();
        assert_eq!(received.len(), 1);
        received[0].clone()
    }
}

/// A good answer.
pub(crate) fn ok(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

async fn converse(
    mut stream: TcpStream,
    connection: usize,
    conduct: Conduct,
    log: Arc<Mutex<Vec<Received>>>,
) {
    let Some(request) = read_request(&mut stream, connection).await else { return };
    log.lock().unwrap().push(request);
    match conduct {
        Conduct::Keep(answers) => {
            for answer in answers {
                stream.write_all(&answer).await.unwrap();
                let Some(request) = read_request(&mut stream, connection).await else { return };
                log.lock().unwrap().push(request);
            }
        }
        Conduct::Answer(wait, bytes) => {
            tokio::time::sleep(wait).await;
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Conduct::Stall(bytes) => {
            let _ = stream.write_all(&bytes).await;
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        Conduct::HangUp => {}
    }
}

async fn read_request(stream: &mut TcpStream, connection: usize) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let mut lines = head.split("\r\n");
            let target = lines.next()?.split(' ').nth(1)?.to_owned();
            let headers: Vec<(String, String)> = lines
                .map(|line| line.split_once(':').unwrap())
                .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                .collect();
            let request = Received { connection, target, headers, body: bytes[end + 4..].to_vec() };
            if request.body.len() >= request.header("content-length")?.parse().ok()? {
                return Some(request);
            }
        }
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
    }
}
