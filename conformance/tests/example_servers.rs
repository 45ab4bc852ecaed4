//! The application servers in `examples/`, one for each language: each is started as its README says, and then called
//! as a browser, the store and an attacker call it. One list of checks for all of them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_conformance::application::{Application, Received, Reply, callback_parameter};
use countersign_conformance::{
    ACCESS_KEY_ID, ACCESS_KEY_SECRET, Answer, Exchange, Form, Running, StoreClient, free_port,
};
use serde_json::Value;

const BUCKET: &str = "demo";
const KEY_PATH: &str = "/_countersign/callback_pub_key_v1.pem";
/// The path and query that the store calls: two parameters, so that their order can be changed.
const CALLED: &str = "/callback?b=2&a=1";
/// Bytes that no memory holds.
const HUGE_LENGTH: &str = "99999999999999";
const DECLINED: &str = "Only pictures are kept here.";

#[test]
fn the_server_in_php_signs_receives_and_refuses() {
    check(|place| {
        let sessions = format!("session.save_path={}", place.folder.display());
        command("php", &["-d", &sessions, "-S", &place.address, "server.php"], "php")
    });
}

#[test]
fn the_server_in_python_signs_receives_and_refuses() {
    check(|_| command("python3", &["server.py"], "python"));
}

#[test]
fn the_server_in_node_signs_receives_and_refuses() {
    check(|_| command("node", &["server.mjs"], "node"));
}

#[test]
fn the_server_in_go_signs_receives_and_refuses() {
    check(|place| {
        let program = place.folder.join("server").display().to_string();
        let built = command("go", &["build", "-o", &program, "main.go"], "go").status().expect("go starts");
        assert!(built.success(), "go build");
        command(&program, &[], "go")
    });
}

#[test]
fn the_server_in_java_signs_receives_and_refuses() {
    check(|_| command("java", &["Main.java"], "java"));
}

/// Eighty lines of code, where the language can: `examples/README.md` says where the lines of Go and Java go, what the
/// shortest is that was tried, and that Python's library has no RSA. What is told of it is what there is; a figure may
/// become smaller and no larger.
#[test]
fn every_server_has_as_many_lines_of_code_as_its_readme_says() {
    let told = ["README.md", "README.zh-CN.md"]
        .map(|name| std::fs::read_to_string(examples().join(name)).expect("the list of examples"));
    let page = std::fs::read_to_string(examples().join("../docs/adopt.md")).expect("docs/adopt.md");
    for (file, most, named) in [
        ("php/server.php", 80, "PHP and Python"),
        ("python/server.py", 80, "PHP and Python"),
        ("python/rsa_md5.py", 26, "(Python"),
        ("node/server.mjs", 80, "Node has"),
        ("go/main.go", 117, "Go"),
        ("java/Main.java", 118, "Java"),
    ] {
        let text = std::fs::read_to_string(examples().join(file)).expect(file);
        let code = lines_of_code(&text);
        assert!(code <= most, "{file}: {code} lines");
        assert!(page.contains(&format!("{named} {code}")), "docs/adopt.md: {file} has {code} lines");
        let row = format!("[`{}`]", file.split('/').next().expect("a folder"));
        for list in &told {
            let row = list.lines().find(|line| line.contains(&row)).expect("a row");
            let figures: Vec<&str> = row.split(['|', '+']).map(str::trim).collect();
            assert!(figures.contains(&code.to_string().as_str()), "{file} has {code} lines: {row}");
        }
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(120), "{file}: a line of {longest:?} letters, which no one reads");
    }
}

/// The first command of each README, on another port: `countersign exec` sets all that the server reads besides.
#[test]
fn every_server_starts_as_its_readme_says() {
    let programs = countersign_conformance::running::binary_path();
    let path = format!(
        "{}:{}",
        programs.parent().expect("a folder").display(),
        std::env::var("PATH").expect("PATH")
    );
    for language in ["php", "python", "node", "go", "java"] {
        let readme = std::fs::read_to_string(examples().join(language).join("README.md")).expect(language);
        let block =
            readme.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a command");
        let port = free_port().to_string();
        let mut shell =
            command("sh", &["-c", &format!("exec env {}", block.replace("8000", &port))], language);
        let mut child =
            shell.env("PATH", &path).stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("sh");
        let answer = first_upload(&format!("127.0.0.1:{port}"));
        let asked_to_end = Command::new("kill").arg(child.id().to_string()).status();
        let ended = child.wait().expect("it ends");
        assert!(asked_to_end.is_ok_and(|status| status.success()), "{language} ran until then: {ended}");
        assert_eq!(json(&answer)["Status"], "OK", "{language}: {}", answer.text());
    }
}

/// Logs in, asks for a form, and uploads with it, as soon as the application listens.
fn first_upload(address: &str) -> Answer {
    let deadline = Instant::now() + Duration::from_secs(60);
    while Exchange::get("/").host(address).try_send(address).is_err() {
        assert!(Instant::now() < deadline, "nothing listens on {address}");
        std::thread::sleep(Duration::from_millis(20));
    }
    let token = "a-long-random-token";
    let form = Exchange::new("POST", "/login").header("Content-Type", "application/x-www-form-urlencoded");
    let login = form.host(address).body(format!("token={token}")).send(address);
    let cookie =
        login.header("set-cookie").and_then(|cookie| cookie.split(';').next()).unwrap_or("none=0").to_owned();
    let asked = Exchange::get("/signature").host(address).header("Authorization", &format!("Bearer {token}"));
    let signed = json(&asked.header("Cookie", &cookie).send(address));
    let mut form = Form::empty();
    for (name, value) in signed["fields"].as_object().expect("fields") {
        form = form.field(name, value.as_str().expect("text"));
    }
    let store = signed["host"].as_str().and_then(|host| host.strip_prefix("http://")).expect("a host");
    let store = store.split('/').next().expect("an address");
    form.file("a.png", "image/png", "hello").post(BUCKET).send(store)
}

/// Every line but the empty ones and those that are nothing but a comment or a part of one.
fn lines_of_code(text: &str) -> usize {
    let is_python = text.contains("\ndef ");
    let (mut in_documentation, mut code) = (false, 0);
    for line in text.lines().map(str::trim) {
        let is_comment =
            ["//", "#", "/*", "*/", "* "].iter().any(|word| line.starts_with(word)) || line == "*";
        let delimiters = line.matches("\"\"\"").count();
        let documents = is_python && (in_documentation || line.starts_with("\"\"\""));
        in_documentation ^= documents && delimiters % 2 == 1;
        if !line.is_empty() && !is_comment && !documents {
            code += 1;
        }
    }
    code
}

#[test]
fn lines_of_code_exclude_comments_and_empty_lines() {
    let python = r#"
        """What it is,

        in lines.
        """

        import a  # for b
        # c
def d():
        """e"""
        return """f"""

def g(): ...
    "#;
    assert_eq!(lines_of_code(python), 4);
    let java = r#"
        import a;
        /** b
         * c
         */
        class D {
            // e
            String f = """
                {g}
                """;

        }
    "#;
    assert_eq!(lines_of_code(java), 6);
}

/// Where a server is started.
struct Place {
    folder: PathBuf,
    address: String,
}

/// A running example in front of a store, with a recorder between them that passes callbacks on.
struct Server {
    child: Child,
    store: Running,
    address: String,
    recorder: Application,
    printed: Arc<Mutex<String>>,
    /// The header by which user 42 is known.
    login: (&'static str, String),
    folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- what the example printed ---\n{}", self.printed());
        }
    }
}

fn check(start: impl FnOnce(&Place) -> Command) {
    let server = Server::start(start);
    server.signs_for_the_users_own_folder_only();
    server.answers_in_its_own_words_and_knows_what_it_said();
    server.refuses_keys_outside_of_the_folder();
    server.counts_a_repeated_callback_once();
    server.refuses_what_the_store_did_not_sign_so();
    server.refuses_a_key_at_another_address();
    server.refuses_headers_that_are_missing_or_twice_there();
    server.refuses_callbacks_for_forms_of_others();
    server.outlives_huge_bodies();
    let printed = server.printed().to_lowercase();
    assert_eq!(printed.matches("(again: false)").count(), 2, "recorded but once: {printed}");
}

impl Server {
    fn start(start: impl FnOnce(&Place) -> Command) -> Server {
        let store = Running::store(&["--callback-allow", "127.0.0.0/8"]);
        StoreClient::at(&store.store).create_bucket(BUCKET);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let key_file = folder.path().join("store_key.pem");
        std::fs::write(&key_file, Exchange::get(KEY_PATH).host(&store.store).send(&store.store).body)
            .expect("the key");
        let (port, uploads) = (free_port(), folder.path().join("uploads"));
        std::fs::create_dir(&uploads).expect("a folder");
        let address = format!("127.0.0.1:{port}");
        let to = address.clone();
        let recorder = Application::deciding(move |received| pass_on(received, &to));
        let mut child = start(&Place { folder: folder.path().to_owned(), address: address.clone() })
            .env("OSS_ENDPOINT", format!("http://{}", store.store))
            .env("OSS_REGION", "cn-hangzhou")
            .env("OSS_BUCKET", BUCKET)
            .env("OSS_ACCESS_KEY_ID", ACCESS_KEY_ID)
            .env("OSS_ACCESS_KEY_SECRET", ACCESS_KEY_SECRET)
            .env("COUNTERSIGN_CALLBACK_KEY_FILE", &key_file)
            .env("COUNTERSIGN_CALLBACK_KEY_URL", format!("http://{}{KEY_PATH}", store.store))
            .env("CALLBACK_URL", format!("{}{CALLED}", recorder.url()))
            .env("APP_TOKENS", "token-of-42=42&token-of-43=43")
            .env("APP_UPLOADS", &uploads)
            .env("PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the example starts");
        let printed = Arc::new(Mutex::new(String::new()));
        collect(child.stdout.take().expect("piped"), &printed);
        collect(child.stderr.take().expect("piped"), &printed);
        let login = ("Authorization", String::new());
        let mut server = Server { child, store, address, recorder, printed, login, folder };
        server.wait_until_it_listens();
        server.login = server.log_in();
        server
    }

    fn wait_until_it_listens(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while Exchange::get("/").host(&self.address).try_send(&self.address).is_err() {
            assert!(self.child.try_wait().expect("wait").is_none(), "it ended:\n{}", self.printed());
            assert!(Instant::now() < deadline, "it does not listen:\n{}", self.printed());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// PHP has sessions; the others know the token of a login.
    fn log_in(&self) -> (&'static str, String) {
        let form =
            Exchange::new("POST", "/login").header("Content-Type", "application/x-www-form-urlencoded");
        let answer = form.host(&self.address).body("token=token-of-42").send(&self.address);
        match answer.header("set-cookie").and_then(|cookie| cookie.split(';').next()) {
            Some(cookie) => ("Cookie", cookie.to_owned()),
            None => ("Authorization", "Bearer token-of-42".to_owned()),
        }
    }

    fn printed(&self) -> String {
        self.printed.lock().expect("not poisoned").clone()
    }

    /// What user 42 is answered.
    fn ask(&self, target: &str) -> (u16, Value) {
        let (name, value) = &self.login;
        let answer = Exchange::get(target).host(&self.address).header(name, value).send(&self.address);
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    /// The fields of a new form of user 42.
    fn form(&self) -> BTreeMap<String, String> {
        let (status, answer) = self.ask("/signature");
        assert_eq!((status, &answer["dir"]), (200, &"user/42/".into()), "{answer}");
        assert_eq!(answer["host"], format!("http://{}/{BUCKET}", self.store.store));
        serde_json::from_value(answer["fields"].clone()).expect("names and values")
    }

    /// Uploads with a new form of user 42, under another key where one is given.
    fn upload(&self, name: &str, content_type: &str, key: Option<&str>) -> Answer {
        let mut form = Form::empty();
        for (field, value) in self.form() {
            let value = key.filter(|_| field == "key").map_or(value, str::to_owned);
            form = form.field(&field, value);
        }
        form.file(name, content_type, "hello").post(BUCKET).send(&self.store.store)
    }

    /// The callback that came for a file in the folder of user 42 whose name begins so.
    fn callback_for(&self, name: &str) -> Received {
        let begin = format!("object=user%2F42%2F{name}");
        let received = self.recorder.received();
        received.into_iter().find(|callback| callback.text().starts_with(&begin)).expect("a callback came")
    }

    /// Sends a callback, changed in one way, straight to the application, and says with which status it answered;
    /// `None` where it closed the connection without an answer.
    fn send(&self, callback: &Received) -> Option<u16> {
        exchange_of(callback).try_send(&self.address).ok().map(|answer| answer.status)
    }

    fn assert_refused(&self, callback: &Received, why: &str) {
        let status = self.send(callback);
        assert!(!matches!(status, Some(200..300)), "{why}: {status:?}");
    }

    fn signs_for_the_users_own_folder_only(&self) {
        for target in ["/signature", "/uploads?key=user/42/a.png"] {
            for authorization in
                ["", "Bearer ", "Bearer token-of-4", "token-of-42x", "Bearer 42", "Bearer undefined"]
            {
                let asked = Exchange::get(target).host(&self.address).header("Authorization", authorization);
                assert_eq!(asked.send(&self.address).status, 401, "{target} {authorization:?}");
            }
        }
        for path in ["user/43/", "user/4", "/user/42/", "user/42", "user/", "user/421/", "%75ser/43/"] {
            assert_eq!(self.ask(&format!("/signature?path={path}")).0, 403, "{path}");
            assert_eq!(self.ask(&format!("/uploads?key={path}a.png")).0, 403, "{path}");
        }
        assert_eq!(self.ask("/signature?path=user/42/").0, 200);
        assert_eq!(self.ask("/uploads?key=user/42/a.png"), (200, Value::Null));
    }

    fn answers_in_its_own_words_and_knows_what_it_said(&self) {
        let picture = self.upload("a.png", "image/png", None);
        assert_eq!(
            (picture.status, json(&picture)["Status"].as_str()),
            (200, Some("OK")),
            "{}",
            picture.text()
        );
        let note = self.upload("note 笔记.txt", "text/plain", None);
        assert_eq!((note.status, json(&note)["message"].as_str()), (200, Some(DECLINED)), "{}", note.text());
        assert_eq!(self.ask("/uploads?key=user/42/a.png"), (200, json(&picture)));
        let encoded = "/uploads?key=user%2F42%2Fnote%20%E7%AC%94%E8%AE%B0.txt";
        assert_eq!(self.ask(encoded), (200, json(&note)));
        assert_eq!(self.upload("a.png", "image/png", None).status, 409, "what is there is not overwritten");
    }

    fn refuses_keys_outside_of_the_folder(&self) {
        for key in ["user/43/a.png", "user/42", "user/421/a.png", "a.png"] {
            assert_eq!(self.upload("a.png", "image/png", Some(key)).verdict(), "403 AccessDenied", "{key}");
        }
        // The policy permits these, as the store compares letters; the application has the last word.
        for key in ["user/42/../43/a.png", "user/42/deeper/a.png"] {
            assert_eq!(self.upload("a.png", "image/png", Some(key)).verdict(), "203 CallbackFailed", "{key}");
            assert_eq!(self.ask(&format!("/uploads?key={key}")), (200, Value::Null), "{key}");
        }
    }

    fn counts_a_repeated_callback_once(&self) {
        for (name, words) in [("a.png", "OK"), ("note", "Declined")] {
            for _ in 0..3 {
                let answer = exchange_of(&self.callback_for(name)).send(&self.address);
                assert_eq!((answer.status, json(&answer)["Status"].as_str()), (200, Some(words)));
            }
        }
    }

    fn refuses_what_the_store_did_not_sign_so(&self) {
        let genuine = self.callback_for("a.png");
        for target in [
            "/callback",
            "/callback?",
            "/callback?a=1&b=2",
            "/callback?b=2&a=1&",
            "/callback?b=2&a=%31",
            "/callback/?b=2&a=1",
            "//callback?b=2&a=1",
            "/./callback?b=2&a=1",
            "/x/../callback?b=2&a=1",
            "/Callback?b=2&a=1",
            "/uploads?b=2&a=1",
        ] {
            self.assert_refused(&Received { target: target.into(), ..genuine.clone() }, target);
        }
        for (from, to) in
            [("a.png", "b.png"), ("user%2F42", "user%2F43"), ("size=5", "size=6"), ("object", "x=1&object")]
        {
            let body = genuine.text().replace(from, to);
            assert_ne!(body, genuine.text(), "{from} is in it");
            self.assert_refused(&Received { body: body.into_bytes(), ..genuine.clone() }, to);
        }
        for addition in ["&", "\n", "&object=user%2F42%2Fb.png"] {
            let body = genuine.text() + addition;
            self.assert_refused(&Received { body: body.into_bytes(), ..genuine.clone() }, addition);
        }
        let forged = self.signed_by_another_key(&genuine);
        self.assert_refused(&with_header(&genuine, "authorization", &forged), "another key");
        for signature in ["AA==", "====", "%", "", &STANDARD.encode([0u8; 256]), &STANDARD.encode([1u8; 256])]
        {
            self.assert_refused(&with_header(&genuine, "authorization", signature), signature);
        }
    }

    fn refuses_a_key_at_another_address(&self) {
        let genuine = self.callback_for("a.png");
        let attacker = Application::answering(Reply::status(200, "text/plain", &self.other_public_key()));
        let forged = with_header(&genuine, "authorization", &self.signed_by_another_key(&genuine));
        let (store, path) = (&self.store.store, KEY_PATH);
        for url in [
            format!("{}{path}", attacker.url()),
            format!("http://{store}@127.0.0.1:{}{path}", attacker.port()),
            format!("http://{store}.evil.example{path}"),
            format!("http://evil-{store}{path}"),
            format!("https://{store}{path}"),
            format!("http://{store}{path}?x"),
            format!("http://{store}{path}#x"),
            format!("http://{store}/{path}"),
            format!("http://{store}"),
            "file:///etc/passwd".to_owned(),
            String::new(),
        ] {
            let named = STANDARD.encode(&url);
            self.assert_refused(&with_header(&forged, "x-oss-pub-key-url", &named), &url);
            self.assert_refused(&with_header(&genuine, "x-oss-pub-key-url", &named), &url);
        }
        assert!(attacker.received().is_empty(), "no key is ever fetched");
    }

    fn refuses_headers_that_are_missing_or_twice_there(&self) {
        let genuine = self.callback_for("a.png");
        let forged = STANDARD.encode([1u8; 256]);
        let elsewhere = STANDARD.encode("http://evil.example/key.pem");
        for (name, other) in [("authorization", &forged), ("x-oss-pub-key-url", &elsewhere)] {
            let mut without = genuine.clone();
            without.headers.retain(|(known, _)| known != name);
            self.assert_refused(&without, &format!("without {name}"));
            let value = genuine.header(name).expect("there").to_owned();
            for two in [[&value, other], [other, &value], [&value, &value]] {
                let mut twice = without.clone();
                twice.headers.extend(two.map(|value| (name.to_owned(), value.clone())));
                self.assert_refused(&twice, &format!("{name} twice"));
            }
        }
    }

    /// The store signs any callback of its customers, and the real OSS does with one key for all.
    fn refuses_callbacks_for_forms_of_others(&self) {
        let url = format!("{}{CALLED}", self.recorder.url());
        let facts = self.callback_for("a.png").text();
        let permit_of_42 = facts.split("permit=").nth(1).expect("a permit");
        for body in [
            "object=user%2F42%2Fforged.png&size=5&mimeType=image%2Fpng".to_owned(),
            "object=user%2F42%2Fforged.png&size=5&mimeType=image%2Fpng&permit=".to_owned(),
            "object=user%2F42%2Fforged.png&size=5&mimeType=image%2Fpng&permit=00".to_owned(),
            format!("object=user%2F43%2Fforged.png&size=5&mimeType=image%2Fpng&permit={permit_of_42}"),
            format!("object=forged.png&size=5&mimeType=image%2Fpng&permit={permit_of_42}"),
            "{}".to_owned(),
        ] {
            let callback = callback_parameter(&url, &body, "application/x-www-form-urlencoded");
            let headers = [("x-oss-callback", callback.as_str())];
            let answer = StoreClient::at(&self.store.store).request(
                "PUT",
                BUCKET,
                "theirs.png",
                "",
                &headers,
                "hello",
            );
            assert_eq!(answer.verdict(), "203 CallbackFailed", "{body}");
        }
        assert_eq!(self.ask("/uploads?key=user/42/forged.png"), (200, Value::Null));
    }

    fn outlives_huge_bodies(&self) {
        let genuine = self.callback_for("a.png");
        self.assert_refused(&Received { body: vec![b'a'; 10 << 20], ..genuine.clone() }, "ten megabytes");
        // PHP's development server reserves whatever length is promised, and ends when that is too much.
        if self.login.0 != "Cookie" {
            let promised = with_header(&genuine, "content-length", HUGE_LENGTH);
            exchange_of(&promised).send_part(&self.address, genuine.body.len()).expect("it listens");
        }
        assert_eq!(self.send(&genuine), Some(200), "and it goes on");
    }

    /// The authorization of this callback by a key of somebody else's.
    fn signed_by_another_key(&self, callback: &Received) -> String {
        let text = [callback.target.as_bytes(), b"\n", &callback.body].concat();
        STANDARD.encode(self.openssl(&["dgst", "-md5", "-sign", "other.pem"], &text))
    }

    fn other_public_key(&self) -> String {
        String::from_utf8(self.openssl(&["pkey", "-in", "other.pem", "-pubout"], b"")).expect("PEM")
    }

    fn openssl(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let key = self.folder.path().join("other.pem");
        if !key.exists() {
            run_openssl(self.folder.path(), &["genrsa", "-out", "other.pem", "2048"], b"");
        }
        run_openssl(self.folder.path(), arguments, input)
    }
}

fn run_openssl(folder: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl starts");
    child.stdin.take().expect("piped").write_all(input).expect("openssl reads");
    let output = child.wait_with_output().expect("openssl ends");
    assert!(output.status.success(), "openssl {arguments:?}");
    output.stdout
}

/// A command in an example's folder.
fn command(program: &str, arguments: &[&str], language: &str) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(examples().join(language));
    command
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

fn collect(stream: impl Read + Send + 'static, into: &Arc<Mutex<String>>) {
    let into = Arc::clone(into);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            into.lock().expect("not poisoned").push_str(&(line + "\n"));
        }
    });
}

/// A callback as it goes over the wire again.
fn exchange_of(callback: &Received) -> Exchange {
    let mut exchange = Exchange::new("POST", &callback.target).body(callback.body.clone());
    let length = callback.header("content-length").map(str::to_owned);
    for (name, value) in &callback.headers {
        // A body that was changed has its own length, unless the length is what was changed.
        let own = name != "content-length" || length.as_deref() == Some(HUGE_LENGTH);
        if own && name != "connection" {
            exchange = exchange.header(name, value);
        }
    }
    exchange
}

fn with_header(callback: &Received, name: &str, value: &str) -> Received {
    let mut changed = callback.clone();
    changed.headers.retain(|(known, _)| known != name);
    changed.headers.push((name.into(), value.into()));
    changed
}

/// Passes a callback on, and the answer back with the application's own headers: a length that it lacks is not added.
fn pass_on(callback: &Received, to: &str) -> Reply {
    let Ok(answer) = exchange_of(callback).try_send(to) else { return Reply::Bytes(Vec::new()) };
    let mut head = format!("HTTP/1.1 {} Answer\r\n", answer.status);
    for (name, value) in answer.headers.iter().filter(|(name, _)| name != "transfer-encoding") {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    Reply::Bytes([head.as_bytes(), b"\r\n", &answer.body].concat())
}

fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("not JSON: {}", answer.text()))
}
