//! The load generator: HTTP/1.1 on kept-alive connections, each sending its next request when the last one is
//! answered (a closed loop), from one or two event loops so that little of the shared processors goes to it.
//! Reports rate, latencies, failures, and what the servers under load cost.
//!
//! Nothing is retried: what was not answered with success is a failure and is counted.

mod answer_reader;
mod connection;
mod form_template;
mod load_report;
mod request_plan;
mod worker;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use crate::process_watch::ProcessWatch;
use crate::sizes;
use load_report::LoadReport;
use request_plan::RequestPlan;
use worker::{Worker, WorkerResult};

/// From this size on the bytes themselves are the work, and a second event loop is worth its wake-ups.
const LARGE_BYTES_MIN: u64 = 1 << 20;

/// What to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// A signed form with a file.
    Post,
    /// A signed PUT.
    Put,
    /// A signed GET of an object that is there.
    Get,
    /// A signed GET of a page of the listing.
    List,
    /// A GET of `--path` as it is.
    Raw,
    /// A POST of a small body to `--path`, as a callback is.
    RawPost,
}

/// Whose signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dialect {
    /// OSS, signature V1.
    Oss,
    /// S3, signature V4 (forms only).
    S3,
    /// Nothing is signed.
    None,
}

/// The flags of `load`.
#[derive(Args, Clone)]
pub(crate) struct LoadOptions {
    /// Host and port of the server.
    #[arg(long)]
    pub(crate) endpoint: String,
    /// What to send.
    #[arg(long, value_enum)]
    pub(crate) operation: Workload,
    /// Whose signatures.
    #[arg(long, value_enum, default_value = "oss")]
    pub(crate) dialect: Dialect,
    /// The access key's id.
    #[arg(long, default_value = "bench")]
    pub(crate) access_key_id: String,
    /// The access key's secret, made up for the run.
    #[arg(long, default_value = "benchsecret")]
    pub(crate) access_key_secret: String,
    /// The bucket.
    #[arg(long, default_value = "bench")]
    pub(crate) bucket: String,
    /// The path of `raw`, and of forms where it is not `/BUCKET/`.
    #[arg(long)]
    pub(crate) path: Option<String>,
    /// What every key begins with.
    #[arg(long, default_value = "o")]
    pub(crate) prefix: String,
    /// The first key's number.
    #[arg(long, default_value_t = 0)]
    pub(crate) first: u64,
    /// Reads: how many keys there are to read from.
    #[arg(long, default_value_t = 1)]
    pub(crate) keys: u64,
    /// Puts this many keys into a folder each, with `/` between.
    #[arg(long, default_value_t = 0)]
    pub(crate) keys_per_folder: u64,
    /// The query of a listing, beyond the prefix.
    #[arg(long, default_value = "max-keys=1000")]
    pub(crate) query: String,
    /// Bytes of each body: 4096, 4K, 64M, 1G.
    #[arg(long, default_value = "4K", value_parser = sizes::bytes_of)]
    pub(crate) size: u64,
    /// Connections, each with one request under way.
    #[arg(long, default_value_t = 1)]
    pub(crate) connections: usize,
    /// Event loops; one for small bodies and up to two for large ones when not given.
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// No request is begun after this time.
    #[arg(long, default_value_t = 5.0)]
    pub(crate) seconds: f64,
    /// No more than this many requests.
    #[arg(long)]
    pub(crate) count: Option<u64>,
    /// The callback's address; with it every form carries the parameter.
    #[arg(long)]
    pub(crate) callback_url: Option<String>,
    /// Sends no faster than this on each connection, in bytes per second.
    #[arg(long, value_parser = sizes::bytes_of)]
    pub(crate) pace: Option<u64>,
    /// Processes whose cost is reported, children included.
    #[arg(long, value_delimiter = ',')]
    pub(crate) watch: Vec<u32>,
}

/// Runs the load and prints one line of JSON.
pub(crate) fn run(options: &LoadOptions) -> anyhow::Result<()> {
    let plan = Arc::new(RequestPlan::new(options));
    let next = Arc::new(AtomicU64::new(0));
    let threads = threads(options);
    let mut workers = Vec::new();
    for index in 0..threads {
        let connections = (options.connections + index) / threads;
        workers.push(Worker::connect(options, Arc::clone(&plan), Arc::clone(&next), connections)?);
    }
    let watch = ProcessWatch::start(&options.watch);
    let started = Instant::now();
    let deadline = started + Duration::from_secs_f64(options.seconds);
    let running: Vec<_> =
        workers.into_iter().map(|worker| std::thread::spawn(move || worker.run(started, deadline))).collect();
    let mut result = WorkerResult::default();
    for thread in running {
        let of_thread = thread.join().ok().context("an event loop ended in a panic")??;
        result.absorb(of_thread);
    }
    let answered = result.samples.len() as u64 + result.failures;
    if let Some(count) = options.count.filter(|count| answered < *count) {
        result.failures += 1;
        result.failures_told.push(format!("only {answered} of {count} requests in {} s", options.seconds));
    }
    let report = LoadReport::new(options, threads, &result, watch.finish());
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

fn threads(options: &LoadOptions) -> usize {
    let useful = if options.size >= LARGE_BYTES_MIN { 2 } else { 1 };
    options.threads.unwrap_or(useful).clamp(1, options.connections.max(1))
}
