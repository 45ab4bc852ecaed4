//! Checks what must hold between two runs of the store, and at the end.

use std::time::{Duration, Instant};

use super::callers::Caller;
use super::record::{BUCKETS, Held, Record};
use super::tally::Tally;
use crate::running::{bytes_on_disk, run};
use crate::{Running, StoreClient};

/// While it is down: every stored object whose application never heard of it is listed as owed.
pub(crate) fn while_stopped(running: &Running, record: &Record, caller: &Caller, tally: &Tally) {
    let data = running.data().display().to_string();
    let (code, owed, error) = run(&["callbacks", "list", "--data", &data]);
    assert_eq!(code, Some(0), "{error}");
    let owed: std::collections::BTreeSet<&str> =
        owed.split_whitespace().filter(|word| word.starts_with("called/")).collect();
    let heard = caller.heard();
    for (key, told) in record.callbacks() {
        assert!(!told || heard.contains(&key), "{key}: the uploader was told of an answer that nobody gave");
        let listed = owed.contains(key.as_str());
        let possible = record.possible(&(bucket_of(&key), key.clone()));
        // Of what was acknowledged and never deleted it is certain that it was stored.
        let stored = matches!(possible[..], [Held::Object { .. }]);
        assert!(
            !stored || listed || heard.contains(&key),
            "{key} is stored, was never heard of and is not owed"
        );
    }
    tally.peak("callbacks owed at most", owed.len() as u64);
}

fn bucket_of(key: &str) -> &'static str {
    let worker: usize = key.split('/').nth(1).and_then(|place| place.parse().ok()).unwrap_or_default();
    BUCKETS[worker % 2]
}

/// After a start: every object in one of its possible states, whole; nothing else there; nothing staged.
/// Says how many bytes the objects have.
pub(crate) fn after_start(running: &Running, record: &Record, tally: &Tally) -> u64 {
    let client = StoreClient::at(&running.store);
    let mut bytes_stored = 0;
    for bucket in BUCKETS {
        let mut listed: std::collections::BTreeSet<String> = client.keys(bucket).into_iter().collect();
        // The background deletes these while we look.
        listed.retain(|key| !key.starts_with("expire/"));
        for place in record.places(bucket, "") {
            let possible = record.possible(&place);
            let answer = client.get(bucket, &place.1);
            let found = possible.iter().copied().find(|held| match held.bytes() {
                None => answer.status == 404,
                Some(bytes) => answer.status == 200 && answer.body == bytes,
            });
            let held = found.unwrap_or_else(|| {
                panic!(
                    "{place:?}: {} with {} bytes, but possible are {possible:?}",
                    answer.status,
                    answer.body.len()
                )
            });
            tally.count("objects checked after a start");
            if possible.len() > 1 {
                tally.count("outcomes that were open at a stop");
            }
            bytes_stored += answer.body.len() as u64 * u64::from(answer.status == 200);
            if place.1.starts_with("expire/") {
                continue;
            }
            assert_eq!(listed.remove(&place.1), held != Held::Absent, "{place:?} in the listing");
            let used_once = place.1.starts_with("called/") || place.1.starts_with("hung/");
            if used_once && held == Held::Absent {
                record.forget(&place);
            } else {
                record.settled(&place, held);
            }
        }
        assert!(listed.is_empty(), "{bucket} holds what nobody acknowledged or began: {listed:?}");
    }
    let staged = leftovers(running.data());
    assert!(staged.is_empty(), "recovery left what was staged: {staged:?}");
    let on_disk = bytes_on_disk(running.data());
    tally.peak("KiB of objects at most", bytes_stored / 1024);
    tally.peak("KiB on disk at most", on_disk / 1024);
    bytes_stored
}

/// Files that a crash may leave behind and recovery must remove.
fn leftovers(data: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(data.join("blobs/staged")).expect("the folder of what is staged");
    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// At the end: what expires is gone, the disk holds about what the objects need, and a scrub finds nothing.
pub(crate) fn at_the_end(running: &mut Running, record: &Record, tally: &Tally, settle: bool) {
    let client = StoreClient::at(&running.store);
    running.kill();
    running.restart();
    let deadline = Instant::now() + Duration::from_secs(20);
    while client.keys(BUCKETS[0]).iter().any(|key| key.starts_with("expire/")) {
        assert!(Instant::now() < deadline, "expired objects are still there");
        std::thread::sleep(Duration::from_millis(100));
    }
    let bytes = after_start(running, record, tally);
    if settle {
        settle_down(running, bytes, tally);
    }
    scrub(running, tally);
}

/// Overwritten and deleted bytes leave the disk; what remains is the objects, the catalog and its log.
fn settle_down(running: &Running, bytes: u64, tally: &Tally) {
    let most = bytes + bytes / 4 + (192 << 20);
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let on_disk = bytes_on_disk(running.data());
        if on_disk <= most {
            tally.peak("KiB of objects at the end", bytes / 1024);
            tally.peak("KiB on disk at the end", on_disk / 1024);
            return;
        }
        assert!(Instant::now() < deadline, "{on_disk} bytes on disk for {bytes} bytes of objects");
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn scrub(running: &mut Running, tally: &Tally) {
    let code = running.terminate(Duration::from_secs(45));
    assert_eq!(code, Some(0), "{}", running.printed());
    let data = running.data().display().to_string();
    let (code, printed, error) = run(&["scrub", "--data", &data]);
    assert_eq!(code, Some(0), "scrub found something:\n{printed}{error}");
    println!("{}", printed.trim_end());
    tally.count("scrubs that found nothing");
    running.restart();
}
