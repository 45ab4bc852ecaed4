//! The load generator: HTTP/1.1 on kept-alive connections, each sending its next request when the last one is
//! answered (a closed loop), from one or two event loops so that little of the shared processors goes to it.
//! Reports rate, latencies, failures, and what the servers under load cost.
//!
//! Nothing is retried: what was not answered with success is a failure and is counted.

mod answer_reader;
mod connection;
mod form_template;
pub(crate) mod load_options;
mod load_report;
mod request_plan;
mod worker;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::device_writes::DeviceWrites;
use crate::process_watch::ProcessWatch;
use load_options::LoadOptions;
use load_report::LoadReport;
use request_plan::RequestPlan;
use worker::{Worker, WorkerResult};

/// From this size on the bytes themselves are the work, and a second event loop is worth its wake-ups.
const LARGE_BYTES_MIN: u64 = 1 << 20;

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
    let device = options.device_of.as_deref().map(DeviceWrites::watch).transpose()?;
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
    let cost = watch.finish();
    let written_bytes = device.map(|device| device.finish()).transpose()?;
    let report = LoadReport::new(options, threads, &result, cost, written_bytes);
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

fn threads(options: &LoadOptions) -> usize {
    let useful = if options.size >= LARGE_BYTES_MIN { 2 } else { 1 };
    options.threads.unwrap_or(useful).clamp(1, options.connections.max(1))
}
