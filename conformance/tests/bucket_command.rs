//! `countersign bucket` and `store --bucket`, against the built binary.

use countersign_conformance::running::{Running, run};
use countersign_conformance::wire::{Exchange, send};
use countersign_conformance::{ACCESS_KEY_ID, ACCESS_KEY_SECRET};

/// Runs `countersign bucket …` with the key of the running store.
fn bucket(store: &Running, arguments: &[&str]) -> (Option<i32>, String, String) {
    let data = store.data().to_str().unwrap();
    let key = ["--data", data, "--access-key-id", ACCESS_KEY_ID, "--access-key-secret", ACCESS_KEY_SECRET];
    run(&[&["bucket"], arguments, &key].concat())
}

fn preflight(store: &Running, bucket: &str, origin: &str) -> u16 {
    let asking = Exchange::new("OPTIONS", &format!("/{bucket}/")).host(&store.store).header("Origin", origin);
    send(&store.store, &asking.header("Access-Control-Request-Method", "POST")).status
}

#[test]
fn makes_changes_shows_lists_and_deletes_buckets_of_a_running_store() {
    let store = Running::store(&[]);
    assert_eq!(bucket(&store, &["create", "photos"]).0, Some(0));
    let (code, shown, _) = bucket(&store, &["show", "photos", "--json"]);
    assert_eq!(code, Some(0));
    assert!(shown.contains(r#""mode":"guarded""#) && shown.contains(r#""origins":[]"#), "{shown}");

    assert_eq!(preflight(&store, "photos", "https://www.example.com"), 403);
    let set = ["set", "photos", "--mode", "strict", "--allow-origin", "https://www.example.com"];
    assert_eq!(bucket(&store, &set).0, Some(0));
    assert_eq!(preflight(&store, "photos", "https://www.example.com"), 200);
    assert_eq!(preflight(&store, "photos", "https://other.example.com"), 403);
    let (_, shown, _) = bucket(&store, &["show", "photos", "--json"]);
    assert!(shown.contains(r#""mode":"strict""#) && shown.contains("https://www.example.com"), "{shown}");

    assert_eq!(bucket(&store, &["create", "second", "--mode", "compat"]).0, Some(0));
    assert_eq!(bucket(&store, &["list"]).1, "photos\nsecond\n");
    assert_eq!(bucket(&store, &["rm", "second"]).0, Some(0));
    assert_eq!(bucket(&store, &["list"]).1, "photos\n");
}

/// A store in a container has its key in the environment, and so has a command that is run there.
#[test]
fn takes_the_key_of_the_environment_under_either_name() {
    let store = Running::store(&["--bucket", "photos"]);
    let list = |variables: &[(&str, &str)]| {
        let mut command = std::process::Command::new(countersign_conformance::running::binary_path());
        for prefix in ["OSS", "COUNTERSIGN"] {
            command.env_remove(format!("{prefix}_ACCESS_KEY_ID"));
            command.env_remove(format!("{prefix}_ACCESS_KEY_SECRET"));
        }
        command.args(["bucket", "list", "--data"]).arg(store.data()).envs(variables.iter().copied());
        let output = command.output().expect("countersign starts");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (id, secret) = (ACCESS_KEY_ID, ACCESS_KEY_SECRET);
    let ours = [("COUNTERSIGN_ACCESS_KEY_ID", id), ("COUNTERSIGN_ACCESS_KEY_SECRET", secret)];
    let of_oss = [("OSS_ACCESS_KEY_ID", id), ("OSS_ACCESS_KEY_SECRET", secret)];
    assert_eq!(list(&ours), (Some(0), "photos\n".to_owned()));
    assert_eq!(list(&of_oss), (Some(0), "photos\n".to_owned()));
    let other = [("OSS_ACCESS_KEY_ID", "other"), ("OSS_ACCESS_KEY_SECRET", "other")];
    assert_eq!(list(&[ours, other].concat()).0, Some(1), "what OSS's own tools read counts first");
    // The halves of two keys are no key.
    assert_eq!(list(&[ours[0], of_oss[1]]).0, Some(2));
    assert_eq!(list(&ours[..1]).0, Some(2));
}

#[test]
fn a_page_of_something_else_is_no_list_without_buckets() {
    let store = Running::serve(&[]);
    let page = format!("http://{}", store.app);
    let (code, _, said) = bucket(&store, &["list", "--endpoint", &page]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no object store"), "{said}");
}

#[test]
fn a_refusal_is_one_sentence_that_links_to_its_explanation() {
    let store = Running::store(&[]);
    let (code, _, said) = bucket(&store, &["rm", "missing"]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("404 NoSuchBucket") && said.contains("/_countersign/docs/errors/NoSuchBucket"),
        "{said}"
    );
    bucket(&store, &["create", "photos"]);
    for (arguments, reason) in [
        (&["create", "photos"][..], "exists already"),
        (&["create", "Not_A_Name"], "Not_A_Name"),
        (&["set", "photos"], "nothing to set"),
        (&["set", "missing", "--mode", "strict"], "NoSuchBucket"),
    ] {
        let (code, _, said) = bucket(&store, arguments);
        assert_eq!(code, Some(1), "{arguments:?}");
        assert!(said.contains(reason), "{said}");
    }
    assert_eq!(bucket(&store, &["list"]).1, "photos\n", "nothing was made by asking for a change");
}

#[test]
fn a_store_starts_with_the_buckets_and_origins_that_it_is_given_and_is_found_only_while_it_runs() {
    let flags = ["--bucket", "photos", "--bucket", "films", "--allow-origin", "https://www.example.com"];
    let mut store = Running::store(&flags);
    assert_eq!(bucket(&store, &["list"]).1, "films\nphotos\n");
    assert_eq!(preflight(&store, "films", "https://www.example.com"), 200);
    bucket(&store, &["set", "films", "--mode", "compat", "--allow-origin", "https://second.example.com"]);
    store.kill();
    store.restart();
    let (_, shown, _) = bucket(&store, &["show", "films", "--json"]);
    assert!(shown.contains(r#""mode":"compat""#), "a start changes nothing that was set: {shown}");
    assert!(shown.contains("https://second.example.com"), "{shown}");
    assert_eq!(store.interrupt(std::time::Duration::from_secs(20)), Some(0));
    let (code, _, said) = bucket(&store, &["list"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("no store runs on"), "{said}");
}
