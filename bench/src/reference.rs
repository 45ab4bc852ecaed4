//! The bare reference: a hand-written upload server with a thread for each connection that parses, checks the
//! policy's signature, hashes (MD5 and CRC-64) and group-commits to one raw log; large bodies go to a file each and
//! the log gets their names. What it acknowledges is on the disk.
//!
//! It is no product. It evaluates no condition, writes no catalog, lists nothing and recovers nothing: the
//! distance between it and the store is what those cost.

mod form_head;
pub(crate) mod large_file;
mod object_index;
mod raw_log;
pub(crate) mod request_head;
mod served_connection;
mod sink;

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use clap::Args;

use crate::signing::AccessKey;
use object_index::ObjectIndex;
use raw_log::RawLog;
use sink::Sink;

/// Enough for a connection's few calls; there may be hundreds of connections.
const STACK_BYTES: usize = 256 * 1024;

/// The flags of `reference`.
#[derive(Args)]
pub(crate) struct ReferenceOptions {
    /// Where to listen.
    #[arg(long)]
    listen: String,
    /// The folder of the log and of the large bodies.
    #[arg(long)]
    data: PathBuf,
    /// The secret that policies are signed with.
    #[arg(long, default_value = "benchsecret")]
    access_key_secret: String,
    /// Computes no MD5.
    #[arg(long)]
    no_md5: bool,
    /// Writes large bodies past the page cache.
    #[arg(long)]
    direct: bool,
}

/// Serves until the process is ended.
pub(crate) fn serve(options: &ReferenceOptions) -> anyhow::Result<()> {
    std::fs::create_dir_all(&options.data)?;
    let sink = Arc::new(Sink {
        key: AccessKey { id: String::new(), secret: options.access_key_secret.clone() },
        data: options.data.clone(),
        md5: !options.no_md5,
        direct: options.direct,
        log: RawLog::create(&options.data.join("log"), raw_log::STEP_BYTES)?,
        index: ObjectIndex::default(),
        files: AtomicU64::new(0),
    });
    let committer = Arc::clone(&sink);
    std::thread::spawn(move || {
        if let Err(error) = committer.log.commit_forever() {
            eprintln!("the log cannot be written: {error}");
            std::process::exit(1);
        }
    });
    let listener = TcpListener::bind(&options.listen)?;
    for socket in listener.incoming() {
        let (socket, sink) = (socket?, Arc::clone(&sink));
        let serve = move || served_connection::serve(socket, &sink);
        std::thread::Builder::new().stack_size(STACK_BYTES).spawn(serve)?;
    }
    Ok(())
}
