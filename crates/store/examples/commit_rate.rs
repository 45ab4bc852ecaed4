//! Measures durable commits a second of small objects, by how many commit at once.
//!
//! `cargo run --release --example commit_rate -- [random] [fill=COUNT] [BYTES] [SECONDS] [CONCURRENT…]` in a folder of the
//! disk to be measured. Keys rise, or are as random as UUIDs; with `fill` there are so many objects before. It also
//! says what the block device wrote for each byte stored. A quick look at the store alone; comparisons with other
//! stores are the benchmark's.

#![allow(clippy::disallowed_methods, reason = "it measures, by the machine's clock")]

use bytes::Bytes;
use countersign_store::{Clock, CreateBucket, PutObject, Store, StoreOptions};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// What is put.
#[derive(Clone)]
struct Load {
    body: Bytes,
    random: bool,
    /// Objects that are there before.
    fill: usize,
}

impl Load {
    /// The key of a worker's object of this number.
    fn key(&self, worker: usize, number: usize) -> String {
        if !self.random {
            return format!("user-dir/{worker}/{number:08}.jpg");
        }
        let mixed = |seed: u64| {
            let mut mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^ (mixed >> 31)
        };
        let seed = ((worker as u64 + 1) << 40) | number as u64;
        format!("user-dir/{:016x}{:016x}.jpg", mixed(seed), mixed(!seed))
    }
}

async fn put_until(store: Store, worker: usize, load: Load, end: Instant) -> Vec<Duration> {
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let begun = Instant::now();
        if put(&store, load.key(worker, latencies.len()), load.body.clone()).await.is_none() {
            break;
        }
        latencies.push(begun.elapsed());
    }
    latencies
}

/// Puts what is to be there before, by 64 workers that nothing else has the numbers of.
async fn fill(store: &Store, load: &Load) -> Option<()> {
    let workers = (0..64).map(|worker| {
        let (store, load) = (store.clone(), load.clone());
        tokio::spawn(async move {
            for number in 0..load.fill / 64 {
                put(&store, load.key(1000 + worker, number), load.body.clone()).await?;
            }
            Some(())
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.ok()??;
    }
    Some(())
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

/// Bytes that the block device of this folder has written, once all that waits is; none where it does not count.
fn device_bytes(folder: &Path) -> Option<u64> {
    rustix::fs::sync();
    let device = std::fs::metadata(folder).ok()?.dev();
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let statistics = std::fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/stat")).ok()?;
    Some(statistics.split_whitespace().nth(6)?.parse::<u64>().ok()? * 512)
}

async fn measure(folder: &Path, concurrent: usize, load: &Load, seconds: u64) -> Option<()> {
    let data = folder.join(concurrent.to_string());
    let clock = Clock::with_wall(|| jiff::Timestamp::constant(1_790_000_000, 0));
    let store = Store::open(StoreOptions::new(data, clock)).await.ok()?;
    store.commit(CreateBucket { name: "bench".to_owned(), settings: BTreeMap::new() }).await.ok()?;
    fill(&store, load).await?;
    let (written, begun, cpu) = (device_bytes(folder), Instant::now(), cpu_seconds());
    let end = begun + Duration::from_secs(seconds);
    let workers =
        (0..concurrent).map(|worker| tokio::spawn(put_until(store.clone(), worker, load.clone(), end)));
    let workers: Vec<_> = workers.collect();
    let mut latencies = Vec::new();
    for worker in workers {
        latencies.extend(worker.await.ok()?);
    }
    let (elapsed, cpu) = (begun.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    latencies.sort_unstable();
    let at = |part: f64| latencies.get((latencies.len() as f64 * part) as usize).copied().unwrap_or_default();
    let count = latencies.len() as f64;
    let written = written.zip(device_bytes(folder)).map(|(before, after)| (after - before) as f64);
    println!(
        "{concurrent:4} at once: {:8.0}/s  p50 {:?}  p99 {:?}  p99.9 {:?}  longest {:?}  CPU {:.1} us each  \
         written ÷ stored {}",
        count / elapsed,
        at(0.5),
        at(0.99),
        at(0.999),
        latencies.last().copied().unwrap_or_default(),
        cpu * 1e6 / count,
        written.map_or("–".to_owned(), |bytes| format!("{:.2}", bytes / (count * load.body.len() as f64))),
    );
    store.shutdown().await;
    Some(())
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let fill =
        arguments.iter().find_map(|argument| argument.strip_prefix("fill=")?.parse().ok()).unwrap_or(0);
    let mut numbers = arguments.iter().filter_map(|number| number.parse::<usize>().ok());
    let bytes = numbers.next().unwrap_or(4096);
    let seconds = numbers.next().unwrap_or(5) as u64;
    let mut concurrent: Vec<usize> = numbers.collect();
    if concurrent.is_empty() {
        concurrent = vec![1, 16, 64];
    }
    let random = arguments.iter().any(|argument| argument == "random");
    let load = Load { body: Bytes::from(vec![7; bytes]), random, fill };
    let Ok(folder) = tempfile::tempdir_in(".") else {
        return eprintln!("no temporary folder can be made here");
    };
    for concurrent in concurrent {
        if measure(folder.path(), concurrent, &load, seconds).await.is_none() {
            eprintln!("the store failed");
        }
    }
}
