//! The built binary with its records in PostgreSQL: what was acknowledged survives a kill, callbacks that are owed are
//! kept, and neither another data folder nor a start without the catalog is taken.

use std::time::{Duration, Instant};

use countersign_conformance::application::{Application, Reply};
use countersign_conformance::running::run;
use countersign_conformance::{Form, PolicyText, Running, StoreClient};
use countersign_testkit::PostgresServer;

const LARGE: usize = 300_000;

fn owed(url: &str) -> String {
    let (code, out, error) = run(&["callbacks", "list", "--catalog", url]);
    assert_eq!(code, Some(0), "{error}");
    out
}

fn upload(running: &Running, key: &str, body: Vec<u8>, callback: &str) -> u16 {
    Form::signed(key, &PolicyText::open())
        .field("callback", callback)
        .file("x", "a/b", body)
        .post("photos")
        .send(&running.store)
        .status
}

#[test]
fn everything_acknowledged_is_there_after_a_kill_and_a_start() {
    let server = PostgresServer::of_this_run();
    let url = server.url_by(server.port(), &server.new_database());
    let (code, _, error) = run(&["store", "--catalog", &url, "--data", "/nonexistent"]);
    assert!(code == Some(2) && !error.is_empty(), "{error}");
    assert_eq!(run(&["migrate", "--check", "--catalog", &url]).0, Some(1));
    assert_eq!(run(&["migrate", "--catalog", &url]).0, Some(0));
    assert_eq!(run(&["migrate", "--check", "--catalog", &url]).0, Some(0));
    let mut running = Running::store(&[
        "--catalog",
        &url,
        "--catalog-may-forget",
        "--callback-allow",
        "127.0.0.0/8",
        "--scrub-every",
        "off",
    ]);
    let client = StoreClient::at(&running.store);
    client.create_bucket("photos");
    let answering = Application::answering(Reply::ok());
    let declining = Application::answering(Reply::status(500, "text/plain", "no"));
    let callback = |of: &Application| of.callback("/", "key=${object}", "application/x-www-form-urlencoded");
    assert_eq!(upload(&running, "dir/small", b"small".to_vec(), &callback(&answering)), 200);
    assert_eq!(upload(&running, "dir/large", vec![7; LARGE], &callback(&answering)), 200);
    assert_eq!(upload(&running, "owed", b"owed".to_vec(), &callback(&declining)), 203);
    assert_eq!(client.put("photos", "twice", vec![1; LARGE]).status, 200);
    assert_eq!(client.put("photos", "twice", vec![2; LARGE]).status, 200);
    assert_eq!(client.put("photos", "gone", "gone").status, 200);
    assert_eq!(client.delete("photos", "gone").status, 204);
    assert_eq!(answering.received().len(), 2);
    // Closing an entry rides in the batch after the answer.
    let deadline = Instant::now() + Duration::from_secs(10);
    while owed(&url).lines().count() != 1 {
        assert!(Instant::now() < deadline, "{}", owed(&url));
        std::thread::sleep(Duration::from_millis(20));
    }

    running.kill();
    running.restart();
    assert_eq!(client.keys("photos"), ["dir/large", "dir/small", "owed", "twice"]);
    let rolled_up = client.request("GET", "photos", "", "delimiter=%2F", &[], "");
    assert!(rolled_up.text().contains("<Prefix>dir/</Prefix>"), "{}", rolled_up.text());
    assert_eq!(client.get("photos", "dir/small").body, b"small");
    assert_eq!(client.get("photos", "dir/large").body, vec![7; LARGE]);
    assert_eq!(client.get("photos", "twice").body, vec![2; LARGE]);
    assert_eq!(client.get("photos", "gone").status, 404);
    assert!(owed(&url).contains("owed"), "{}", owed(&url));

    let data = running.data().display().to_string();
    assert_eq!(run(&["scrub", "--data", &data, "--catalog", &url]).0, Some(0));
    let other = tempfile::tempdir().unwrap();
    let folder = other.path().display().to_string();
    let second = ["store", "--catalog", &url, "--catalog-may-forget", "--data", &folder];
    let (code, _, error) = run(&second);
    assert!(code == Some(2) && error.contains("belongs to another data folder"), "{error}");
    assert_eq!(running.interrupt(Duration::from_secs(10)), Some(0));
    for command in [&["store"][..], &["scrub"], &["callbacks", "list"], &["backup", &folder]] {
        let (code, _, error) = run(&[command, &["--data", &data]].concat());
        assert!(code == Some(2) && error.contains("in a shared catalog"), "{command:?}: {error}");
    }
}
