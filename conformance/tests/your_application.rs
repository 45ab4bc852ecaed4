//! `docs/your-application.md`, run as it stands: the application in PHP behind `--signature-hook` and `--forward`, and the
//! receiver's check in three languages.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_conformance::form::Form;
use countersign_conformance::running::{Running, free_port};
use countersign_conformance::wire::Exchange;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

const PAGE: &str = include_str!("../../docs/your-application.md");
const CHINESE_PAGE: &str = include_str!("../../docs/your-application.zh-CN.md");
const SECRET: &str = "a-secret-of-both-sides";

/// The first block of that language in the page that begins so.
fn block(language: &str, beginning: &str) -> &'static str {
    let fence = format!("```{language}\n{beginning}");
    let at = PAGE.find(&fence).expect("the page shows it") + language.len() + 4;
    let code = PAGE[at..].split("\n```").next().expect("ended");
    assert!(CHINESE_PAGE.contains(code), "the Chinese page shows the same");
    code
}

/// The application of the page, on a port of its own.
struct Php {
    child: Child,
    address: String,
}

impl Php {
    fn start(folder: &Path, secret_file: &Path) -> Php {
        let (script, address) = (folder.join("application.php"), format!("127.0.0.1:{}", free_port()));
        std::fs::write(&script, block("php", "<?php")).expect("written");
        let child = Command::new("php")
            .arg("-d")
            .arg(format!("session.save_path={}", folder.display()))
            .args(["-S", &address])
            .arg(&script)
            .env("FORWARD_SECRET_FILE", secret_file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("php starts; Debian's package is php-cli");
        let php = Php { child, address };
        let deadline = Instant::now() + Duration::from_secs(20);
        while Exchange::get("/").host(&php.address).try_send(&php.address).is_err() {
            assert!(Instant::now() < deadline, "php is not ready after 20 s");
            std::thread::sleep(Duration::from_millis(10));
        }
        php
    }

    /// The cookie of a session of this user's.
    fn login(&self, user: &str) -> String {
        let answer = Exchange::new("POST", "/login")
            .host(&self.address)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(format!("user={user}").into_bytes())
            .send(&self.address);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mut cookies = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
        let last = cookies.next_back().expect("a session").1.clone();
        last.split(';').next().expect("a cookie").to_owned()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Php {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn asked(app: &str, target: &str, cookie: Option<&str>) -> (u16, Value) {
    let request = Exchange::get(target).host(app);
    let request = match cookie {
        Some(cookie) => request.header("Cookie", cookie),
        None => request,
    };
    let answer = request.send(app);
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
}

/// Uploads what was signed, under another key if one is given.
fn upload(store: &str, signed: &Value, name: &str, key: Option<&str>) -> (u16, Value) {
    let fields = signed["fields"].as_array().expect("listed");
    let form = fields.iter().fold(Form::empty(), |form, field| {
        let (field, value) = (field[0].as_str().expect("a name"), field[1].as_str().expect("a value"));
        form.field(field, key.filter(|_| field == "key").unwrap_or(value))
    });
    let answer = form.file(name, "image/png", "x").post("demo").send(store);
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or_else(|_| json!(answer.text())))
}

fn mac(secret: &str, claims: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(format!("{claims}\n{body}").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs() as i64
}

/// Proofs of one body, and whether each is genuine.
fn proofs(body: &str) -> Vec<(String, bool)> {
    let claims = |user: &str, time: i64| {
        STANDARD.encode(
            json!({ "time": time, "user": user, "folder": "user/42/", "values": { "x:album": "海" } })
                .to_string(),
        )
    };
    let (good, other, old) = (claims("42", now()), claims("43", now()), claims("42", now() - 3600));
    let genuine = mac(SECRET, &good, body);
    vec![
        (format!("{good} {genuine}"), true),
        (format!("{good} {} {genuine}", mac("the-secret-before-it", &good, body)), true),
        (format!("{good} {}", mac("the-secret-before-it", &good, body)), false),
        (format!("{other} {genuine}"), false),
        (format!("{good} {}", mac(SECRET, &good, "filename=user%2F42%2Fother")), false),
        (format!("{old} {}", mac(SECRET, &old, body)), false),
        (format!("{good} {}", genuine.to_uppercase()), false),
        (good.clone(), false),
        (format!("{good} "), false),
        (String::new(), false),
        (" ".to_owned(), false),
    ]
}

#[test]
fn with_php_sessions_each_user_reaches_his_own_folder_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret_file = folder.path().join("forward.secret");
    std::fs::write(&secret_file, format!("{SECRET}\n")).expect("written");
    let php = Php::start(folder.path(), &secret_file);
    let (hook, forward) = (php.url("/countersign/grant"), php.url("/countersign/uploaded"));
    let secret_file = secret_file.display().to_string();
    let arguments = ["--signature-hook", &hook, "--forward", &forward];
    let running = Running::serve(&[&arguments[..], &["--forward-secret-file", &secret_file]].concat());
    let (app, store) = (running.app.as_str(), running.store.as_str());
    let (as_42, as_43) = (php.login("42"), php.login("43"));
    let (as_42, as_43) = (Some(as_42.as_str()), Some(as_43.as_str()));

    assert_eq!(
        asked(app, "/signature", None),
        (401, json!({ "Status": "NotLoggedIn", "message": "log in first" }))
    );
    assert_eq!(asked(app, "/uploads", Some("PHPSESSID=made-up")).0, 401);
    for path in [
        "user/43/",
        "user/",
        "user/42/../43/",
        "user/42/%2e%2e/43",
        "user//43",
        "user/4",
        "user/420/",
        "%2Fuser%2F43",
    ] {
        let (status, refused) = asked(app, &format!("/signature?path={path}"), as_42);
        assert_eq!((status, &refused["Status"]), (400, &json!("InvalidPath")), "{path}");
    }
    let (_, of_42) = asked(app, "/signature?fields=1&path=user/42/holiday/", as_42);
    assert_eq!(of_42["dir"], "user/42/holiday/");
    assert_eq!(upload(store, &of_42, "a.png", Some("user/43/a.png")).0, 403, "the policy holds it too");
    let accepted =
        json!({ "Status": "OK", "owner": "42", "album": "holiday", "file": "user/42/holiday/a.png" });
    assert_eq!(upload(store, &of_42, "a.png", None), (200, accepted));
    let (_, of_43) = asked(app, "/signature?fields=1", as_43);
    assert_eq!(upload(store, &of_43, "b.png", None).1["owner"], "43");

    let keys = |cookie| {
        let (_, listed) = asked(app, "/uploads", cookie);
        let listed = listed["uploads"].as_array().expect("a list").clone();
        listed.iter().map(|upload| upload["key"].as_str().expect("a key").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys(as_42), ["user/42/holiday/a.png"]);
    assert_eq!(keys(as_43), ["user/43/b.png"]);
    assert_eq!(asked(app, "/uploads?key=user/43/b.png", as_42).1["uploads"], json!([]));
    assert_eq!(asked(app, "/open?key=user/43/b.png", as_42).0, 404, "no way past the application");

    let body = "filename=user%2F42%2Fa.png&size=1";
    for (secret, status) in [(SECRET, 200), ("a-secret-of-another-one", 403)] {
        let claims = json!({ "time": now(), "user": "42", "values": { "x:album": "" } });
        let claims = STANDARD.encode(claims.to_string());
        let answer = Exchange::new("POST", "/countersign/uploaded")
            .host(&php.address)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("X-Countersign-Proof", &format!("{claims} {}", mac(secret, &claims, body)))
            .body(body.as_bytes().to_vec())
            .send(&php.address);
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}

#[test]
fn the_receivers_checks_of_the_page_take_what_is_genuine_and_nothing_else() {
    let body = "filename=user%2F42%2Fa.png&size=1";
    let proofs = proofs(body);
    let input = json!(proofs.iter().map(|(proof, _)| proof).collect::<Vec<_>>()).to_string();
    let expected =
        proofs.iter().map(|(_, genuine)| if *genuine { "42\n" } else { "-\n" }).collect::<String>();
    let php = format!(
        "{}\nforeach (json_decode(stream_get_contents(STDIN)) as $proof) {{ $claims = claims_of($proof, '{body}', '{SECRET}'); echo $claims['user'] ?? '-', \"\\n\"; }}",
        block("php", "function")
    );
    let python = format!(
        "import base64, hmac, json, sys, time\n{}\nfor proof in json.load(sys.stdin):\n    print((claims_of(proof.encode(), b'{body}', b'{SECRET}') or {{}}).get('user', '-'))",
        block("python", "def")
    );
    let node = format!(
        "const crypto = require('node:crypto');\n{}\nfor (const proof of JSON.parse(require('node:fs').readFileSync(0))) console.log(claimsOf(proof, Buffer.from('{body}'), '{SECRET}')?.user ?? '-');",
        block("js", "function")
    );
    for (program, code) in [(&["php", "-r"], &php), (&["python3", "-c"], &python), (&["node", "-e"], &node)] {
        let mut child = Command::new(program[0])
            .args([program[1], code])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program[0]));
        child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("taken");
        let output = child.wait_with_output().expect("ended");
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{}", program[0]);
    }
}
