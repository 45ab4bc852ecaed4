//! An application that answers every callback at once and does nothing else: a thread for each connection,
//! connections kept. It is both the other end of the callback row and that row's "one HTTP round trip", and it tells
//! at `/connections` how many connections ever came.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Args;

use crate::reference::request_head::RequestHead;

/// What an application says that has nothing to say.
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"Status\":\"Ok\"}";

/// The flags of `application`.
#[derive(Args)]
pub(crate) struct ApplicationOptions {
    /// Where to listen.
    #[arg(long)]
    listen: String,
}

/// Answers until the process is ended.
pub(crate) fn serve(options: &ApplicationOptions) -> anyhow::Result<()> {
    let listener = TcpListener::bind(&options.listen)?;
    let connections = Arc::new(AtomicU64::new(0));
    for socket in listener.incoming() {
        let (socket, connections) = (socket?, Arc::clone(&connections));
        connections.fetch_add(1, Ordering::Relaxed);
        std::thread::spawn(move || answer_all(socket, &connections));
    }
    Ok(())
}

/// Ends with the connection, or with the first request that it cannot read.
fn answer_all(mut socket: TcpStream, connections: &AtomicU64) -> anyhow::Result<()> {
    socket.set_nodelay(true)?;
    let mut buffer = vec![0; 64 * 1024];
    let mut filled = 0;
    loop {
        let head = RequestHead::parse(buffer.get(..filled).unwrap_or_default())?;
        let whole = |head: &RequestHead| head.head_bytes + head.body_bytes as usize;
        match head.filter(|head| filled >= whole(head)) {
            Some(head) => {
                buffer.copy_within(whole(&head)..filled, 0);
                filled -= whole(&head);
                if head.path == "/connections" {
                    let count = connections.load(Ordering::Relaxed).to_string();
                    write!(socket, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{count}", count.len())?;
                    return Ok(());
                }
                socket.write_all(ANSWER)?;
            }
            None => match socket.read(buffer.get_mut(filled..).unwrap_or_default())? {
                0 => return Ok(()),
                read => filled += read,
            },
        }
    }
}
