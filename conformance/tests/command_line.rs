//! The command line as its users meet it: start, messages, files, exit codes, Ctrl-C, each server alone, `upload`.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use countersign_conformance::application::{Application, Reply};
use countersign_conformance::running::{get, run, run_with};
use countersign_conformance::{
    ACCESS_KEY_ID, ACCESS_KEY_SECRET, Exchange, Form, PolicyText, Running, StoreClient, free_port,
    sign_policy_v1, signing::expiration,
};
use serde_json::Value;

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)))
}

#[test]
fn serve_says_what_to_do_next() {
    let running = Running::serve(&[]);
    // It is ready before it says so.
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    while !running.printed().contains("Ctrl-C") && std::time::Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    let printed = running.printed();
    for part in [
        format!("http://{}", running.app),
        running.data().display().to_string(),
        "Ctrl-C".into(),
        "--lan".into(),
    ] {
        assert!(printed.contains(&part), "{part} in:\n{printed}");
    }
    assert!(!printed.contains(ACCESS_KEY_SECRET), "a secret that was given is not printed");
    for entry in std::fs::read_dir(running.data()).unwrap().flatten() {
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} is for its owner only", entry.path().display());
    }
}

#[test]
fn serve_signs_exactly_the_seven_names() {
    let running = Running::serve(&[]);
    let signed = json(&get(&running.app, "/signature?path=user-dir/").body);
    let mut names: Vec<&str> = signed.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accessid", "callback", "dir", "expire", "host", "policy", "signature"]);
    let without = json(&get(&running.app, "/signature?path=user-dir/&callback=0").body);
    assert!(without.get("callback").is_none(), "{without}");
    let four = json(&get(&running.app, "/signature?version=4").body);
    for name in ["policy", "x_oss_credential", "x_oss_date", "signature", "dir", "host"] {
        assert!(four[name].is_string(), "{name} in {four}");
    }
    for bad in ["", "/", "../x", "user-dir/../..", "elsewhere/", "user-dir/a%00b", "%2e%2e/", "user-dir/%ff"]
    {
        let answer = get(&running.app, &format!("/signature?path={bad}"));
        assert_eq!(answer.status, 400, "{bad:?}: {}", answer.text());
    }
    assert_eq!(get(&running.app, "/signature?path=user-dir//a/b").status, 200);
}

#[test]
fn failures_at_start_are_one_sentence_and_exit_code_2() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let held = std::net::TcpListener::bind(&taken);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let under_a_file = file.join("data").display().to_string();
    let broken = folder.path().join("broken.toml");
    std::fs::write(&broken, "store = [").unwrap();
    let unknown = folder.path().join("unknown.toml");
    std::fs::write(&unknown, "colour = \"red\"\n").unwrap();
    let half = folder.path().join("half.toml");
    std::fs::write(&half, "tls-cert = \"c.pem\"\n").unwrap();
    let (broken, unknown) = (broken.display().to_string(), unknown.display().to_string());
    let half = half.display().to_string();
    let free = format!("127.0.0.1:{}", free_port());
    let weak = folder.path().join("forward.secret");
    std::fs::write(&weak, "short").unwrap();
    let weak = weak.display().to_string();
    let hook = "http://127.0.0.1:1/";
    let cases: [(&str, Vec<&str>); 15] = [
        ("a folder under a file", vec!["serve", "--data", &under_a_file, "--store", &free]),
        ("a broken configuration", vec!["serve", "--data", &data, "--config", &broken]),
        ("an unknown setting", vec!["serve", "--data", &data, "--config", &unknown]),
        ("a missing configuration", vec!["serve", "--data", &data, "--config", "/nonexistent.toml"]),
        ("an address that is none", vec!["store", "--data", &data, "--listen", "here"]),
        ("an upload address that is none", vec!["upload", "photo.jpg", "--to", "here"]),
        ("a folder without a store", vec!["callbacks", "list", "--data", &under_a_file]),
        ("half of TLS in the configuration", vec!["serve", "--data", &data, "--config", &half]),
        ("a type without a kind", vec!["serve", "--data", &data, "--store", &free, "--type", "image"]),
        (
            "an application that would never be asked",
            vec![
                "serve",
                "--data",
                &data,
                "--store",
                &free,
                "--no-callback",
                "--forward",
                "http://127.0.0.1:1/",
            ],
        ),
        (
            "a secret that is soon guessed",
            vec![
                "serve",
                "--data",
                &data,
                "--store",
                &free,
                "--forward",
                hook,
                "--forward-secret-file",
                &weak,
            ],
        ),
        (
            "a callback that cannot say whose it is",
            vec![
                "serve",
                "--data",
                &data,
                "--store",
                &free,
                "--signature-hook",
                hook,
                "--callback-body",
                "a=1",
            ],
        ),
        (
            "a header that is not the application's to see",
            vec![
                "serve",
                "--data",
                &data,
                "--store",
                &free,
                "--signature-hook",
                hook,
                "--signature-hook-header",
                "Host",
            ],
        ),
        (
            "a trusted header that is empty",
            vec!["app", "--data", &data, "--host", "http://b.example.com", "--trusted-header", "X-User="],
        ),
        (
            "an app that is open to the network without a token",
            vec!["app", "--data", &data, "--listen", "0.0.0.0:0"],
        ),
    ];
    for (what, arguments) in cases {
        let (code, _, error) = run(&arguments);
        assert_eq!(code, Some(2), "{what}: {error}");
        assert!(!error.trim().is_empty() && !error.contains("panicked"), "{what}: {error}");
        let told_twice = error
            .split(": ")
            .filter(|part| part.contains(' '))
            .any(|part| error.matches(part.trim()).count() > 1);
        assert!(!told_twice, "{what}: {error}");
    }
    drop(held);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let (code, _, error) = run(&["serve", "--data", &data, "--store", &taken]);
    assert_eq!(code, Some(2), "{error}");
    assert!(error.contains(&taken), "{error}");
}

#[test]
fn a_folder_in_use_is_refused() {
    let running = Running::serve(&[]);
    let data = running.data().display().to_string();
    let free = format!("127.0.0.1:{}", free_port());
    let (code, _, error) = run(&["store", "--data", &data, "--listen", &free]);
    assert_eq!(code, Some(2), "{error}");
}

#[test]
fn ctrl_c_finishes_what_is_under_way() {
    let mut running = Running::store(&["--callback-allow", "127.0.0.0/8"]);
    let client = StoreClient::at(&running.store);
    client.create_bucket("photos");
    let application = Application::answering(Reply::ok().after(Duration::from_secs(1)));
    let form = Form::signed("a", &PolicyText::open())
        .field("callback", application.callback("/", "a=1", "application/x-www-form-urlencoded"))
        .file("x", "a/b", "x");
    let store = running.store.clone();
    let upload = std::thread::spawn(move || form.post("photos").send(&store));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(running.interrupt(Duration::from_secs(15)), Some(0));
    assert_eq!(upload.join().unwrap().status, 200);
}

#[test]
fn upload_does_what_the_page_does() {
    let running = Running::serve(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("照片 1.txt");
    std::fs::write(&file, "hello").unwrap();
    let file = file.display().to_string();
    let to = format!("http://{}", running.app);
    let (code, out, error) = run(&["upload", &file, &file, "--to", &to, "--path", "user-dir/cli/"]);
    assert_eq!(code, Some(0), "{out}{error}");
    let keys = StoreClient::at(&running.store).keys("demo");
    assert_eq!(keys.len(), 2, "{keys:?}");
    assert!(keys.iter().all(|key| key.starts_with("user-dir/cli/") && key.ends_with(".txt")), "{keys:?}");
    assert!(keys.iter().all(|key| out.contains(key)), "{out}");
    let missing = folder.path().join("missing").display().to_string();
    let (code, _, error) = run(&["upload", &missing, "--to", &to]);
    assert!(code != Some(0) && error.contains("missing"), "{error}");
}

#[test]
fn serve_runs_on_ipv6_too() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        eprintln!("not tried: this machine has no IPv6");
        return;
    }
    let running = Running::serve_on_ipv6();
    let file = running.data().join("a.txt");
    std::fs::write(&file, "hello").unwrap();
    let to = format!("http://{}", running.app);
    let (code, out, error) = run(&["upload", &file.display().to_string(), "--to", &to]);
    assert_eq!(code, Some(0), "{out}{error}");
    assert!(out.contains("confirmed by the application"), "{out}");
}

#[test]
fn upload_keeps_a_name_as_far_as_a_form_can_carry_it_and_says_which_key_it_became() {
    let running = Running::serve(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("照\"片\n\\1.txt");
    std::fs::write(&file, "hello").unwrap();
    let file = file.display().to_string();
    let to = format!("http://{}", running.app);
    let (code, out, error) = run(&["upload", "--keep-name", &file, "--to", &to]);
    assert_eq!(code, Some(0), "{out}{error}");
    assert_eq!(StoreClient::at(&running.store).keys("demo"), ["user-dir/照_片__1.txt"]);
    assert!(out.contains("  user-dir/照_片__1.txt  "), "{out}");
    assert_eq!(out.lines().count(), 1, "a name does not break its line: {out}");
}

#[test]
fn an_upload_that_fails_says_so_in_one_line() {
    let running = Running::serve(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    std::fs::write(&file, "hello").unwrap();
    let file = file.display().to_string();
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let store = format!("http://{}", running.store);
    let app = format!("http://{}", running.app);
    let cases = [
        (
            nobody.as_str(),
            "",
            format!("the application server at {nobody} cannot be reached: Connection refused"),
        ),
        (&store, "", "404 Not Found came instead of a signature".to_owned()),
        (&app, "../x", "the application server refused (400 Bad Request): path contains".to_owned()),
    ];
    for (to, path, expected) in cases {
        let mut arguments = vec!["upload", &file, "--to", to];
        if !path.is_empty() {
            arguments.extend(["--path", path]);
        }
        let (code, out, error) = run(&arguments);
        assert_eq!(code, Some(1), "{to}: {out}{error}");
        assert!(error.contains(&format!("failed: {expected}")), "{to}: {error}");
        assert_eq!(error.lines().count(), 1, "{to}: {error}");
    }
}

#[test]
fn control_characters_in_the_applications_answer_are_escaped() {
    let application = Application::answering(Reply::status(
        200,
        "application/json",
        "{\"Status\":\"no\",\"message\":\"\\u001b[2Jone\\ntwo\"}",
    ));
    let running = Running::serve(&["--forward", &application.url()]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    std::fs::write(&file, "hello").unwrap();
    let to = format!("http://{}", running.app);
    let (code, _, error) = run(&["upload", &file.display().to_string(), "--to", &to]);
    assert_eq!(code, Some(3), "{error}");
    assert!(error.contains("\u{fffd}[2Jone\u{fffd}two") && !error.contains('\u{1b}'), "{error:?}");
}

#[test]
fn the_application_server_alone_signs_for_the_real_oss_and_wants_a_token_in_the_open() {
    let running = Running::app(&[
        "--host",
        "https://bucket.oss-cn-hangzhou.aliyuncs.com",
        "--callback-url",
        "http://app.example.com/callback",
        "--token",
        "s3cret",
    ]);
    assert_eq!(get(&running.app, "/signature").status, 401);
    assert_eq!(get(&running.app, "/uploads").status, 401);
    let signed = Exchange::get("/signature")
        .host(&running.app)
        .header("x-countersign-token", "s3cret")
        .send(&running.app);
    assert_eq!(signed.status, 200, "{}", signed.text());
    let signed = json(&signed.body);
    assert_eq!(signed["host"], "https://bucket.oss-cn-hangzhou.aliyuncs.com");
    assert!(signed["callback"].is_string());
}

#[test]
fn with_a_signature_hook_the_application_decides_and_the_pages_token_counts_for_nothing() {
    let grant = r#"{"user":"42","folder":"user-dir/42/"}"#;
    let application = Application::answering(Reply::status(200, "application/json", grant));
    let hook = application.url();
    // A proxy in front: everybody needs the token that is printed, or here what the application says.
    let running = Running::serve(&["--public-app-url", "http://up.example.com", "--signature-hook", &hook]);
    let signed = get(&running.app, "/signature?version=4&callback=0");
    assert_eq!(signed.status, 200, "{}", signed.text());
    let signed = json(&signed.body);
    assert_eq!(signed["dir"], "user-dir/42/");
    assert!(
        signed["callback"].is_string() && signed["accessid"].is_string(),
        "nothing is the caller's choice"
    );
    assert_eq!(get(&running.app, "/uploads").status, 200);
    assert_eq!(application.received().len(), 2, "each is asked about");
    assert_eq!(get(&running.app, "/serve.json").status, 401, "the page's own facts still want the token");
    assert_eq!(get(&running.app, "/open?key=user-dir/43/a").status, 404);
    assert_eq!(application.received().len(), 2);
}

#[test]
fn forwards_what_it_verified_and_relays_the_verdict() {
    let application = Application::answering(Reply::status(
        200,
        "application/json",
        r#"{"Status":"declined","message":"not today"}"#,
    ));
    let running = Running::serve(&["--forward", &application.url()]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    std::fs::write(&file, "hello").unwrap();
    let to = format!("http://{}", running.app);
    let (code, out, error) = run(&["upload", &file.display().to_string(), "--to", &to]);
    assert!(code != Some(0), "declined is no success: {out}");
    assert!(format!("{out}{error}").contains("not today"), "{out}{error}");
    let received = application.received();
    assert_eq!(received.len(), 1);
    assert!(received[0].text().contains("filename=user-dir%2F"), "{}", received[0].text());
}

#[test]
fn loopback_is_reached_past_a_proxy() {
    let running = Running::serve(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    std::fs::write(&file, "hello").unwrap();
    let to = format!("http://{}", running.app);
    let dead = format!("http://127.0.0.1:{}", free_port());
    let proxies = ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"]
        .map(|name| (name, dead.as_str()));
    let (code, out, error) = run_with(&["upload", &file.display().to_string(), "--to", &to], &proxies);
    assert_eq!(code, Some(0), "{out}{error}");
}

/// An application whose first signature has run out and whose others have not, as happens to a device whose clock is
/// wrong or that slept on the way.
fn application_that_was_slow_once(host: &str) -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    use std::io::{Read as _, Write as _};
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("http://{}/signature", listener.local_addr().unwrap());
    let (host, count) = (host.to_owned(), std::sync::Arc::clone(&asked));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _head = stream.read(&mut [0; 8192]);
            let seconds = if count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 { -10 } else { 60 };
            let end = expiration(seconds);
            let policy = PolicyText::of(format!(
                r#"{{"expiration":"{end}","conditions":[["starts-with","$key","late/"]]}}"#
            ));
            let signature = sign_policy_v1(ACCESS_KEY_SECRET, &policy);
            let body = format!(
                r#"{{"accessid":"{ACCESS_KEY_ID}","host":"{host}","policy":"{}","signature":"{signature}","dir":"late/"}}"#,
                policy.0
            );
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
            let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    (to, asked)
}

#[test]
fn upload_asks_for_a_fresh_signature_once_when_the_first_had_run_out() {
    let running = Running::store(&[]);
    let store = StoreClient::at(&running.store);
    store.create_bucket("photos");
    let (to, asked) = application_that_was_slow_once(&format!("http://{}/photos", running.store));
    let file = running.data().join("a.txt");
    std::fs::write(&file, "hello").unwrap();
    let (code, out, error) = run(&["upload", &file.display().to_string(), "--to", &to]);
    assert_eq!((code, asked.load(std::sync::atomic::Ordering::SeqCst)), (Some(0), 2), "{out}{error}");
    assert_eq!(store.keys("photos").len(), 1);
}

#[test]
fn serve_warns_at_its_start_of_a_callback_that_could_not_be_delivered() {
    let running = Running::serve(&["--callback-url", "http://no-such-host.invalid/done"]);
    let warned = "the configured callback could not be delivered";
    for _ in 0..200 {
        if running.printed().contains(warned) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let printed = running.printed();
    let line = printed.lines().find(|line| line.contains(warned)).unwrap_or_else(|| panic!("{printed}"));
    assert!(line.contains("no-such-host.invalid"), "{line}");
}

#[test]
fn upload_takes_folders_and_reports_each_file_as_json_or_not_at_all() {
    let running = Running::serve(&[]);
    let folder = running.data().join("holiday");
    std::fs::create_dir_all(folder.join("day 1")).unwrap();
    std::fs::write(folder.join("a.txt"), "hello").unwrap();
    std::fs::write(folder.join("day 1/照片.txt"), "seven b").unwrap();
    let folder = folder.display().to_string();
    let to = format!("http://{}", running.app);
    let (code, out, error) = run(&["upload", &folder, "--to", &to, "--keep-name", "--json"]);
    assert_eq!(code, Some(0), "{out}{error}");
    let expected = ["user-dir/holiday/a.txt", "user-dir/holiday/day 1/照片.txt"];
    assert_eq!(StoreClient::at(&running.store).keys("demo"), expected);
    let mut lines: Vec<Value> = out.lines().map(|line| json(line.as_bytes())).collect();
    let total = lines.pop().unwrap();
    assert_eq!(total["total"], serde_json::json!({"files": 2, "succeeded": 2, "failed": 0, "bytes": 12}));
    let mut keys: Vec<&str> = lines.iter().map(|line| line["key"].as_str().unwrap()).collect();
    keys.sort_unstable();
    assert_eq!(keys, expected);
    assert!(lines.iter().all(|line| line["state"] == "confirmed"), "{out}");
    // Their names are taken now: quiet tells only that, and where it is explained.
    let (code, out, error) = run(&["upload", &folder, "--to", &to, "--keep-name", "--quiet"]);
    assert_eq!((code, out.as_str()), (Some(1), ""), "{error}");
    assert_eq!(error.matches("; see http://").count(), 2, "{error}");
    let below = ["upload", &folder, "--to", &to, "--path", "user-dir/2026"];
    let (code, out, error) = run(&below);
    assert_eq!(code, Some(0), "{error}");
    assert!(
        out.contains("  user-dir/2026/holiday/day 1/") && out.contains("\n2 of 2 files, 12 bytes\n"),
        "{out}"
    );
}

#[test]
fn upload_takes_its_token_from_the_environment() {
    let store = Running::store(&["--bucket", "photos"]);
    let host = format!("http://{}/photos", store.store);
    let running = Running::app(&["--host", &host, "--token", "s3cret"]);
    let file = running.data().join("a.txt");
    std::fs::write(&file, "hello").unwrap();
    let to = format!("http://{}", running.app);
    let file = file.display().to_string();
    let upload = |token: &str| run_with(&["upload", &file, "--to", &to], &[("COUNTERSIGN_TOKEN", token)]);
    let (code, out, error) = upload("s3cret");
    assert_eq!(code, Some(0), "{out}{error}");
    assert_eq!(upload("wrong-one").0, Some(1));
}
