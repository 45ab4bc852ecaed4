//! How many objects a second a catalog in PostgreSQL commits: `commit_rate_postgres URL CONCURRENT OBJECTS [BYTES]`, into
//! an empty database. Keys are random, as they are in life.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a measurement, run by hand"
)]

use bytes::Bytes;
use countersign_catalog_postgres::{Location, Patience, PostgresCatalog, PostgresOptions, migrate};
use countersign_store::catalog::{Asked, BlobFolder, PlacedBytes, PlacedContent, Records as _, Upkeep as _};
use countersign_store::{Clock, CreateBucket, HealthFlag, PutObject, Random};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise| arguments.get(at).map_or(otherwise, |text| text.parse().unwrap());
    let location: Location = arguments.first().expect("the URL of an empty database").parse().unwrap();
    let (concurrent, objects, size) = (number(1, 64), number(2, 50_000), number(3, 4096));
    let clock = Clock::system();
    migrate(&location, None, &clock).await.unwrap();
    let catalog = PostgresCatalog::open(PostgresOptions {
        location,
        password: None,
        folder: BlobFolder { id: [1; 16], is_new: true },
        may_forget: true,
        clock,
        random: Random::system(),
        health: HealthFlag::default(),
        read_connections: 4,
        garbage_grace: Duration::from_secs(10),
        patience: Patience::default(),
    });
    let catalog = Arc::new(catalog.await.unwrap());
    let (create, _) = Asked::new(CreateBucket { name: "b".to_owned(), settings: Default::default() });
    catalog.apply(vec![create.into()]).await.unwrap();
    let (next, body, began) = (Arc::new(AtomicUsize::new(0)), Bytes::from(vec![7; size]), Instant::now());
    let workers: Vec<_> = (0..concurrent)
        .map(|_| {
            let (catalog, next, body) = (Arc::clone(&catalog), Arc::clone(&next), body.clone());
            tokio::spawn(async move {
                let mut times = Vec::new();
                while next.fetch_add(1, Ordering::Relaxed) < objects {
                    let key: [u8; 16] = Random::system().bytes().unwrap();
                    let content = PlacedContent {
                        len: body.len() as u64,
                        md5: Some([7; 16]),
                        crc64: 7,
                        bytes: PlacedBytes::Inline(vec![body.clone()]),
                    };
                    let (put, _) = Asked::new(PutObject {
                        bucket: "b".to_owned(),
                        key: Bytes::copy_from_slice(&key),
                        content,
                        attributes: Bytes::from_static(b"{}"),
                        forbid_overwrite: false,
                        outbox_entry: None,
                    });
                    let began = Instant::now();
                    catalog.apply(vec![put.into()]).await.unwrap();
                    times.push(began.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for worker in workers {
        times.extend(worker.await.unwrap());
    }
    let rate = objects as f64 / began.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    println!(
        "{size} bytes x{concurrent}: {rate:.0} objects/s, p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    );
    catalog.shutdown().await;
}
