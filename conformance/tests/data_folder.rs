//! A data folder that is taken away under a running store, its permissions or the folder itself. What is refused is
//! refused by name, what was acknowledged stays, and the store goes on when it can.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use countersign_conformance::running::get;
use countersign_conformance::{Answer, Form, PolicyText, Running, StoreClient};

/// Large enough for a file of its own.
const LARGE: usize = 300_000;

fn upload(running: &Running, key: &str, bytes: usize) -> Answer {
    let form = Form::signed(key, &PolicyText::open()).file("x", "a/b", vec![b'x'; bytes]);
    form.post("photos").send(&running.store)
}

fn health(running: &Running) -> (u16, String) {
    let page = get(&running.store, "/_countersign/healthz");
    (page.status, page.text().to_string())
}

#[test]
fn a_folder_without_rights_refuses_what_needs_it_and_serves_again_when_they_are_back() {
    let Some(mut running) = Running::store_of_a_bound_user(&["--bucket", "photos"]) else {
        println!("SKIPPED: no user whom rights bind can start the binary");
        return;
    };
    let client = StoreClient::at(&running.store);
    assert_eq!(upload(&running, "large", LARGE).status, 200);
    assert_eq!(upload(&running, "small", 10).status, 200);
    let rights = |mode: u32| {
        fs::set_permissions(running.data(), fs::Permissions::from_mode(mode)).expect("chmod");
    };
    rights(0o000);
    for _ in 0..3 {
        assert_eq!(upload(&running, "new large", LARGE).verdict(), "500 DataFolderUnusable");
        assert_eq!(client.get("photos", "large").verdict(), "500 DataFolderUnusable");
    }
    let (status, page) = health(&running);
    assert!(status == 503 && page.contains("could not be read or written"), "{status} {page}");
    // The catalog is open already: what it says it has taken it has.
    let small = upload(&running, "new small", 10).status;
    assert_eq!(client.get("photos", "small").status, 200);
    rights(0o700);
    assert_eq!(upload(&running, "after", LARGE).status, 200);
    assert_eq!(client.get("photos", "large").body.len(), LARGE);
    running.kill();
    running.restart();
    let client = StoreClient::at(&running.store);
    for key in ["large", "small", "after"] {
        assert_eq!(client.get("photos", key).status, 200, "{key}");
    }
    assert_eq!(client.get("photos", "new small").status, if small == 200 { 200 } else { 404 });
    assert_eq!(health(&running).0, 200);
}

#[test]
fn a_folder_that_is_removed_ends_all_writing_and_nothing_more_is_acknowledged() {
    for removed in ["", "catalog.sqlite", "catalog.sqlite-wal"] {
        let running = Running::store(&["--bucket", "photos"]);
        assert_eq!(upload(&running, "small", 10).status, 200);
        let path = running.data().join(removed);
        if removed.is_empty() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.expect("removed");
        for _ in 0..3 {
            assert_eq!(upload(&running, "lost", 10).verdict(), "503 WritesRefused", "{removed:?} is gone");
        }
        let (status, page) = health(&running);
        assert!(status == 503 && page.contains("was removed"), "{status} {page}");
    }
}

#[test]
fn a_folder_of_an_older_schema_is_brought_to_the_new_one_and_the_log_says_so() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let kept =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/store/tests/data-folders/schema-1/catalog.sqlite");
    fs::copy(kept, data.path().join("catalog.sqlite")).expect("a copy");
    let mut running = Running::store_in(data, &[]);
    let log = running.printed_with("the catalog has its new schema", 1);
    assert!(log.contains("catalog.sqlite.before-schema-2"), "{log}");
    assert_eq!(StoreClient::at(&running.store).get("uploads", "user-dir/a.png").body.len(), 3_000);
    running.kill();
    running.restart();
    let log = running.printed_with("is still there", 1);
    assert_eq!(log.matches("the catalog has its new schema").count(), 1, "{log}");
}
