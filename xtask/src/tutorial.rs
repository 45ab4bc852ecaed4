//! Runs every fenced command of the tutorials, in order, in an empty folder, and compares what they print.
//!
//! A fence `sh` is run, all of one page in one shell; a fence that names a file (` ```python app.py `) is written to
//! it; a fence `text` is what the commands before it must print: each of its lines, in order, with `…` for whatever
//! differs from run to run. The ports that a page names are replaced by free ones.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, bail, ensure};

/// The pages, relative to the repository.
const PAGES: [&str; 2] = ["docs/tutorial.md", "docs/tutorial.zh-CN.md"];
/// The ports that the pages name.
const PORTS: [&str; 3] = ["9817", "9818", "8000"];
/// What separates the output of one fence from the next.
const MARK: &str = "--- end of fence ---";
/// The longest a page may take.
const SECONDS_MAX: &str = "120";

/// One fenced block of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fence {
    /// Commands for the shell.
    Commands(String),
    /// A file to write: its name and its text.
    File(String, String),
    /// What the commands before must print.
    Prints(String),
}

/// Runs the pages with the binary in `binaries`, or the release build of the repository.
pub(crate) fn run(root: &Path, binaries: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let binaries = binaries.unwrap_or_else(|| root.join("target/release"));
    let binaries = binaries.canonicalize().with_context(|| format!("there is no {}", binaries.display()))?;
    ensure!(binaries.join("countersign").is_file(), "there is no countersign in {}", binaries.display());
    for page in PAGES {
        let text = std::fs::read_to_string(root.join(page)).with_context(|| page.to_owned())?;
        let count = follow(&with_free_ports(&text)?, &binaries).with_context(|| page.to_owned())?;
        println!("{page}: {count} blocks of commands, and each printed what the page says");
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs one page in an empty folder; how many blocks of commands it had.
fn follow(text: &str, binaries: &Path) -> anyhow::Result<usize> {
    let fences = fences(text)?;
    let folder = tempfile::tempdir()?;
    for fence in &fences {
        if let Fence::File(name, content) = fence {
            std::fs::write(folder.path().join(name), content)?;
        }
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("timeout")
        .args([SECONDS_MAX, "bash", "-c", &script(&fences)])
        .current_dir(folder.path())
        .env("PATH", format!("{}:{path}", binaries.display()))
        .env("HOME", folder.path())
        .env("no_proxy", "127.0.0.1")
        .stdin(Stdio::null())
        .output()?;
    let printed =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "a command failed ({}):\n{printed}", output.status);
    compare(&fences, &printed)
}

/// All commands of a page as one script, which ends at the first that fails and leaves no process behind.
fn script(fences: &[Fence]) -> String {
    let mut script =
        "set -eu -o pipefail; exec 2>&1; trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n".to_owned();
    for fence in fences {
        if let Fence::Commands(commands) = fence {
            script += &format!("{commands}\necho '{MARK}'\n");
        }
    }
    script
}

/// Holds what was printed against what the page says; how many blocks of commands there were.
fn compare(fences: &[Fence], printed: &str) -> anyhow::Result<usize> {
    let mut outputs = printed.split(MARK);
    let (mut count, mut last) = (0, "");
    for fence in fences {
        match fence {
            Fence::Commands(_) => {
                last = outputs.next().unwrap_or_default();
                count += 1;
            }
            Fence::Prints(expected) => prints(expected, last)?,
            Fence::File(..) => {}
        }
    }
    ensure!(count > 0, "the page has no commands");
    Ok(count)
}

/// Each expected line occurs among the printed ones, in order.
fn prints(expected: &str, printed: &str) -> anyhow::Result<()> {
    let mut lines = printed.lines();
    for wanted in expected.lines() {
        if !lines.any(|line| fits(wanted, line.trim_end())) {
            bail!("this line is not printed:\n  {wanted}\nbut this is:\n{printed}");
        }
    }
    Ok(())
}

/// Whether a line is what is wanted, where `…` stands for any text.
fn fits(wanted: &str, line: &str) -> bool {
    let mut pieces = wanted.split('…');
    let Some(mut rest) = line.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let mut ends_open = false;
    for piece in pieces {
        ends_open = piece.is_empty();
        match rest.find(piece) {
            Some(at) => rest = rest.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    ends_open || rest.is_empty()
}

fn fences(page: &str) -> anyhow::Result<Vec<Fence>> {
    let mut fences = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let mut content = String::new();
        loop {
            match lines.next() {
                Some("```") => break,
                Some(inner) => content += &format!("{inner}\n"),
                None => bail!("a fence is never closed"),
            }
        }
        fences.push(match info.split_once(' ') {
            Some((_, name)) => Fence::File(name.to_owned(), content),
            None if info == "sh" => Fence::Commands(content),
            None if info == "text" => Fence::Prints(content),
            None => bail!("a fence of kind `{info}` is neither run nor compared"),
        });
    }
    Ok(fences)
}

/// The page with ports of this moment in place of those it names.
fn with_free_ports(page: &str) -> anyhow::Result<String> {
    let listeners: Vec<TcpListener> =
        PORTS.iter().map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    let mut text = page.to_owned();
    for (port, listener) in PORTS.iter().zip(&listeners) {
        text = text.replace(port, &listener.local_addr()?.port().to_string());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_taken_apart_into_files_commands_and_what_they_print() {
        let page = "text\n```python a.py\nx = 1\n```\n\n```sh\nls\n```\n\n```text\na.py\n```\n";
        let expected = [
            Fence::File("a.py".to_owned(), "x = 1\n".to_owned()),
            Fence::Commands("ls\n".to_owned()),
            Fence::Prints("a.py\n".to_owned()),
        ];
        assert_eq!(fences(page).unwrap(), expected);
        assert!(fences("```sh\nls\n").is_err());
        assert!(fences("```console\nls\n```\n").is_err());
    }

    #[test]
    fn what_is_printed_must_be_what_the_page_says() {
        assert!(fits("a … c", "a b c") && fits("a…", "abc") && fits("a", "a") && fits("…c", "abc"));
        assert!(!fits("a … c", "a b d") && !fits("a", "ab") && !fits("b…", "abc"));
        assert!(prints("one\nthree\n", "one\ntwo\nthree\n").is_ok());
        assert!(prints("three\none\n", "one\ntwo\nthree\n").is_err());
    }

    #[test]
    fn a_command_that_fails_or_prints_something_else_fails_the_page() {
        let nowhere = Path::new("/nonexistent");
        assert_eq!(follow("```sh\necho a\n```\n```text\na\n```\n", nowhere).unwrap(), 1);
        assert!(follow("```sh\necho a\n```\n```text\nb\n```\n", nowhere).is_err());
        assert!(follow("```sh\nfalse\ntrue\n```\n", nowhere).is_err());
        assert!(follow("no commands", nowhere).is_err());
    }
}
