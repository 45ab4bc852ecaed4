//! `cargo xtask crash`: the exhaustive form of the crash tests, every state and none drawn, with the sum of the
//! counts.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::Context as _;

/// What is summed up: the words after each number in a scenario's line.
const COUNTED: &[&str] = &["sync points frozen", "states tried", "kills"];

/// Runs it.
pub(crate) fn run(root: &Path) -> anyhow::Result<ExitCode> {
    let mut tests = Command::new("cargo")
        .args(["test", "--release", "--quiet", "--package", "countersign-crashfs", "--test", "power_loss"])
        .args(["--", "--nocapture", "--test-threads=1"])
        .env("COUNTERSIGN_CRASH", "all")
        .current_dir(root)
        .stdout(Stdio::piped())
        .spawn()
        .context("starting cargo")?;
    let lines = BufReader::new(tests.stdout.take().context("no output of cargo")?).lines();
    let mut sums = vec![0; COUNTED.len()];
    for line in lines {
        let line = line.context("reading the output of the tests")?;
        println!("{line}");
        for (sum, words) in sums.iter_mut().zip(COUNTED) {
            *sum += number_before(&line, words).unwrap_or(0);
        }
    }
    let passed = tests.wait().context("waiting for cargo")?.success();
    let sums: Vec<String> = sums.iter().zip(COUNTED).map(|(sum, words)| format!("{sum} {words}")).collect();
    println!("crash: {}; {}", sums.join(", "), if passed { "the word was kept" } else { "FAILED" });
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The number right before these words.
fn number_before(line: &str, words: &str) -> Option<u64> {
    let (before, _) = line.split_once(words)?;
    before.trim_end().rsplit(|sign: char| !sign.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_a_scenario_are_found_in_its_line() {
        let line = "large uploads: 131 entries, 22 sync points frozen, 380 states tried (34 after a second power loss), 34 kills";
        let counts: Vec<_> = COUNTED.iter().map(|words| number_before(line, words)).collect();
        assert_eq!(counts, [Some(22), Some(380), Some(34)]);
        assert_eq!(number_before("test result: ok.", "kills"), None);
    }
}
