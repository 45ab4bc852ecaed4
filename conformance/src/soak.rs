//! The soak test: all operations at once against the built binary, killed again and again, with a record of its own
//! of what was acknowledged. `conformance/tests/soak.rs` runs it short, `cargo xtask soak` long.
//!
//! What may be random comes from the seed: which operations, keys, sizes and moments. What the machine does
//! in between does not.

mod callers;
mod chance;
mod checker;
mod record;
mod slow_clients;
mod soak_options;
mod tally;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::{Running, StoreClient};
use callers::Caller;
use chance::Chance;
use record::{BUCKETS, Record};
use worker::Worker;

pub use soak_options::SoakOptions;
pub use tally::Tally;

const WORKERS: u64 = 6;
/// What the store may hold: 64 MiB and 256 KiB for each upload that is under way, which are at most 20, and as much
/// again for what the allocator has not given back. Without the allocator's leave it would be 69 MiB.
const RESIDENT_BYTES_MAX: u64 = 138 << 20;

/// Runs until all the leasts are reached; panics at the first thing that does not hold.
pub fn run(options: SoakOptions) -> Arc<Tally> {
    println!("seed {}", options.seed);
    let mut chance = Chance::new(options.seed);
    let mut running = Running::store(&["--callback-allow", "127.0.0.0/8"]);
    prepare(&StoreClient::at(&running.store));
    let tally = Arc::new(Tally::default());
    let caller = Arc::new(Caller::new());
    let record = Arc::new(Record::default());
    let mut workers: Vec<Worker> =
        (0..WORKERS).map(|place| Worker::new(place, &options, &record, &tally, &caller)).collect();
    let started = Instant::now();
    let mut kills = 0;
    let done = |kills: u64, tally: &Tally| {
        started.elapsed() >= options.least_time
            && kills >= options.least_kills
            && tally.acknowledged.load(Ordering::SeqCst) >= options.least_acknowledged
    };
    while !done(kills, &tally) {
        assert!(
            kills <= 20 * options.least_kills.max(60),
            "so many stops bring too little:\n{}",
            tally.table()
        );
        let (stop, leave) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let slow_clients = slow_clients::begin(&running.store, &leave, &tally, chance.draw());
        let threads: Vec<_> = workers.drain(..).map(|worker| worker.begin(&running.store, &stop)).collect();
        std::thread::sleep(Duration::from_millis(round_ms(&mut chance, options.longest_round)));
        stop.store(true, Ordering::SeqCst);
        kills += u64::from(end_somehow(&mut running, &mut chance, &tally, &leave));
        workers
            .extend(threads.into_iter().map(|thread| thread.join().expect("a worker found something wrong")));
        slow_clients
            .into_iter()
            .for_each(|client| client.join().expect("a slow client found something wrong"));
        checker::while_stopped(&running, &record, &caller, &tally);
        running.restart();
        checker::after_start(&running, &record, &tally);
    }
    checker::at_the_end(&mut running, &record, &tally, options.settle);
    println!("{kills} kills in {:.0} s\n{}", started.elapsed().as_secs_f64(), tally.table());
    tally
}

/// Short rounds meet starts, long ones the work in the background: half of each.
fn round_ms(chance: &mut Chance, longest: Duration) -> u64 {
    let most = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX).max(101);
    if chance.one_in(2) { chance.between(100, most.min(1_000)) } else { chance.between(100, most) }
}

/// SIGKILL most often, else SIGTERM; says whether it was a kill. Strangers stay until a kill, but leave before a
/// SIGTERM, which would give them the whole grace.
fn end_somehow(running: &mut Running, chance: &mut Chance, tally: &Tally, leave: &AtomicBool) -> bool {
    let resident_bytes = running.peak_resident_bytes();
    tally.peak("peak resident KiB", resident_bytes / 1024);
    assert!(resident_bytes <= RESIDENT_BYTES_MAX, "{resident_bytes} bytes were resident");
    if chance.one_in(6) {
        leave.store(true, Ordering::SeqCst);
        let begun = Instant::now();
        let code = running.terminate(Duration::from_secs(45));
        assert_eq!(code, Some(0), "SIGTERM did not end it in time, or not well:\n{}", running.printed());
        tally.count("ended by SIGTERM");
        tally.peak("longest end by SIGTERM, ms", begun.elapsed().as_millis() as u64);
        return false;
    }
    running.kill();
    leave.store(true, Ordering::SeqCst);
    tally.count("killed by SIGKILL");
    true
}

/// Two buckets; in the first whatever lies below `expire/` is past its time as soon as it is there.
fn prepare(client: &StoreClient) {
    for bucket in BUCKETS {
        client.create_bucket(bucket);
    }
    let rules = "<LifecycleConfiguration><Rule><ID>soak</ID><Prefix>expire/</Prefix><Status>Enabled</Status>\
                 <Expiration><Date>2020-01-01T00:00:00.000Z</Date></Expiration></Rule></LifecycleConfiguration>";
    let answer = client.request("PUT", BUCKETS[0], "", "lifecycle", &[], rules);
    assert_eq!(answer.status, 200, "{}", answer.text());
}
