//! The script that `docs/testing.md` shows for any language, run as the page says: curl, OpenSSL and a handler, under
//! `countersign exec`.

use std::path::Path;
use std::process::{Command, Output};

use countersign_conformance::running::binary_path;

const PAGES: [(&str, &str); 2] =
    [("docs/testing.md", "## Any language"), ("docs/testing.zh-CN.md", "## 任何语言")];
const LINES_MAX: usize = 25;

/// The script of a page's section.
fn script(page: &str, heading: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    let text = std::fs::read_to_string(root.join(page)).expect(page);
    let (_, section) = text.split_once(heading).expect("the section");
    let (_, fence) = section.split_once("```sh upload.sh\n").expect("the script");
    fence.split_once("```").expect("its end").0.to_owned()
}

fn executed(script: &str) -> (Output, Vec<String>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let temporary = folder.path().join("tmp");
    std::fs::create_dir(&temporary).expect("a folder");
    std::fs::write(folder.path().join("upload.sh"), script).expect("the script is written");
    let output = Command::new("timeout")
        .args(["60"])
        .arg(binary_path())
        .args(["exec", "--", "sh", "upload.sh"])
        .current_dir(folder.path())
        .env("TMPDIR", &temporary)
        .output()
        .expect("it is started");
    let left = std::fs::read_dir(&temporary).expect("the folder").flatten();
    (output, left.map(|entry| entry.path().display().to_string()).collect())
}

#[test]
fn the_script_for_any_language_passes_and_leaves_nothing() {
    let script = script(PAGES[0].0, PAGES[0].1);
    let (output, left) = executed(&script);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).matches("Verified OK").count(), 2, "{output:?}");
    assert_eq!(left, [] as [String; 0]);
}

#[test]
fn the_script_for_any_language_fails_when_an_answer_is_another() {
    let script = script(PAGES[0].0, PAGES[0].1);
    for (right, wrong) in [("size=5&", "size=6&"), (r#"+ b"\n" +"#, r#"+ b"\n\n" +"#), ("-eq 2", "-eq 3")] {
        let broken = script.replacen(right, wrong, 1);
        assert_ne!(broken, script, "{right}");
        assert!(!executed(&broken).0.status.success(), "{wrong}");
    }
}

#[test]
fn the_script_for_any_language_is_short_and_the_same_on_both_pages() {
    let [one, other] = PAGES.map(|(page, heading)| script(page, heading));
    assert_eq!(one, other);
    let lines = one.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines <= LINES_MAX, "{lines} lines");
}
