//! Scrub, backup and restore with the built binary: damage is named and not served; a backup that is taken under
//! uploads holds everything that was acknowledged before it began, and a store starts on it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_conformance::running::{get, run};
use countersign_conformance::{Form, PolicyText, Running, StoreClient};
use serde_json::Value;

const LARGE: usize = 300_000;

fn body(number: usize) -> Vec<u8> {
    let size = if number.is_multiple_of(5) { LARGE } else { 500 + number % 4000 };
    (0..size).map(|at| ((at * 31 + number * 7) % 251) as u8).collect()
}

fn json(arguments: &[&str]) -> (Option<i32>, Value) {
    let (code, out, error) = run(arguments);
    let value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{arguments:?}: {out}{error}"));
    (code, value)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// The files under a folder of blobs.
fn blob_files(blobs: &Path) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(blobs).unwrap().map(|entry| entry.unwrap().path());
    let folders = folders.filter(|path| path.is_dir());
    folders.flat_map(|folder| std::fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path()).collect()
}

fn flip_a_bit(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn damaged_objects_are_not_served_and_a_scrub_names_them() {
    let mut running = Running::store(&["--scrub-every", "off"]);
    let client = StoreClient::at(&running.store);
    client.create_bucket("photos");
    assert_eq!(client.put("photos", "large", body(5)).status, 200);
    assert_eq!(client.put("photos", "small", body(1)).status, 200);
    let data = text(running.data());
    let (code, report) = json(&["scrub", "--data", &data, "--json"]);
    assert_eq!((code, &report["good"], &report["objects"]), (Some(0), &true.into(), &2.into()), "{report}");
    let file = blob_files(&running.data().join("blobs")).remove(0);
    flip_a_bit(&file);
    let (code, report) = json(&["scrub", "--data", &data, "--json"]);
    let damaged = &report["damaged"][0];
    assert_eq!(
        (code, &damaged["bucket"], &damaged["key"]),
        (Some(1), &"photos".into(), &"large".into()),
        "{report}"
    );
    assert_eq!(damaged["place"], Value::from(text(&file)));
    // The running store breaks off, and from then on refuses every part by name.
    let broken = std::panic::catch_unwind(|| client.get("photos", "large"));
    assert!(broken.is_err(), "a damaged object came whole");
    let refused = client.request("GET", "photos", "large", "", &[("Range", "bytes=0-9")], "");
    assert_eq!(refused.verdict(), "500 ObjectDamaged");
    assert_eq!(client.get("photos", "small").body, body(1));
    let health = get(&running.store, "/_countersign/healthz");
    assert!(health.status == 200 && health.text().contains("1 object is damaged"), "{}", health.text());
    let (_, out, _) = run(&["scrub", "--data", &data, "--remove-orphans"]);
    assert_eq!(out, "", "refused beside a running store");
    // What is known is kept, and ends with the object.
    assert_eq!(running.interrupt(Duration::from_secs(10)), Some(0));
    assert_eq!(run(&["scrub", "--data", &data]).0, Some(1));
    let (code, listed, _) = run(&["scrub", "--data", &data, "--known"]);
    assert!(code == Some(1) && listed.contains("damaged   photos/large"), "{listed}");
    // So does a backup of it, though its files are copied as they lie.
    let folder = tempfile::tempdir().unwrap();
    let (code, backup) = json(&["backup", &text(folder.path()), "--data", &data, "--json"]);
    assert_eq!((code, &backup["known_damage"][0]["key"]), (Some(1), &"large".into()), "{backup}");
    running.restart();
    let refused = client.request("GET", "photos", "large", "", &[("Range", "bytes=0-9")], "");
    assert_eq!(refused.verdict(), "500 ObjectDamaged");
    assert_eq!(client.put("photos", "large", body(10)).status, 200);
    assert_eq!(client.get("photos", "large").body, body(10));
    assert_eq!(run(&["scrub", "--data", &data, "--known"]).0, Some(0));
}

#[derive(Default)]
struct Record {
    acknowledged: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Keys that somebody has begun to delete.
    deleting: Mutex<BTreeMap<String, Vec<u8>>>,
    number: AtomicUsize,
}

/// Uploads, and now and then deletes what was uploaded a while ago.
fn work(record: &Record, store: &str, stop: &AtomicBool) {
    let (client, policy) = (StoreClient::at(store), PolicyText::open());
    while !stop.load(Ordering::SeqCst) {
        let number = record.number.fetch_add(1, Ordering::SeqCst);
        let (key, body) = (format!("user-dir/{number:06}"), body(number));
        let answer = Form::signed(&key, &policy).file("x", "a/b", body.clone()).post("demo").send(store);
        assert_eq!(answer.status, 200, "{}", answer.text());
        record.acknowledged.lock().unwrap().insert(key, body);
        if number.is_multiple_of(4) && number > 40 {
            let key = format!("user-dir/{:06}", number / 2);
            let taken = record.acknowledged.lock().unwrap().remove(&key);
            let Some(body) = taken else { continue };
            record.deleting.lock().unwrap().insert(key.clone(), body);
            assert_eq!(client.delete("demo", &key).status, 204);
        }
    }
}

#[test]
fn backups_under_load_hold_everything_acknowledged_before_them() {
    let running = Running::serve(&["--scrub-every", "off"]);
    let record = Arc::new(Record::default());
    let stop = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let (record, stop, store) = (Arc::clone(&record), Arc::clone(&stop), running.store.clone());
            std::thread::spawn(move || work(&record, &store, &stop))
        })
        .collect();
    let (target, data) = (tempfile::tempdir().unwrap(), text(running.data()));
    let mut taken = Vec::new();
    for number in 0..3 {
        std::thread::sleep(Duration::from_millis(700));
        let before = record.acknowledged.lock().unwrap().clone();
        let mut arguments = vec!["backup", "--data", &data, "--json"];
        let folder = text(target.path());
        arguments.push(&folder);
        if number == 1 {
            arguments.push("--copy");
        }
        let (code, report) = json(&arguments);
        assert_eq!(code, Some(0), "{report}");
        println!("{report}");
        let deleted = record.deleting.lock().unwrap().clone();
        taken.push((report["name"].as_str().unwrap().to_owned(), before, deleted));
        if number > 0 {
            assert!(report["blobs_there"].as_u64() > Some(0), "{report}");
        }
    }
    stop.store(true, Ordering::SeqCst);
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    for (name, before, deleted) in &taken {
        check_restored(target.path(), name, before, deleted, &record);
    }
}

/// Restores a backup, starts a store on it, and looks at every object.
fn check_restored(
    backups: &Path,
    name: &str,
    before: &BTreeMap<String, Vec<u8>>,
    deleted: &BTreeMap<String, Vec<u8>>,
    record: &Record,
) {
    let folder = tempfile::tempdir().unwrap();
    let data = text(folder.path());
    let (code, out, error) = run(&["restore", &text(backups), "--backup", name, "--data", &data]);
    assert_eq!(code, Some(0), "{out}{error}");
    let (code, report) = json(&["scrub", "--data", &data, "--json"]);
    let clean = (code, &report["good"], &report["orphans"]);
    assert_eq!(clean, (Some(0), &true.into(), &Value::Array(vec![])), "{name}: {report}");
    let restored = Running::serve_in(folder, &["--scrub-every", "off"]);
    let client = StoreClient::at(&restored.store);
    let keys = client.keys("demo");
    let all = record.acknowledged.lock().unwrap();
    for key in before.keys() {
        assert!(keys.contains(key) || deleted.contains_key(key), "{name} lacks {key}");
    }
    let gone = record.deleting.lock().unwrap();
    for key in &keys {
        let expected = all.get(key).or_else(|| gone.get(key));
        // One whose acknowledgement came after the backup may be there too; then it is whole.
        let number = key.rsplit('/').next().and_then(|number| number.parse().ok());
        let expected = expected.cloned().or(number.map(body)).unwrap();
        assert!(client.get("demo", key).body == expected, "{name}: {key} is damaged");
    }
    assert_eq!(client.put("demo", "after", "the restore").status, 200);
    println!("{name}: {} objects, {} acknowledged before it", keys.len(), before.len());
}

#[test]
fn refuses_an_incomplete_backup_and_leaves_existing_files_alone() {
    let mut running = Running::store(&["--scrub-every", "off"]);
    let client = StoreClient::at(&running.store);
    client.create_bucket("photos");
    for number in [5, 10, 1, 2] {
        assert_eq!(client.put("photos", &number.to_string(), body(number)).status, 200);
    }
    let (folder, data) = (tempfile::tempdir().unwrap(), text(running.data()));
    let (backups, restored) = (text(&folder.path().join("backups")), folder.path().join("restored"));
    let backup = |extra: &[&str]| {
        let mut arguments = vec!["backup", &backups, "--data", &data, "--copy", "--json"];
        arguments.extend(extra);
        json(&arguments).1
    };
    let restore = |extra: &[&str]| {
        let mut arguments = vec!["restore".to_owned(), backups.clone(), "--data".into(), text(&restored)];
        arguments.extend(extra.iter().map(ToString::to_string));
        run(&arguments)
    };
    assert_eq!(restore(&[]).0, Some(2), "no backup yet");
    let first = backup(&[]);
    assert_eq!((&first["objects"], &first["blobs"]), (&4.into(), &2.into()), "{first}");
    // A folder with something in it, the data folder itself, and a folder that is no backup are refused.
    assert_eq!(run(&["restore", &backups, "--data", &data]).0, Some(2));
    assert_eq!(run(&["backup", &text(&running.data().join("within")), "--data", &data]).0, Some(2));
    assert_eq!(run(&["backup", &text(folder.path()), "--data", &data]).0, Some(2));
    assert_eq!(run(&["restore", &text(folder.path()), "--data", &text(&restored)]).0, Some(2));
    // A blob of the backup rots: the restore says which, and no store starts on what it left.
    let file = blob_files(&folder.path().join("backups/blobs")).remove(0);
    flip_a_bit(&file);
    let (code, out, error) = restore(&[]);
    assert!(code == Some(1) && out.contains(&text(&file)), "{out}{error}");
    let (code, _, error) = run(&["store", "--data", &text(&restored), "--listen", "127.0.0.1:0"]);
    assert!(code == Some(2) && error.contains("has not come to its end"), "{error}");
    flip_a_bit(&file);
    assert_eq!(restore(&[]).0, Some(0), "the same restore, run again");
    for name in ["catalog.sqlite", "callback_key.pem"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(restored.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} is for its owner only");
    }
    // Without the end of its manifest a backup is none.
    let name = first["name"].as_str().unwrap();
    let manifest = folder.path().join("backups/backups").join(name).join("manifest");
    let whole = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, &whole[..whole.len() - 9]).unwrap();
    std::fs::remove_dir_all(&restored).unwrap();
    let (code, _, error) = restore(&[]);
    assert!(code == Some(2) && error.contains("not whole"), "{error}");
    std::fs::write(&manifest, &whole).unwrap();
    // Older backups go when they are told to, with the blobs that only they name.
    assert_eq!(client.delete("photos", "5").status, 204);
    let second = backup(&["--keep", "1"]);
    assert_eq!((&second["blobs_there"], &second["deleted"][0]), (&1.into(), &first["name"]), "{second}");
    assert_eq!(blob_files(&folder.path().join("backups/blobs")).len(), 1);
    assert_eq!(restore(&[]).0, Some(0));
    assert_eq!(running.interrupt(Duration::from_secs(10)), Some(0));
}

#[test]
fn a_backup_that_was_killed_leaves_nothing_that_looks_whole_and_the_next_goes_on_from_it() {
    let running = Running::store(&["--scrub-every", "off"]);
    let client = StoreClient::at(&running.store);
    client.create_bucket("photos");
    for number in 0..60 {
        assert_eq!(client.put("photos", &number.to_string(), body(number * 5)).status, 200);
    }
    let (target, data) = (tempfile::tempdir().unwrap(), text(running.data()));
    let folder = text(target.path());
    let mut kills = 0;
    for wait in 0..12 {
        let mut child = std::process::Command::new(countersign_conformance::running::binary_path())
            .args(["backup", &folder, "--data", &data, "--copy"])
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(4 + 9 * wait));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
    }
    assert!(kills > 0, "no backup was killed");
    let (code, report) = json(&["backup", &folder, "--data", &data, "--copy", "--json"]);
    assert_eq!(code, Some(0), "{report}");
    let restored = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(target.path().join("backups")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let into = text(&restored.path().join(&name));
        let (code, out, error) = run(&["restore", &folder, "--backup", &name, "--data", &into]);
        assert_eq!(code, Some(0), "{name}: {out}{error}");
        let (code, report) = json(&["scrub", "--data", &into, "--json"]);
        assert_eq!((code, &report["objects"]), (Some(0), &60.into()), "{name}: {report}");
    }
    println!("{kills} of 12 backups killed");
}
