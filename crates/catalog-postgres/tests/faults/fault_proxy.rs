//! A proxy that understands as much of PostgreSQL's protocol as it takes to count what a client says, and to see a
//! COMMIT go by.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// What goes wrong.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// After so many more messages of any client its connection is cut, once; 0 is never.
    pub(crate) cut_after: AtomicUsize,
    /// Every so many-th COMMIT reaches the database and its answer does not come back; 0 is none.
    pub(crate) swallow_every: AtomicUsize,
    /// Every connection is refused, and those that there are end.
    pub(crate) away: AtomicBool,
    /// COMMITs that were seen.
    pub(crate) commits: AtomicUsize,
    /// How often something went wrong.
    pub(crate) struck: AtomicUsize,
}

/// The proxy; it ends with the test's runtime.
pub(crate) struct FaultProxy {
    pub(crate) port: u16,
    pub(crate) faults: Arc<Faults>,
}

impl FaultProxy {
    /// In front of the server on this port.
    pub(crate) async fn start(server: u16) -> FaultProxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let faults = Arc::new(Faults::default());
        let of_connections = Arc::clone(&faults);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if of_connections.away.load(Ordering::SeqCst) {
                    continue;
                }
                tokio::spawn(connection(client, server, Arc::clone(&of_connections)));
            }
        });
        FaultProxy { port, faults }
    }
}

async fn connection(client: TcpStream, server: u16, faults: Arc<Faults>) -> Option<()> {
    let server = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], server))).await.ok()?;
    client.set_nodelay(true).ok()?;
    server.set_nodelay(true).ok()?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let swallowing = Arc::new(AtomicBool::new(false));
    let answers = tokio::spawn(answers(from_server, to_client, Arc::clone(&swallowing), Arc::clone(&faults)));
    let _cut = questions(from_client, to_server, &swallowing, &faults).await;
    // Every other swallowed answer is waited for, so that the commit is done by then; of the others the database may
    // not have begun with it.
    if swallowing.load(Ordering::SeqCst) && faults.struck.load(Ordering::SeqCst).is_multiple_of(2) {
        let _ended = answers.await;
    } else {
        answers.abort();
    }
    None
}

/// Passes on what the client says, message by message, until it is cut or ends.
async fn questions(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    swallowing: &AtomicBool,
    faults: &Faults,
) -> Option<()> {
    let mut first = true;
    loop {
        let message = message(&mut client, first).await?;
        first = false;
        if faults.away.load(Ordering::SeqCst) || strikes(&faults.cut_after) {
            faults.struck.fetch_add(1, Ordering::SeqCst);
            return None;
        }
        if message.starts_with(b"Q") && message[5..].starts_with(b"COMMIT") {
            let commit = faults.commits.fetch_add(1, Ordering::SeqCst) + 1;
            let every = faults.swallow_every.load(Ordering::SeqCst);
            if every > 0 && commit.is_multiple_of(every) {
                faults.struck.fetch_add(1, Ordering::SeqCst);
                swallowing.store(true, Ordering::SeqCst);
                server.write_all(&message).await.ok()?;
                return None;
            }
        }
        server.write_all(&message).await.ok()?;
    }
}

/// Whether the count comes to its end with this message.
fn strikes(left: &AtomicUsize) -> bool {
    let less = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    less == Ok(1)
}

/// One message with its head; the first of a connection has no kind before its length.
async fn message(client: &mut OwnedReadHalf, first: bool) -> Option<Vec<u8>> {
    let mut message = vec![0; if first { 4 } else { 5 }];
    client.read_exact(&mut message).await.ok()?;
    let length = u32::from_be_bytes(message[message.len() - 4..].try_into().unwrap()) as usize;
    let head = message.len();
    message.resize(head + length - 4, 0);
    client.read_exact(&mut message[head..]).await.ok()?;
    Some(message)
}

/// Passes on what the database answers, until an answer is to be swallowed.
async fn answers(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    swallowing: Arc<AtomicBool>,
    faults: Arc<Faults>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match server.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) if swallowing.load(Ordering::SeqCst) || faults.away.load(Ordering::SeqCst) => return,
            Ok(count) => {
                if client.write_all(&buffer[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}
