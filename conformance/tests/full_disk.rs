//! A full disk: a file system of a few MiB, filled to its last byte through the built binary. Refused uploads get 507
//! and nothing of them stays, nothing acknowledged is lost, deleting makes room, and then uploads succeed again.
//!
//! Mounting needs root, so the suite `full disk` of `cargo xtask test` runs these, or says why it cannot.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use countersign_conformance::running::{get, run};
use countersign_conformance::wire::connect;
use countersign_conformance::{Form, PolicyText, Running, StoreClient};
use serde_json::Value;

/// A small file system of its own, unmounted when dropped.
struct Disk {
    _folder: tempfile::TempDir,
    mounted: PathBuf,
}

fn sh(script: &str) -> bool {
    Command::new("sh").args(["-ec", script]).status().is_ok_and(|status| status.success())
}

impl Disk {
    fn tmpfs(mebibytes: u64) -> Disk {
        let disk = Disk::mounted_by(&format!("mount -t tmpfs -o size={mebibytes}m none \"$AT\""));
        disk.expect("not tried: mounting is not permitted here")
    }

    /// A file with ext4 in it; none where there is no loop device or no mkfs.
    fn ext4(mebibytes: u64) -> Option<Disk> {
        let make = format!("truncate -s {mebibytes}m \"$AT.img\" && mkfs.ext4 -q -m 0 \"$AT.img\"");
        Disk::mounted_by(&format!("{make} && mount -o loop \"$AT.img\" \"$AT\""))
    }

    /// None where the script, which knows where to mount as `AT`, does not succeed.
    fn mounted_by(script: &str) -> Option<Disk> {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("disk");
        std::fs::create_dir(&at).unwrap();
        let mounted = sh(&format!("AT='{}'; {script}", at.display()));
        mounted.then(|| Disk { _folder: folder, mounted: at })
    }

    fn data(&self) -> tempfile::TempDir {
        tempfile::Builder::new().prefix("data").tempdir_in(&self.mounted).unwrap()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        sh(&format!("umount -l '{}'", self.mounted.display()));
    }
}

fn body(number: usize, size: usize) -> Vec<u8> {
    (0..size).map(|at| ((at * 31 + number * 7) % 251) as u8).collect()
}

type Acknowledged = BTreeMap<String, Vec<u8>>;

/// Uploads until the disk is full, and then a few more; says how many were refused.
fn fill(running: &Running, size: usize, acknowledged: &mut Acknowledged) -> usize {
    let (policy, mut refused) = (PolicyText::open(), 0);
    for number in 0..20_000 {
        let (key, body) = (format!("{size}/{number:05}"), body(number, size));
        let answer =
            Form::signed(&key, &policy).file("x", "a/b", body.clone()).post("disk").send(&running.store);
        match answer.verdict().as_str() {
            "200" => {
                acknowledged.insert(key, body);
            }
            "507 InsufficientStorage" => refused += 1,
            other => panic!("{key}: {other}"),
        }
        if refused == 5 {
            return refused;
        }
    }
    refused
}

fn check(client: &StoreClient, acknowledged: &Acknowledged) {
    let mut keys = client.keys("disk");
    keys.sort();
    assert_eq!(
        keys,
        acknowledged.keys().cloned().collect::<Vec<_>>(),
        "what is there is what was acknowledged"
    );
    for (key, body) in acknowledged {
        assert!(client.get("disk", key).body == *body, "{key} is damaged");
    }
}

/// Deletes every second object.
fn delete_half(client: &StoreClient, acknowledged: &mut Acknowledged) {
    let half: Vec<String> = acknowledged.keys().step_by(2).cloned().collect();
    for key in half {
        let answer = client.delete("disk", &key);
        assert_eq!(answer.status, 204, "{key}: {}", answer.text());
        acknowledged.remove(&key);
    }
}

/// Uploads of this size succeed again, once what was deleted is swept.
fn uploads_again(running: &Running, size: usize, acknowledged: &mut Acknowledged) {
    let deadline = Instant::now() + Duration::from_secs(40);
    let client = StoreClient::at(&running.store);
    let mut stored = 0;
    while stored < 5 {
        let (key, body) = (format!("again/{size}/{stored}"), body(stored, size));
        let answer = client.put("disk", &key, body.clone());
        if answer.status == 200 {
            acknowledged.insert(key, body);
            stored += 1;
            continue;
        }
        assert_eq!(answer.verdict(), "507 InsufficientStorage");
        assert!(Instant::now() < deadline, "after 40 s no upload of {size} bytes succeeds");
        std::thread::sleep(Duration::from_millis(300));
    }
}

fn fills_and_recovers(disk: &Disk, sizes: &[usize]) {
    let mut running = Running::store_in(disk.data(), &["--scrub-every", "off"]);
    let client = StoreClient::at(&running.store);
    client.create_bucket("disk");
    let mut acknowledged = Acknowledged::new();
    for size in sizes {
        assert_eq!(fill(&running, *size, &mut acknowledged), 5, "{size}: the disk did not fill");
    }
    assert!(!acknowledged.is_empty());
    assert_eq!(get(&running.store, "/_countersign/healthz").status, 200, "a full disk is no broken word");
    check(&client, &acknowledged);
    delete_half(&client, &mut acknowledged);
    for size in sizes.iter().rev() {
        uploads_again(&running, *size, &mut acknowledged);
    }
    check(&client, &acknowledged);
    running.kill();
    running.restart();
    check(&client, &acknowledged);
    assert_eq!(running.interrupt(Duration::from_secs(20)), Some(0));
    let data = running.data().display().to_string();
    let (code, out, error) = run(&["scrub", "--data", &data, "--json"]);
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}"));
    assert_eq!(
        (code, &report["good"], &report["orphans"]),
        (Some(0), &true.into(), &Value::Array(vec![])),
        "{out}"
    );
    println!("{} objects at the end", acknowledged.len());
}

#[test]
#[ignore = "mounts a file system; the suite `full disk` runs it"]
fn small_uploads_fill_a_disk_and_go_on_after_a_deletion() {
    fills_and_recovers(&Disk::tmpfs(40), &[8_000]);
}

#[test]
#[ignore = "mounts a file system; the suite `full disk` runs it"]
fn large_uploads_fill_a_disk_and_go_on_after_a_deletion() {
    fills_and_recovers(&Disk::tmpfs(40), &[1_500_000]);
}

#[test]
#[ignore = "mounts a file system; the suite `full disk` runs it"]
fn large_and_small_uploads_fill_a_disk_and_go_on_after_a_deletion() {
    fills_and_recovers(&Disk::tmpfs(40), &[700_000, 3_000]);
}

#[test]
#[ignore = "mounts a file system; the suite `full disk` runs it"]
fn a_disk_with_a_journal_of_its_own_fills_and_goes_on_after_a_deletion() {
    let Some(disk) = Disk::ext4(60) else {
        eprintln!("not tried: this machine makes no ext4 in a file");
        return;
    };
    fills_and_recovers(&disk, &[700_000, 3_000]);
}

/// Takes so much of the disk, or what is left of it.
fn take(disk: &Disk, name: &str, mebibytes: usize) -> PathBuf {
    let filler = disk.mounted.join(name);
    // It ends with the disk.
    sh(&format!("head -c {mebibytes}M /dev/zero > '{}' || true", filler.display()));
    filler
}

#[test]
#[ignore = "mounts a file system; the suite `full disk` runs it"]
fn a_store_that_is_killed_on_a_full_disk_starts_on_it_and_has_lost_nothing() {
    let disk = Disk::tmpfs(40);
    let room = take(&disk, "room", 10);
    let mut running = Running::store_in(disk.data(), &["--scrub-every", "off"]);
    let client = StoreClient::at(&running.store);
    client.create_bucket("disk");
    let mut acknowledged = Acknowledged::new();
    assert_eq!(fill(&running, 30_000, &mut acknowledged), 5, "the disk did not fill");
    take(&disk, "rest", 40);
    running.kill();
    let log = std::fs::metadata(running.data().join("catalog.sqlite-wal")).expect("the log").len();
    take(&disk, "rest of the rest", 40);
    for _ in 0..2 {
        running.restart();
        check(&client, &acknowledged);
        assert_eq!(fill(&running, 30_000, &mut acknowledged), 5, "there is room on a full disk");
        running.kill();
    }
    std::fs::remove_file(room).expect("room again");
    running.restart();
    uploads_again(&running, 30_000, &mut acknowledged);
    check(&client, &acknowledged);
    println!("{} objects, a log of {log} bytes at the kill", acknowledged.len());
}

impl Disk {
    fn free_mebibytes(&self) -> u64 {
        let disk = rustix::fs::statvfs(&self.mounted).expect("statvfs");
        (disk.f_bavail * disk.f_frsize) >> 20
    }

    /// Waits until so much is free, for a moment: a connection's end is seen by its task.
    fn is_free_again(&self, mebibytes: u64, what: &str) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.free_mebibytes() < mebibytes {
            assert!(
                Instant::now() < deadline,
                "{what} holds the disk: {} MiB are free",
                self.free_mebibytes()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
#[ignore = "mounts a file system; the suite `full disk` runs it"]
fn an_upload_that_ends_early_gives_the_disk_back_at_once() {
    let disk = Disk::tmpfs(120);
    let mut running = Running::store_in(disk.data(), &["--scrub-every", "off"]);
    let client = StoreClient::at(&running.store);
    client.create_bucket("disk");
    let free = disk.free_mebibytes();
    let whole =
        Form::signed("k", &PolicyText::open()).file("x", "a/b", body(1, 16 << 20)).post("disk").whole();
    let begin = || -> Vec<TcpStream> {
        let begun: Vec<TcpStream> = (0..3)
            .map(|_| {
                let mut stream = connect(&running.store).expect("a connection");
                stream.write_all(&whole[..whole.len() - 100]).expect("all but the end");
                stream
            })
            .collect();
        let deadline = Instant::now() + Duration::from_secs(10);
        while disk.free_mebibytes() > free - 40 {
            assert!(Instant::now() < deadline, "they are not on the disk");
            std::thread::sleep(Duration::from_millis(20));
        }
        begun
    };
    drop(begin());
    disk.is_free_again(free, "an upload whose client has left");
    for (digest, body) in [("AAAAAAAAAAAAAAAAAAAAAA==", body(2, 16 << 20)), ("", body(3, 130 << 20))] {
        let headers: &[(&str, &str)] = if digest.is_empty() { &[] } else { &[("Content-MD5", digest)] };
        let answer = client.request("PUT", "disk", "k", "", headers, body);
        assert!(matches!(answer.status, 400 | 507), "{}", answer.text());
        disk.is_free_again(free, "an upload that was refused at its end");
    }
    let begun = begin();
    running.kill();
    disk.is_free_again(free, "an upload of a process that is gone");
    drop(begun);
    running.restart();
    assert_eq!(client.keys("disk"), Vec::<String>::new());
}

/// What Linux does with a disk that fails: the file system turns read-only under those who have files open.
#[test]
#[ignore = "mounts a file system"]
fn a_disk_that_turns_read_only_still_serves_and_says_so() {
    let make = "truncate -s 64m \"$AT.img\" && mkfs.ext4 -q \"$AT.img\"";
    let Some(disk) =
        Disk::mounted_by(&format!("{make} && mount -o loop,errors=remount-ro \"$AT.img\" \"$AT\""))
    else {
        eprintln!("not tried: this machine makes no ext4 in a file");
        return;
    };
    let mut running = Running::store_in(disk.data(), &["--bucket", "disk"]);
    let upload = |running: &Running, key: &str, size: usize| {
        let form = Form::signed(key, &PolicyText::open()).file("x", "a/b", body(1, size));
        form.post("disk").send(&running.store).verdict()
    };
    assert_eq!(
        (upload(&running, "small", 10), upload(&running, "large", 300_000)),
        ("200".into(), "200".into())
    );
    let at = disk.mounted.display();
    let failing = format!(
        "disk=$(findmnt -n -o SOURCE '{at}'); echo 1 >\"/sys/fs/ext4/${{disk#/dev/}}/trigger_fs_error\""
    );
    if !sh(&failing) {
        eprintln!("not tried: this system cannot be made to see a failing disk");
        return;
    }
    let client = StoreClient::at(&running.store);
    for size in [10, 300_000] {
        assert_eq!(upload(&running, "lost", size), "503 WritesRefused");
    }
    for key in ["small", "large"] {
        assert_eq!(client.get("disk", key).status, 200, "{key}");
    }
    let page = get(&running.store, "/_countersign/healthz");
    assert!(page.status == 503 && page.text().contains("writes are refused"), "{}", page.text());
    assert_eq!(running.terminate(Duration::from_secs(30)), Some(0));
    let data = running.data().to_str().unwrap().to_owned();
    let (code, _, said) = run(&["store", "--data", &data, "--listen", "127.0.0.1:0"]);
    assert_eq!((code, said.matches("cannot be used").count()), (Some(2), 1), "{said}");
    assert!(said.contains("Read-only file system"), "{said}");
}
