//! Measures durable commits a second of small objects, by how many commit at once.
//!
//! `cargo run --release --example commit_rate -- [BYTES] [SECONDS] [CONCURRENT…]` in a folder of the disk to be
//! measured. A quick look at the store alone; comparisons with other stores are the benchmark's.

#![allow(clippy::disallowed_methods, reason = "it measures, by the machine's clock")]

use bytes::Bytes;
use countersign_store::{Clock, CreateBucket, PutObject, Store, StoreOptions};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

async fn put_until(store: Store, worker: usize, body: Bytes, end: Instant) -> Vec<Duration> {
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let begun = Instant::now();
        let key = format!("user-dir/{worker}/{}.jpg", latencies.len());
        if put(&store, key, body.clone()).await.is_none() {
            break;
        }
        latencies.push(begun.elapsed());
    }
    latencies
}

async fn put(store: &Store, key: String, body: Bytes) -> Option<()> {
    let mut staged = store.stage(Some(body.len() as u64)).await.ok()?;
    staged.write(body).await.ok()?;
    let put = PutObject {
        bucket: "bench".to_owned(),
        key: Bytes::from(key),
        content: staged.seal().await.ok()?,
        attributes: Bytes::from_static(b"{\"content-type\":\"image/jpeg\"}"),
        forbid_overwrite: false,
        outbox_entry: None,
    };
    store.commit(put).await.ok().map(drop)
}

fn cpu_seconds() -> f64 {
    let usage = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = usage.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

async fn measure(folder: &std::path::Path, concurrent: usize, bytes: usize, seconds: u64) -> Option<()> {
    let data = folder.join(concurrent.to_string());
    let clock = Clock::with_wall(|| jiff::Timestamp::constant(1_790_000_000, 0));
    let store = Store::open(StoreOptions::new(data, clock)).await.ok()?;
    store.commit(CreateBucket { name: "bench".to_owned(), settings: BTreeMap::new() }).await.ok()?;
    let (body, begun, cpu) = (Bytes::from(vec![7; bytes]), Instant::now(), cpu_seconds());
    let end = begun + Duration::from_secs(seconds);
    let workers =
        (0..concurrent).map(|worker| tokio::spawn(put_until(store.clone(), worker, body.clone(), end)));
    let workers: Vec<_> = workers.collect();
    let mut latencies = Vec::new();
    for worker in workers {
        latencies.extend(worker.await.ok()?);
    }
    let (elapsed, cpu) = (begun.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    latencies.sort_unstable();
    let at = |part: f64| latencies.get((latencies.len() as f64 * part) as usize).copied().unwrap_or_default();
    let count = latencies.len() as f64;
    println!(
        "{concurrent:4} at once: {:8.0}/s  p50 {:?}  p99 {:?}  p99.9 {:?}  longest {:?}  CPU {:.1} us each",
        count / elapsed,
        at(0.5),
        at(0.99),
        at(0.999),
        latencies.last().copied().unwrap_or_default(),
        cpu * 1e6 / count,
    );
    store.shutdown().await;
    Some(())
}

#[tokio::main]
async fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|number| number.parse::<usize>().ok());
    let bytes = numbers.next().unwrap_or(4096);
    let seconds = numbers.next().unwrap_or(5) as u64;
    let mut concurrent: Vec<usize> = numbers.collect();
    if concurrent.is_empty() {
        concurrent = vec![1, 16, 64];
    }
    let Ok(folder) = tempfile::tempdir_in(".") else {
        return eprintln!("no temporary folder can be made here");
    };
    for concurrent in concurrent {
        if measure(folder.path(), concurrent, bytes, seconds).await.is_none() {
            eprintln!("the store failed");
        }
    }
}
