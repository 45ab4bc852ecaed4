//! `serve` started bare, as its README says, with no address, no key and no data; and what a foreign client finds
//! there.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use countersign_conformance::running::{binary_path, get};
use countersign_conformance::{Exchange, Running};

/// A `serve` with nothing but a folder, and what it printed until it was ready.
struct Bare {
    child: Child,
    printed: String,
}

impl Bare {
    fn start(data: &Path, addresses: &[&str]) -> Bare {
        let mut child = Command::new(binary_path())
            .arg("serve")
            .args(addresses)
            .arg("--data")
            .arg(data)
            .env_remove("COUNTERSIGN_ACCESS_KEY_ID")
            .env_remove("COUNTERSIGN_ACCESS_KEY_SECRET")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut printed = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
            printed.push_str(&line);
            printed.push('\n');
            if line.contains("Ctrl-C") {
                break;
            }
        }
        Bare { child, printed }
    }

    /// `host:port` of the page, as printed.
    fn page(&self) -> String {
        let line = self.printed.lines().find(|line| line.starts_with("open this")).unwrap_or_default();
        line.split("http://").nth(1).unwrap_or_default().trim_end_matches('/').to_owned()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn makes_an_access_key_and_keeps_it_private_without_printing_it_into_a_pipe() {
    let any = ["--store", "127.0.0.1:0", "--app", "127.0.0.1:0"];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials.toml");
    let first = Bare::start(folder.path(), &any).printed.clone();
    let kept = std::fs::read_to_string(&file).unwrap();
    let secret =
        kept.lines().find(|line| line.contains("secret")).and_then(|line| line.split('"').nth(1)).unwrap();
    assert!(secret.len() >= 30, "{} letters", secret.len());
    assert!(!first.contains(secret), "standard output is no terminal here: {first}");
    assert!(first.contains(&file.display().to_string()), "{first}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let second = Bare::start(folder.path(), &any).printed.clone();
    assert!(!second.contains(secret), "{second}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), kept);
}

#[test]
fn default_ports_give_way_to_the_next_free_ones() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, other] = folders.each_ref().map(|folder| Bare::start(folder.path(), &[]));
    assert_ne!(one.page(), other.page());
    for running in [&one, &other] {
        assert_eq!(get(&running.page(), "/healthz").status, 200, "{}", running.printed);
    }
}

#[test]
fn refuses_a_foreign_host_name_that_resolves_to_this_machine() {
    let running = Running::serve(&[]);
    for target in ["/", "/signature", "/uploads", "/serve.json", "/open?key=a"] {
        let rebound = Exchange::get(target).host("evil.example:9818").send(&running.app);
        assert_eq!(rebound.status, 421, "{target}: {}", rebound.text());
    }
    assert_eq!(Exchange::get("/signature").host("localhost:9818").send(&running.app).status, 200);
}
