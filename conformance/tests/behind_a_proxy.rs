//! The store behind nginx and Caddy with TLS, run with the settings that `docs/deploy.md` gives.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use countersign_conformance::certificate;
use countersign_conformance::{
    ACCESS_KEY_ID, ACCESS_KEY_SECRET, PolicyText, Running, free_port, sign_policy_v1,
};

/// More than nginx lets through unless it is told to.
const FILE_BYTES: usize = 3_000_000;

/// The block of this language in both documents, which must not differ but in their remarks.
fn documented(language: &str) -> String {
    let read = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
        let text = std::fs::read_to_string(path).unwrap();
        let block = text.split(&format!("```{language}\n")).nth(1).unwrap();
        let lines = block.split("```").next().unwrap().lines();
        lines
            .filter(|line| !line.trim_start().starts_with('#'))
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    let (english, chinese) = (read("deploy.md"), read("deploy.zh-CN.md"));
    assert_eq!(english, chinese);
    english
}

/// A proxy in the foreground, ended when dropped.
struct Proxy(Child);

impl Proxy {
    fn start(program: &str, arguments: &[&str], folder: &Path) -> Proxy {
        let child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .env("HOME", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join(format!("{program}.log"))).unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}, which `cargo xtask test` installs: {error}"));
        Proxy(child)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Asked kindly, for nginx has children of its own.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// curl to the proxy under the documented name: the status and the body.
fn curl(folder: &Path, port: u16, path: &str, arguments: &[&str]) -> String {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "20", "--noproxy", "*", "--cacert", "cert.pem"])
        .args(["--write-out", " %{http_code}", "--resolve", &format!("store.example.com:{port}:127.0.0.1")])
        .args(arguments)
        .arg(format!("https://store.example.com:{port}{path}"))
        .current_dir(folder)
        .output()
        .unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// An upload larger than a proxy's own limit arrives, is answered by the store, and comes back.
fn takes_a_large_form(folder: &Path, port: u16, running: &Running) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let health = curl(folder, port, "/_countersign/healthz", &[]);
        if health.ends_with(" 200") {
            break;
        }
        assert!(Instant::now() < deadline, "{health}");
        std::thread::sleep(Duration::from_millis(50));
    }
    let policy = PolicyText::open();
    let key = format!("from-{port}");
    let fields = [
        format!("key={key}"),
        format!("OSSAccessKeyId={ACCESS_KEY_ID}"),
        format!("policy={}", policy.0),
        format!("signature={}", sign_policy_v1(ACCESS_KEY_SECRET, &policy)),
        "success_action_status=201".to_owned(),
        "file=@large.bin".to_owned(),
    ];
    let form: Vec<&str> = fields.iter().flat_map(|field| ["--form", field.as_str()]).collect();
    let answer = curl(folder, port, "/photos/", &form);
    assert!(answer.ends_with(" 201") && answer.contains("<PostResponse>"), "{answer}");
    let named = format!("key=\"{key}\"");
    let all = running.printed_with(&named, 1);
    let line = all.lines().find(|line| line.contains(&named)).unwrap_or_default();
    assert!(line.contains("status=201"), "{all}");
}

#[test]
fn the_documented_settings_of_nginx_and_caddy_let_large_forms_through() {
    let running = Running::store(&[
        "--bucket",
        "photos",
        "--domain",
        "store.example.com",
        "--trusted-proxy",
        "127.0.0.1",
    ]);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    certificate::make(folder, "store.example.com");
    std::fs::write(folder.join("large.bin"), vec![7; FILE_BYTES]).unwrap();
    let here = folder.display().to_string();
    let at_home = |settings: String| {
        settings
            .replace("/etc/ssl/store/chain.pem", &format!("{here}/cert.pem"))
            .replace("/etc/ssl/store/key.pem", &format!("{here}/key.pem"))
            .replace("127.0.0.1:9817", &running.store)
    };

    let port = free_port();
    let server =
        at_home(documented("nginx")).replace("listen 443 ssl;", &format!("listen 127.0.0.1:{port} ssl;"));
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {here}/{kind};\n"))
        .concat();
    let whole = format!(
        "user root;\ndaemon off;\npid {here}/nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{server}}}\n"
    );
    std::fs::write(folder.join("nginx.conf"), whole).unwrap();
    let nginx = Proxy::start("nginx", &["-p", &here, "-e", "stderr", "-c", "nginx.conf"], folder);
    takes_a_large_form(folder, port, &running);
    drop(nginx);

    let port = free_port();
    let site = at_home(documented("caddy"))
        .replace("store.example.com, *.store.example.com", &format!("store.example.com:{port}"));
    let whole = format!("{{\nadmin off\nauto_https disable_redirects\n}}\n{site}");
    std::fs::write(folder.join("Caddyfile"), whole).unwrap();
    let caddy = Proxy::start("caddy", &["run", "--config", "Caddyfile", "--adapter", "caddyfile"], folder);
    takes_a_large_form(folder, port, &running);
    drop(caddy);
}
