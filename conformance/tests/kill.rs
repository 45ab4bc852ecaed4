//! SIGKILL while uploads run: thirty times, over at least a thousand acknowledged uploads, also between commit and
//! callback. Every acknowledged object is whole afterwards, and every callback that never arrived is still owed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_conformance::application::{Application, Reply};
use countersign_conformance::running::run;
use countersign_conformance::{Form, PolicyText, Running, StoreClient};

const KILLS: usize = 30;
const ACKNOWLEDGED: usize = 1000;
const WRITERS: usize = 8;

#[derive(Default)]
struct Record {
    /// Key and body of every upload that was answered 200.
    acknowledged: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Key and body of every upload that was begun.
    begun: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Keys with a callback that the application had not heard of when the store was killed.
    unheard: Mutex<Vec<String>>,
    /// What `callbacks list` printed after the last kill.
    owed: Mutex<String>,
    number: AtomicUsize,
}

#[test]
fn loses_nothing_that_was_acknowledged() {
    let mut running = Running::store(&["--callback-allow", "127.0.0.0/8"]);
    let client = StoreClient::at(&running.store);
    client.create_bucket("photos");
    let application = Application::deciding(|_| Reply::ok().after(Duration::from_millis(15)));
    let record = Arc::new(Record::default());
    let policy = PolicyText::open();
    let mut kills = 0;
    while kills < KILLS || record.acknowledged.lock().unwrap().len() < ACKNOWLEDGED {
        let stop = Arc::new(AtomicBool::new(false));
        let callback = application.callback("/", "${object}", "application/x-www-form-urlencoded");
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                let (record, stop, store) = (Arc::clone(&record), Arc::clone(&stop), running.store.clone());
                let (policy, callback) = (policy.clone(), callback.clone());
                std::thread::spawn(move || {
                    while !stop.load(Ordering::SeqCst) && upload(&record, &store, &policy, &callback) {}
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(120 + 37 * (kills as u64 % 9)));
        running.kill();
        stop.store(true, Ordering::SeqCst);
        for writer in writers {
            writer.join().unwrap();
        }
        kills += 1;
        assert!(
            kills < 10 * KILLS,
            "only {} uploads acknowledged",
            record.acknowledged.lock().unwrap().len()
        );
        check_owed(&running, &application, &record);
        running.restart();
    }
    check_objects(&client, &record);
    let temporary = leftovers(running.data());
    assert!(temporary.is_empty(), "recovery swept what was staged: {temporary:?}");
    println!(
        "{kills} kills, {} acknowledged, {} begun",
        record.acknowledged.lock().unwrap().len(),
        record.begun.lock().unwrap().len()
    );
}

/// One upload: every third calls back, every seventh is larger than what the catalog holds inline.
fn upload(record: &Record, store: &str, policy: &PolicyText, callback: &str) -> bool {
    let number = record.number.fetch_add(1, Ordering::SeqCst);
    let calls_back = number.is_multiple_of(3);
    let key = format!("{}/{number:06}", if calls_back { "called" } else { "plain" });
    let size = if number.is_multiple_of(7) { 200_000 } else { 1_000 + number % 3000 };
    let body: Vec<u8> = (0..size).map(|at| ((at * 31 + number) % 251) as u8).collect();
    record.begun.lock().unwrap().insert(key.clone(), body.clone());
    let mut form = Form::signed(&key, policy);
    if calls_back {
        form = form.field("callback", callback);
    }
    match form.file("x", "a/b", body.clone()).post("photos").try_send(store) {
        Ok(answer) => {
            assert!(matches!(answer.status, 200 | 203), "{}", answer.text());
            record.acknowledged.lock().unwrap().insert(key, body);
            true
        }
        Err(_) => false,
    }
}

/// While the store is down: every stored `called/` object that the application never heard of must be listed.
fn check_owed(running: &Running, application: &Application, record: &Record) {
    let data = running.data().display().to_string();
    let (code, owed, error) = run(&["callbacks", "list", "--data", &data]);
    assert_eq!(code, Some(0), "{error}");
    let heard: std::collections::BTreeSet<String> =
        application.received().iter().map(|request| request.text().replace("%2F", "/")).collect();
    for line in owed.lines().filter(|line| line.contains("called/")) {
        let key = line.split_whitespace().find(|word| word.starts_with("called/")).unwrap();
        assert!(record.begun.lock().unwrap().contains_key(key), "{key} is owed but nobody uploaded it");
    }
    record.unheard.lock().unwrap().extend(
        record
            .begun
            .lock()
            .unwrap()
            .keys()
            .filter(|key| key.starts_with("called/") && !heard.contains(*key))
            .cloned(),
    );
    *record.owed.lock().unwrap() = owed;
}

fn check_objects(client: &StoreClient, record: &Record) {
    let acknowledged = record.acknowledged.lock().unwrap();
    for (key, body) in acknowledged.iter() {
        let got = client.get("photos", key);
        assert_eq!(got.status, 200, "{key} was acknowledged: {}", got.text());
        assert!(got.body == *body, "{key} is damaged");
    }
    let begun = record.begun.lock().unwrap();
    let stored = client.keys("photos");
    for key in &stored {
        let got = client.get("photos", key);
        assert!(
            got.body == *begun.get(key).unwrap_or_else(|| panic!("{key} came from nowhere")),
            "{key} is half"
        );
    }
    let owed = record.owed.lock().unwrap();
    let mut checked = 0;
    for key in record.unheard.lock().unwrap().iter().filter(|key| stored.contains(key)) {
        assert!(owed.contains(key.as_str()), "{key} is stored, was never called back and is not owed");
        checked += 1;
    }
    println!("{checked} callbacks were owed and never sent");
}

/// Files that a crash may leave behind and recovery must remove.
fn leftovers(data: &std::path::Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(data.join("staged")) else { return Vec::new() };
    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
