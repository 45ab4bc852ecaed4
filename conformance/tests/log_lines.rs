//! The log at its most talkative: every line can be read back by a program, the id of every request finds its lines,
//! and no secret that was sent is in it.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use countersign_conformance::application::{Application, Reply, callback_parameter};
use countersign_conformance::form::Form;
use countersign_conformance::running::{binary_path, free_port};
use countersign_conformance::signing::{PolicyText, sign_policy_v1, sign_policy_v4};
use countersign_conformance::store_client::StoreClient;
use countersign_conformance::wire::Exchange;
use countersign_conformance::{ACCESS_KEY_ID, ACCESS_KEY_SECRET, Answer};

/// What must not be found in a log, beside what is computed.
const TOKENS: [&str; 7] =
    ["urltoken1", "pathtoken7", "bodysecret2", "filesecret3", "ststoken4", "badsignature5", "replysecret6"];

/// A store that logs all that it can into a file.
struct Logging {
    child: Child,
    address: String,
    folder: tempfile::TempDir,
}

impl Logging {
    fn start(format: &str) -> Logging {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let data = folder.path().join("data");
        let mut command = Command::new(binary_path());
        command.args(["store", "--listen", &address, "--bucket", "photos", "--log-format", format, "--data"]);
        command.arg(&data).args(["--callback-allow", "127.0.0.1/32"]);
        command.env("COUNTERSIGN_LOG", "trace").env("COUNTERSIGN_ACCESS_KEY_ID", ACCESS_KEY_ID);
        command.env("COUNTERSIGN_ACCESS_KEY_SECRET", ACCESS_KEY_SECRET);
        command.stdout(Stdio::null()).stderr(File::create(folder.path().join("log")).unwrap());
        let logging = Logging { child: command.spawn().unwrap(), address, folder };
        let deadline = Instant::now() + Duration::from_secs(20);
        let health = Exchange::get("/_countersign/healthz").host(&logging.address);
        while !health.try_send(&logging.address).is_ok_and(|answer| answer.status == 200) {
            assert!(Instant::now() < deadline, "not ready after 20 s");
            std::thread::sleep(Duration::from_millis(20));
        }
        logging
    }

    /// Ends the store, which writes its last lines, and gives all of them.
    fn log(mut self) -> String {
        let ended = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(ended.success() && self.child.wait().unwrap().success());
        read(self.folder.path())
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(folder: &Path) -> String {
    String::from_utf8(fs::read(folder.join("log")).unwrap()).unwrap()
}

/// A form whose callback goes to this URL.
fn called_back(url: &str, policy: &PolicyText) -> Form {
    let callback =
        callback_parameter(url, "object=${object}&who=bodysecret2", "application/x-www-form-urlencoded");
    Form::signed("user-dir/a.txt", policy).field("callback", callback).file(
        "a.txt",
        "text/plain",
        "filesecret3",
    )
}

/// Everything that brings a secret; answers with the answers, and with what must not be in the log.
fn scenario(address: &str) -> (Vec<Answer>, Vec<String>) {
    let reply = Reply::status(200, "application/json", r#"{"said":"replysecret6"}"#);
    let application = Application::answering(reply);
    let policy = PolicyText::open();
    let signature = sign_policy_v1(ACCESS_KEY_SECRET, &policy);
    let mut secrets: Vec<String> = TOKENS.iter().map(|token| (*token).to_owned()).collect();
    secrets.extend([ACCESS_KEY_SECRET.to_owned(), policy.0.clone(), signature]);
    let send = |form: &Form| form.post("photos").send(address);
    let mut answers = vec![
        send(&called_back(&format!("{}/cb/pathtoken7?token=urltoken1", application.url()), &policy)),
        // Nothing listens there, and what may not be called: what failed is logged.
        send(&called_back(
            &format!("http://127.0.0.1:{}/cb/pathtoken7?token=urltoken1", free_port()),
            &policy,
        )),
        send(&called_back("http://10.0.0.1/cb/pathtoken7?token=urltoken1", &policy)),
        send(&called_back("ftp://127.0.0.1/cb/pathtoken7?token=urltoken1", &policy)),
        send(&Form::signed("b", &policy).without("signature").field("signature", "badsignature5").file(
            "b",
            "text/plain",
            "x",
        )),
    ];
    let date = jiff::Timestamp::now().strftime("%Y%m%d").to_string();
    let credential = format!("{ACCESS_KEY_ID}/{date}/cn-hangzhou/oss/aliyun_v4_request");
    let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let conditions = format!(
        r#"{{"x-oss-signature-version":"OSS4-HMAC-SHA256"}},{{"x-oss-credential":"{credential}"}},{{"x-oss-date":"{time}"}}"#
    );
    let policy = PolicyText::with(&conditions);
    let signature = sign_policy_v4(ACCESS_KEY_SECRET, &date, "cn-hangzhou", &policy);
    let form = Form::empty().field("key", "v4\nforged request_id=1").field("policy", &policy.0);
    let form =
        form.field("x-oss-signature-version", "OSS4-HMAC-SHA256").field("x-oss-credential", &credential);
    let form = form.field("x-oss-date", &time).field("x-oss-signature", &signature);
    answers.push(send(&form.file("c", "text/plain", "filesecret3")));
    secrets.extend([policy.0, signature]);
    let client = StoreClient::at(address);
    answers.push(client.request(
        "PUT",
        "photos",
        "put",
        "",
        &[("x-oss-security-token", "ststoken4")],
        "filesecret3",
    ));
    answers.push(client.request("PUT", "photos", "put", "", &[], "filesecret3"));
    answers.push(client.get("photos", "put"));
    for target in [
        "/photos/put?OSSAccessKeyId=conformance-id&Expires=4102444800&Signature=badsignature5",
        "/photos/put?x-oss-security-token=ststoken4&x-oss-signature=badsignature5",
        "/photos/a%0a2026-01-01T00:00:00Z%20ERROR%20forged%1b%5b2J%e2%80%ae?token=urltoken1",
    ] {
        answers.push(Exchange::get(target).host(address).send(address));
    }
    let signed = format!("OSS {ACCESS_KEY_ID}:badsignature5");
    answers.push(Exchange::get("/photos/put").host(address).header("Authorization", &signed).send(address));
    answers.push(Exchange::new("BREW", "/photos/put?token=urltoken1").host(address).send(address));
    assert_eq!(answers.iter().take(2).map(|answer| answer.status).collect::<Vec<_>>(), [200, 203]);
    (answers, secrets)
}

fn holds_no_secret_and_finds_every_request(log: &str, answers: &[Answer], secrets: &[String]) {
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(line, None, "{secret}");
    }
    for answer in answers {
        let id = answer.header("x-oss-request-id").unwrap();
        assert!(log.lines().filter(|line| line.contains(id)).count() >= 1, "{id} finds nothing");
    }
    // What failed far from its request says by its span whose it is.
    let id = answers[1].header("x-oss-request-id").unwrap();
    let failed = log.lines().find(|line| line.contains("a callback failed")).unwrap();
    assert!(failed.contains(id) && failed.contains("connect"), "{failed}");
    for word in
        ["callback_attempt", "judge", "connect", "send", "read", "stage", "authorise", "PostObject", "owner"]
    {
        assert!(log.contains(word), "no {word} in\n{log}");
    }
}

#[test]
fn text_lines_can_be_read_back_and_hold_no_secret() {
    let logging = Logging::start("text");
    let (answers, secrets) = scenario(&logging.address);
    let log = logging.log();
    holds_no_secret_and_finds_every_request(&log, &answers, &secrets);
    for line in log.lines() {
        let words = parse(line).unwrap_or_else(|| panic!("cannot be read: {line:?}"));
        assert!(!words.iter().any(|(name, _)| name == "forged"), "{line}");
    }
    assert!(log.lines().count() > answers.len());
}

#[test]
fn json_lines_can_be_read_back_and_hold_no_secret() {
    let logging = Logging::start("json");
    let (answers, secrets) = scenario(&logging.address);
    let log = logging.log();
    holds_no_secret_and_finds_every_request(&log, &answers, &secrets);
    for line in log.lines() {
        let parsed: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        for member in ["timestamp", "level", "target"] {
            assert!(parsed[member].is_string(), "{line}");
        }
    }
}

/// Reads a line of the text log by the grammar of `docs/deploy.md`:
/// `TIME LEVEL (SPAN{FIELDS}:)* TARGET: MESSAGE FIELDS`. Answers with all fields, those of spans among them.
fn parse(line: &str) -> Option<Vec<(String, String)>> {
    let (time, rest) = line.split_once(' ')?;
    time.parse::<jiff::Timestamp>().ok()?;
    let (level, mut rest) = rest.trim_start().split_once(' ')?;
    ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&level).then_some(())?;
    let mut fields = Vec::new();
    // Spans, one behind the other; a span without fields has no braces.
    loop {
        let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || "_:".contains(letter)))?;
        if !rest[end..].starts_with('{') {
            break;
        }
        rest = &rest[end + 1..];
        while !rest.starts_with('}') {
            let (field, behind) = take_field(rest.trim_start())?;
            fields.push(field);
            rest = behind;
        }
        rest = rest.strip_prefix("}:")?;
    }
    // The target, behind the names of spans without fields.
    let (_target, mut rest) = rest.trim_start().split_once(": ")?;
    if rest.starts_with('"') {
        rest = quoted(rest)?.1;
    } else {
        // The message is words without a sign that a field has.
        let fields_at = rest.find('=').map_or(rest.len(), |sign| rest[..sign].rfind(' ').map_or(0, |at| at));
        let (message, behind) = rest.split_at(fields_at);
        (!message.contains(['"', '{', '}', '\\'])).then_some(())?;
        rest = behind;
    }
    while !rest.is_empty() {
        let (field, behind) = take_field(rest.strip_prefix(' ').unwrap_or(rest))?;
        fields.push(field);
        rest = behind;
    }
    Some(fields)
}

/// `name=word` or `name="quoted"`, and what is behind it.
fn take_field(text: &str) -> Option<((String, String), &str)> {
    let (name, rest) = text.split_once('=')?;
    let is_name = !name.is_empty()
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_.".contains(letter));
    is_name.then_some(())?;
    if rest.starts_with('"') {
        let (value, behind) = quoted(rest)?;
        return Some(((name.to_owned(), value.to_owned()), behind));
    }
    let end = rest.find([' ', '}']).unwrap_or(rest.len());
    let (word, behind) = rest.split_at(end);
    (!word.is_empty() && !word.contains(['"', '=', '\\']))
        .then_some(((name.to_owned(), word.to_owned()), behind))
}

/// A quoted text without its quotes, and what is behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut escaped = false;
    for (at, letter) in inner.char_indices() {
        match letter {
            '"' if !escaped => return Some((&inner[..at], &inner[at + 1..])),
            _ if letter.is_control() => return None,
            _ => escaped = letter == '\\' && !escaped,
        }
    }
    None
}
