//! Overload: uploads, connections and slow senders beyond what the store takes at once, and a stop under load. Only
//! counts and memory are asserted, never speed.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use countersign_conformance::running::open_files_allowed;
use countersign_conformance::wire::{connect, read_answer};
use countersign_conformance::{Answer, Exchange, Form, PolicyText, Running, StoreClient};

/// How many uploads the store takes in at once, as `docs/semantics.md` says.
const UPLOADS_MAX: usize = 1024;
/// How many connections it keeps open.
const CONNECTIONS_MAX: usize = 4096;
const MEBIBYTE: u64 = 1 << 20;

fn store() -> Running {
    let running = Running::store(&[]);
    StoreClient::at(&running.store).create_bucket("photos");
    running
}

fn upload(key: &str, bytes: usize) -> Exchange {
    Form::signed(key, &PolicyText::open()).file("x", "a/b", vec![b'x'; bytes]).post("photos")
}

/// A connection that has sent this much.
fn begun(running: &Running, bytes: &[u8]) -> TcpStream {
    let mut stream = connect(&running.store).expect("a connection");
    stream.write_all(bytes).expect("a beginning");
    stream
}

fn finished(mut stream: TcpStream, rest: &[u8]) -> Answer {
    stream.write_all(rest).expect("the rest");
    read_answer(&mut stream, Instant::now(), false).expect("an answer")
}

/// Whether this process may open so many files; a machine that forbids it is told so.
fn enough_open_files(wanted: usize) -> bool {
    let allowed = open_files_allowed();
    if allowed < wanted as u64 + 200 {
        println!(
            "SKIPPED: {wanted} connections need more than the {allowed} open files that are allowed here"
        );
        return false;
    }
    true
}

/// Whether an answer waits to be read.
fn is_answered(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).expect("a mode");
    let waits = stream.peek(&mut [0]).is_ok();
    stream.set_nonblocking(false).expect("a mode");
    waits
}

#[test]
fn uploads_beyond_the_limit_take_the_place_of_the_slowest_and_all_others_finish() {
    const SURPLUS: usize = 30;
    if !enough_open_files(UPLOADS_MAX + SURPLUS) {
        return;
    }
    let running = store();
    let bytes = upload("held", 3_000).whole();
    let (first, rest) = bytes.split_at(bytes.len() - 500);
    let mut held: Vec<TcpStream> = (0..UPLOADS_MAX + SURPLUS).map(|_| begun(&running, first)).collect();
    let deadline = Instant::now() + Duration::from_secs(20);
    while held.iter().filter(|stream| is_answered(stream)).count() < SURPLUS {
        assert!(Instant::now() < deadline, "more uploads than {UPLOADS_MAX} are under way");
        std::thread::sleep(Duration::from_millis(20));
    }
    // Those that are held send nothing for a second: from then on any upload is one that comes faster.
    std::thread::sleep(Duration::from_secs(1));
    let client = StoreClient::at(&running.store);
    for number in 0..20 {
        let answer = upload("more", if number % 2 == 0 { 10 } else { 500_000 }).send(&running.store);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(client.put("photos", "more", "x").status, 200, "by PUT too");
    assert_eq!(client.get("photos", "more").status, 200, "whoever only reads is served");
    let gave_way: Vec<TcpStream> = held.extract_if(.., |stream| is_answered(stream)).collect();
    assert!((SURPLUS..=SURPLUS + 21).contains(&gave_way.len()), "{} gave way", gave_way.len());
    for mut stream in gave_way {
        let refused = read_answer(&mut stream, Instant::now(), false).expect("an answer");
        assert_eq!((refused.verdict().as_str(), refused.header("retry-after")), ("503 SlowDown", Some("1")));
    }
    for stream in held {
        assert_eq!(finished(stream, rest).status, 200, "an upload under way");
    }
    let resident = running.peak_resident_bytes();
    println!("{UPLOADS_MAX} uploads under way: {} MiB resident at most", resident / MEBIBYTE);
    assert!(resident <= 64 * MEBIBYTE + UPLOADS_MAX as u64 * 256 * 1024, "{resident} bytes");
}

/// The medians of a number of uploads, one after the other.
fn median_of_uploads(running: &Running, count: usize) -> Duration {
    let mut took: Vec<Duration> = (0..count)
        .map(|_| {
            let answer = upload("quick", 4_096).send(&running.store);
            assert_eq!(answer.status, 200, "{}", answer.text());
            answer.took
        })
        .collect();
    took.sort();
    took[count / 2]
}

#[test]
fn a_thousand_slow_senders_cost_little_memory_and_no_upload() {
    const SENDERS: usize = 1_000;
    if !enough_open_files(SENDERS) {
        return;
    }
    let running = store();
    let alone = median_of_uploads(&running, 100);
    let before = running.peak_resident_bytes();
    let exchange = upload("slow", 10_000);
    let (head, bytes) = (exchange.head().len(), exchange.whole());
    // A third each in the request's head, in the fields, and in the file.
    let cuts = [20, head + 150, bytes.len() - 5_000];
    let mut senders: Vec<(TcpStream, usize)> = (0..SENDERS)
        .map(|number| cuts[number % 3])
        .map(|cut| (begun(&running, &bytes[..cut]), cut))
        .collect();
    let beside = std::thread::scope(|scope| {
        let measured = scope.spawn(|| median_of_uploads(&running, 300));
        for _ in 0..4 {
            std::thread::sleep(Duration::from_secs(1));
            for (stream, sent) in &mut senders {
                stream.write_all(&bytes[*sent..=*sent]).expect("nobody is cut off yet");
                *sent += 1;
            }
        }
        measured.join().expect("uploads beside slow senders")
    });
    let grown = running.peak_resident_bytes() - before;
    println!(
        "{SENDERS} slow senders: {} KiB each, {} MiB in all; the others' median {alone:?} before, {beside:?} beside",
        grown / 1024 / SENDERS as u64,
        grown / MEBIBYTE
    );
    assert!(grown <= 64 * MEBIBYTE, "{grown} bytes");
    for (stream, sent) in senders.into_iter().skip(SENDERS - 6) {
        assert_eq!(finished(stream, &bytes[sent..]).status, 200, "a slow sender that makes haste at last");
    }
}

#[test]
fn a_connection_beyond_the_limit_takes_the_place_of_an_idle_one() {
    if !enough_open_files(CONNECTIONS_MAX) {
        return;
    }
    let running = store();
    let mut idle: Vec<TcpStream> =
        (0..CONNECTIONS_MAX).map(|_| connect(&running.store).expect("a connection")).collect();
    let request = Exchange::get("/_countersign/healthz").host(&running.store).whole();
    for _ in 0..8 {
        let mut late = begun(&running, &request);
        assert_eq!(read_answer(&mut late, Instant::now(), false).expect("an answer").status, 200);
    }
    let ended = idle.extract_if(.., |stream| is_answered(stream)).count();
    assert!((1..=8).contains(&ended), "{ended} idle connections gave way");
    let resident = running.peak_resident_bytes();
    println!("{CONNECTIONS_MAX} idle connections: {} MiB resident at most", resident / MEBIBYTE);
    assert!(resident <= CONNECTIONS_MAX as u64 * 32 * 1024, "{resident} bytes");
}

/// Uploads from several threads until the store is gone; gives what was acknowledged.
fn ended_under_load(end: impl Fn(&mut Running) -> Option<i32>) {
    let mut running = store();
    let (acknowledged, ending) = (Mutex::new(BTreeMap::new()), AtomicBool::new(false));
    let address = running.store.clone();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let (acknowledged, ending, address) = (&acknowledged, &ending, &address);
            scope.spawn(move || {
                for number in 0.. {
                    let (key, bytes) = (format!("{writer}/{number}"), 1 + (number * 7_919) % 90_000);
                    match upload(&key, bytes).try_send(address) {
                        Ok(answer) if answer.status == 200 => {
                            acknowledged.lock().unwrap().insert(key, bytes);
                        }
                        Ok(answer) => panic!("{}", answer.text()),
                        Err(error) => {
                            assert!(ending.load(Ordering::SeqCst), "no answer before the end: {error}");
                            return;
                        }
                    }
                }
            });
        }
        std::thread::sleep(Duration::from_millis(700));
        ending.store(true, Ordering::SeqCst);
        assert_eq!(end(&mut running), Some(0), "{}", running.printed());
    });
    running.restart();
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() > 50, "only {} uploads", acknowledged.len());
    let client = StoreClient::at(&running.store);
    for (key, bytes) in &acknowledged {
        let got = client.get("photos", key);
        assert_eq!((got.status, got.body.len()), (200, *bytes), "{key}");
    }
    println!("{} uploads were acknowledged", acknowledged.len());
}

#[test]
fn ctrl_c_under_load_loses_nothing_that_was_acknowledged() {
    ended_under_load(|running| running.interrupt(Duration::from_secs(30)));
}

#[test]
fn sigterm_under_load_loses_nothing_that_was_acknowledged() {
    ended_under_load(|running| running.terminate(Duration::from_secs(30)));
}

#[test]
fn the_second_ctrl_c_ends_at_once() {
    let mut running = store();
    let bytes = upload("k", 100_000).whole();
    let _hanging = begun(&running, &bytes[..50_000]);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(running.interrupt(Duration::from_secs(2)), None, "an upload is under way");
    let pressed = Instant::now();
    assert_eq!(running.interrupt(Duration::from_secs(10)), Some(130));
    assert!(pressed.elapsed() < Duration::from_secs(5), "{:?}", pressed.elapsed());
    running.restart();
    assert_eq!(StoreClient::at(&running.store).get("photos", "k").verdict(), "404 NoSuchKey");
}
