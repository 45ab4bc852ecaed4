//! Operation over days: the log, certificates that change, and a service manager that waits for the start.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_conformance::certificate;
use countersign_conformance::running::{binary_path, get, run_with};
use countersign_conformance::wire::{connect, read_answer};
use countersign_conformance::{
    ACCESS_KEY_ID, ACCESS_KEY_SECRET, Exchange, Form, PolicyText, Running, StoreClient, free_port,
};
use serde_json::Value;

fn hang_up(running: &Running) {
    let id = running.process_id().to_string();
    assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
}

#[test]
fn each_request_is_one_line_that_names_what_it_was_and_nothing_secret() {
    let running = Running::store(&["--log-format", "json", "--bucket", "photos"]);
    let store = StoreClient::at(&running.store);
    assert_eq!(store.put("photos", "a b/照片.txt", b"hello").status, 200);
    let form = Form::signed("form/key", &PolicyText::open()).file("x", "x.txt", "seven b");
    assert_eq!(form.post("photos").send(&running.store).status, 200);
    let long = format!("/photos/{}?Signature=hidden%0a", "%0a%1b".repeat(300));
    let refused = Exchange::get(&long).host(&running.store).send(&running.store);
    assert_eq!(refused.status, 403, "{}", refused.text());
    let all = running.printed_with("\"target\":\"request\"", 4);
    let lines: Vec<Value> = all
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["target"] == "request" && line["bucket"] == "photos")
        .collect();
    assert_eq!(lines.len(), 3, "{all}");
    assert_eq!((&lines[0]["method"], &lines[0]["key"]), (&"PUT".into(), &"a b/照片.txt".into()));
    assert_eq!((&lines[0]["bytes_in"], &lines[0]["status"]), (&5.into(), &200.into()));
    assert_eq!(lines[1]["key"], "form/key");
    assert_eq!((&lines[2]["status"], &lines[2]["client"]), (&403.into(), &"127.0.0.1".into()));
    assert_eq!(lines[2]["request_id"], refused.header("x-oss-request-id").unwrap());
    assert_eq!(lines[2]["bytes_out"], refused.body.len());
    assert!(lines.iter().all(|line| line["ms"].is_u64()), "{all}");
    assert!(lines[2]["key"].as_str().unwrap().chars().count() <= 257, "{}", lines[2]);
    for hidden in ["hidden", "Signature=", "OSS ", "policy"] {
        assert!(!all.lines().any(|line| line.contains("\"request\"") && line.contains(hidden)), "{all}");
    }
}

#[test]
fn an_unread_log_delays_no_request_and_later_says_how_much_it_lost() {
    let (data, address) = (tempfile::tempdir().unwrap(), format!("127.0.0.1:{}", free_port()));
    let mut child = Command::new(binary_path())
        .args(["store", "--bucket", "photos", "--listen", &address, "--data"])
        .arg(data.path())
        .env("COUNTERSIGN_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("COUNTERSIGN_ACCESS_KEY_SECRET", ACCESS_KEY_SECRET)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until_it_answers(&address);
    let mut stream = connect(&address).unwrap();
    // Each line is about a kilobyte: more than the pipe holds, and then more than the store keeps.
    let request = format!("GET /photos/{} HTTP/1.1\r\nHost: {address}\r\n\r\n", "%E7%85%A7".repeat(256));
    for number in 0..1_700 {
        stream.write_all(request.as_bytes()).unwrap();
        let answer = read_answer(&mut stream, Instant::now(), false);
        assert_eq!(answer.map(|answer| answer.status).ok(), Some(403), "the log stops request {number}");
    }
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("log lines were dropped") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "the log ended without a word");
    }
    let count = line.rsplit_once("lines=").map(|(_, count)| count.trim().parse::<u64>());
    assert!(matches!(count, Some(Ok(1..=1_700))), "{line}");
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

fn wait_until_it_answers(address: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let ready = || {
        Exchange::get("/_countersign/healthz").host(address).try_send(address).is_ok_and(|a| a.status == 200)
    };
    while !ready() {
        assert!(Instant::now() < deadline, "not ready after 20 s");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_request_cannot_forge_a_log_line_and_request_lines_can_be_turned_off() {
    let running = Running::store(&[]);
    let forged = "/photos/a%0a2026-01-01T00:00:00Z%20ERROR%20forged%1b%5b2J";
    assert_eq!(Exchange::get(forged).host(&running.store).send(&running.store).status, 404);
    let all = running.printed_with("forged", 1);
    let line = all.lines().find(|line| line.contains("forged")).unwrap();
    assert!(line.contains("request: ") && line.contains("status=404"), "{line}");
    assert!(line.contains("\\n2026") && !all.contains("\u{1b}[2J"), "{line:?}");
    let (code, _, error) =
        run_with(&["callbacks", "list", "--data", "/nonexistent"], &[("COUNTERSIGN_LOG", "=,=")]);
    assert_eq!(code, Some(2));
    assert!(error.contains("COUNTERSIGN_LOG"), "{error}");
}

#[test]
fn serve_and_the_application_server_log_their_requests_without_tokens() {
    let serve = Running::serve(&[]);
    let app = Running::app(&["--host", "http://127.0.0.1:1/photos", "--token", "s3cret"]);
    for (running, part) in [(&serve, "ms="), (&app, "client=127.0.0.1")] {
        let answer = get(&running.app, "/signature?token=s3cret");
        let id = answer.header("x-request-id").unwrap().to_owned();
        let all = running.printed_with("path=\"/signature\"", 1);
        let line = all.lines().find(|line| line.contains("/signature\"")).unwrap();
        assert!(line.contains(part) && line.contains("status=200"), "{line}");
        assert!(line.contains(&id), "{line}");
        // Those of serve are short.
        assert_eq!(line.contains("client="), part != "ms=", "{line}");
        assert!(!all.contains("s3cret"), "{all}");
    }
}

#[test]
fn a_refused_preflight_is_told_once_with_the_command_that_permits_it() {
    let running = Running::store(&["--bucket", "photos"]);
    let ask = |origin: &str| {
        Exchange::new("OPTIONS", "/photos/")
            .host(&running.store)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .send(&running.store)
            .status
    };
    for _ in 0..3 {
        assert_eq!(ask("https://page.example.com"), 403);
    }
    assert_eq!(ask("https://$(reboot)"), 403);
    let command = "countersign bucket set photos --allow-origin https://page.example.com";
    let all = running.printed_with(command, 1);
    assert_eq!(all.matches("bucket set").count(), 1, "{all}");
    let keys = [("OSS_ACCESS_KEY_ID", ACCESS_KEY_ID), ("OSS_ACCESS_KEY_SECRET", ACCESS_KEY_SECRET)];
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let data = running.data().display().to_string();
    let (code, out, error) = run_with(&[&words[..], &["--data", &data]].concat(), &keys);
    assert_eq!(code, Some(0), "{out}{error}");
    assert_eq!(ask("https://page.example.com"), 200);
}

/// The name on the certificate that a port shows.
fn shown(address: &str) -> String {
    let output = Command::new("openssl")
        .args(["s_client", "-connect", address])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find(|line| line.starts_with("subject=")).unwrap_or_default().to_owned()
}

/// A `store` with TLS, waited for by the service manager's own protocol.
fn store_with_tls(folder: &Path, address: &str) -> (std::process::Child, UnixDatagram) {
    let socket = folder.join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let child = Command::new(binary_path())
        .args(["store", "--listen", address, "--tls-cert", "cert.pem", "--tls-key", "key.pem"])
        .current_dir(folder)
        .env("NOTIFY_SOCKET", &socket)
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.join("log")).unwrap())
        .spawn()
        .unwrap();
    (child, manager)
}

#[test]
fn a_service_manager_is_told_and_sighup_reads_certificates_again_but_keeps_good_ones() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    certificate::make(folder, "first.test");
    let address = format!("127.0.0.1:{}", free_port());
    let (mut child, manager) = store_with_tls(folder, &address);
    let told = || {
        let mut bytes = [0; 64];
        let length = manager.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    assert_eq!(told(), "READY=1");
    assert!(shown(&address).contains("first.test"));
    let signal = |name: &str| {
        assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
    };
    let logged = |text: &str| {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !std::fs::read_to_string(folder.join("log")).unwrap().contains(text) {
            assert!(Instant::now() < deadline, "no {text:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    std::fs::write(folder.join("cert.pem"), "no certificate").unwrap();
    signal("-HUP");
    logged("the old certificate stays in use");
    assert!(shown(&address).contains("first.test"));
    certificate::make(folder, "second.test");
    signal("-HUP");
    logged("was read again and is in use");
    assert!(shown(&address).contains("second.test"));
    signal("-TERM");
    assert_eq!(told(), "STOPPING=1");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn sighup_without_certificates_ends_nothing() {
    let running = Running::serve(&[]);
    hang_up(&running);
    running.printed_with("no certificate to read again", 1);
    assert_eq!(get(&running.app, "/healthz").status, 200);
}

#[test]
fn owed_callbacks_are_listed_in_json_and_checked_by_their_age() {
    let running = Running::store(&["--bucket", "photos", "--callback-allow", "127.0.0.0/8"]);
    let data = running.data().display().to_string();
    let command = |words: &[&str]| run_with(&[&["callbacks"], words, &["--data", &data]].concat(), &[]);
    assert_eq!(command(&["list", "--json"]).1, "[]\n");
    assert_eq!(command(&["check"]).0, Some(0));
    let gone = format!("http://127.0.0.1:{}/", free_port());
    let json = format!(r#"{{"callbackUrl":"{gone}","callbackBody":"a=1"}}"#);
    let form =
        Form::signed("k", &PolicyText::open()).field("callback", STANDARD.encode(json)).file("x", "x", "x");
    assert_eq!(form.post("photos").send(&running.store).status, 203);
    let deadline = Instant::now() + Duration::from_secs(10);
    let listed = loop {
        let (code, out, error) = command(&["list", "--json"]);
        assert_eq!(code, Some(0), "{error}");
        let listed: Value = serde_json::from_str(&out).unwrap();
        if listed[0]["state"] == "owed" || Instant::now() > deadline {
            break listed;
        }
    };
    assert_eq!((&listed[0]["state"], &listed[0]["key"]), (&"owed".into(), &"k".into()), "{listed}");
    assert_eq!(command(&["check", "--older-than", "0s"]).0, Some(1));
    let (code, out, _) = command(&["check", "--older-than", "1h"]);
    assert_eq!(code, Some(0), "{out}");
}

#[test]
fn undeliverable_callbacks_can_be_dropped_and_uploads_go_on() {
    let mut store = Running::store(&[
        "--bucket",
        "photos",
        "--callback-allow",
        "127.0.0.0/8",
        "--callback-owed-max",
        "2",
    ]);
    let data = store.data().display().to_string();
    let command = |words: &[&str]| run_with(&[&["callbacks"], words, &["--data", &data]].concat(), &[]);
    let json = format!(r#"{{"callbackUrl":"http://127.0.0.1:{}/","callbackBody":"a=1"}}"#, free_port());
    let upload = |store: &Running| {
        let form = Form::signed("k", &PolicyText::open()).field("callback", STANDARD.encode(&json));
        form.file("x", "x", "x").post("photos").send(&store.store).status
    };
    assert_eq!(upload(&store), 203);
    assert_eq!(upload(&store), 503, "one destination has its share of the room");
    let (code, _, error) = command(&["drop", "--all"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("stop the store"), "{error}");

    assert_eq!(store.interrupt(Duration::from_secs(20)), Some(0));
    assert_eq!(command(&["drop"]).0, Some(2), "which ones must be said");
    assert_eq!(command(&["drop", "--older-than", "1h"]).1, "0 callbacks forgotten\n");
    assert_eq!(command(&["drop", "--all", "--dry-run"]).1, "1 callbacks would be forgotten\n");
    assert_ne!(command(&["list", "--json"]).1, "[]\n");
    assert_eq!(command(&["drop", "--all"]).1, "1 callbacks forgotten\n");
    assert_eq!(command(&["list", "--json"]).1, "[]\n");
    store.restart();
    assert_eq!(upload(&store), 203, "the room is free again");
}

#[test]
fn prints_completions_and_manual_pages_and_a_closed_pipe_is_no_error() {
    let (code, out, _) = run_with(&["completions", "bash"], &[]);
    assert!(code == Some(0) && out.contains("_countersign") && out.contains("--older-than"), "{out}");
    let (code, out, _) = run_with(&["man", "serve"], &[]);
    assert!(code == Some(0) && out.starts_with(".ie") && out.contains("COUNTERSIGN_LOG"), "{out}");
    assert_eq!(run_with(&["man", "dance"], &[]).0, Some(2));
    let folder = tempfile::tempdir().unwrap();
    let store = Running::store_in(folder, &[]);
    let data = store.data().display().to_string();
    for words in [
        vec!["callbacks", "list"],
        vec!["callbacks", "check"],
        vec!["scrub", "--known"],
        vec!["completions", "zsh"],
        vec!["man"],
        vec!["bucket", "list"],
    ] {
        let on_data: &[&str] =
            if matches!(words[0], "completions" | "man") { &[] } else { &["--data", &data] };
        let mut child = Command::new(binary_path())
            .args(&words)
            .args(on_data)
            .env("OSS_ACCESS_KEY_ID", ACCESS_KEY_ID)
            .env("OSS_ACCESS_KEY_SECRET", ACCESS_KEY_SECRET)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        assert!(output.stderr.is_empty(), "{words:?}: {output:?}");
    }
}
