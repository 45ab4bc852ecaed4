//! Runs the suites one after the other, shows their output as it comes, and ends with one line per suite and
//! a line of totals. A suite that fails does not stop the others.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::suites::{self, Counting, Extent, Step, Suite};
use crate::system_packages::{self, Presence};
use crate::tally::Tally;

/// The exit code for "something the system must bring is missing".
const EXIT_MISSING: u8 = 3;

/// How a suite ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SuiteResult {
    Passed,
    Failed(String),
    Skipped(&'static str),
}

/// One line of the summary.
#[derive(Debug, Clone)]
struct Outcome {
    name: &'static str,
    verdict: SuiteResult,
    tally: Tally,
    took: Duration,
}

/// Runs all suites of this extent, or those named, and says with the exit code whether they passed.
pub(crate) fn run(root: &Path, only: &[String], extent: Extent) -> anyhow::Result<ExitCode> {
    if let Some(unknown) =
        only.iter().find(|name| !suites::ALL.iter().any(|suite| suite.name == name.as_str()))
    {
        anyhow::bail!("there is no suite named `{unknown}`; `cargo xtask test --list` names them all");
    }
    let named_long = |suite: &Suite| suite.full_only && only.iter().any(|name| name == suite.name);
    let needed = if suites::ALL.iter().any(named_long) { Extent::Full } else { extent };
    if let Presence::Missing(missing) = system_packages::ensure(needed)? {
        println!("These are missing, and are installed from here only as root on Debian:");
        for (package, purpose) in missing {
            println!("  {package:<16} {purpose}");
        }
        return Ok(ExitCode::from(EXIT_MISSING));
    }
    let chosen = |suite: &&Suite| match only {
        [] => extent == Extent::Full || !suite.full_only,
        names => names.iter().any(|name| name == suite.name),
    };
    let mut outcomes = Vec::new();
    for suite in suites::ALL.iter().filter(chosen) {
        println!("\n── {} ── {}", suite.name, suite.about);
        outcomes.push(run_suite(root, suite, extent));
    }
    Ok(report(&outcomes))
}

fn report(outcomes: &[Outcome]) -> ExitCode {
    let (text, all_passed) = summary(outcomes);
    print!("{text}");
    if all_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The lines at the end, and whether everything passed.
fn summary(outcomes: &[Outcome]) -> (String, bool) {
    let mut text = String::from("\n");
    let mut total = Tally::default();
    let mut all_passed = true;
    for outcome in outcomes {
        let counts = format!("{} passed, {} failed", outcome.tally.passed, outcome.tally.failed);
        let verdict = match &outcome.verdict {
            SuiteResult::Passed => format!("ok       {counts}"),
            SuiteResult::Failed(why) => format!("FAILED   {counts}: {why}"),
            SuiteResult::Skipped(why) => format!("skipped  {why}"),
        };
        text.push_str(&format!("{:<14} {:>7.1} s  {verdict}\n", outcome.name, outcome.took.as_secs_f64()));
        total.passed += outcome.tally.passed;
        total.failed += outcome.tally.failed;
        all_passed &= !matches!(outcome.verdict, SuiteResult::Failed(_));
    }
    text.push_str(&format!("{} passed, {} failed\n", total.passed, total.failed));
    (text, all_passed && total.failed == 0)
}

fn run_suite(root: &Path, suite: &Suite, extent: Extent) -> Outcome {
    let started = Instant::now();
    let mut tally = Tally::default();
    let verdict = match suite.only_if {
        Some(condition) if !succeeds(root, condition.probe) => SuiteResult::Skipped(condition.otherwise),
        _ => match run_steps(root, suite, extent, started, &mut tally) {
            Ok(()) => SuiteResult::Passed,
            Err(error) => SuiteResult::Failed(format!("{error:#}")),
        },
    };
    let (verdict, tally) = judge(suite.counting, verdict, tally);
    Outcome { name: suite.name, verdict, tally, took: started.elapsed() }
}

/// Brings verdict and numbers together: a failed suite has at least one failure, a suite of tests that ran
/// none has failed, and failures that a runner reports are believed over its exit code.
fn judge(counting: Counting, verdict: SuiteResult, mut tally: Tally) -> (SuiteResult, Tally) {
    match verdict {
        SuiteResult::Skipped(why) => (SuiteResult::Skipped(why), Tally::default()),
        SuiteResult::Failed(why) => {
            tally.failed = tally.failed.max(1);
            (SuiteResult::Failed(why), tally)
        }
        SuiteResult::Passed if counting == Counting::OneCheck => {
            (SuiteResult::Passed, Tally { passed: 1, failed: 0 })
        }
        SuiteResult::Passed if tally.failed > 0 => (SuiteResult::Failed("tests failed".to_owned()), tally),
        SuiteResult::Passed if tally.passed == 0 => {
            (SuiteResult::Failed("no test ran".to_owned()), Tally { passed: 0, failed: 1 })
        }
        SuiteResult::Passed => (SuiteResult::Passed, tally),
    }
}

fn run_steps(
    root: &Path,
    suite: &Suite,
    extent: Extent,
    started: Instant,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let limit = Duration::from_secs(suite.minutes_max * 60);
    for step in suite.steps {
        let command = match *step {
            Step::Run(command) => command,
            Step::Full(command) if extent == Extent::Full => command,
            Step::Full(_) => continue,
            Step::Install { probe, .. } if succeeds(root, probe) => continue,
            Step::Install { install, .. } => install,
            Step::Either { probe, then, .. } if succeeds(root, probe) => then,
            Step::Either { otherwise, .. } => otherwise,
        };
        let mut process = prepare(root, &root.join(suite.folder), command)?;
        process.envs(suite.environment.iter().copied());
        let left = limit.saturating_sub(started.elapsed());
        run_shown(&mut process, left, tally).with_context(|| format!("`{}`", command.join(" ")))?;
    }
    Ok(())
}

fn succeeds(root: &Path, command: &[&str]) -> bool {
    let Ok(mut process) = prepare(root, root, command) else { return false };
    process.stdout(Stdio::null()).stderr(Stdio::null());
    // A probe that asks the network must not hold the others up.
    let Ok(mut child) = process.spawn() else { return false };
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(60) {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(Duration::from_millis(20)),
            Err(_) => return false,
        }
    }
    stop(&mut child);
    false
}

/// A command with no input, in the suite's folder, with our own tools before the system's, and told where the
/// binary under test is.
fn prepare(root: &Path, folder: &Path, command: &[&str]) -> anyhow::Result<Command> {
    let (program, arguments) = command.split_first().context("an empty command")?;
    let tools = root.join("target/tools/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(tools.clone()).chain(std::env::split_paths(&path)))?;
    // The program is looked up by the caller's path and folder, not by those just made, so it is named in full.
    let own = tools.join(program);
    let mut process = if program.contains('/') {
        Command::new(folder.join(program))
    } else if own.is_file() {
        Command::new(own)
    } else {
        Command::new(program)
    };
    process.args(arguments).current_dir(folder).env("PATH", path).stdin(Stdio::null());
    process.env("COUNTERSIGN_BIN", build_folder(root).join("release/countersign"));
    Ok(process)
}

/// Where cargo puts what it builds.
pub(crate) fn build_folder(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// Runs a command to its end or its time limit, showing and reading every line of its output.
fn run_shown(process: &mut Command, limit: Duration, tally: &mut Tally) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut child =
        process.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("cannot be started")?;
    let (sender, lines) = channel();
    if let Some(output) = child.stdout.take() {
        read_lines(output, sender.clone());
    }
    if let Some(output) = child.stderr.take() {
        read_lines(output, sender);
    }
    let status = loop {
        show_lines(&lines, Duration::from_millis(100), tally);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > limit {
            stop(&mut child);
            anyhow::bail!("stopped: it took longer than its time limit");
        }
    };
    // What the pipes still hold; a process left behind may keep them open, so not for ever.
    while show_lines(&lines, Duration::from_secs(2), tally) {}
    anyhow::ensure!(status.success(), "ended with {status}");
    Ok(())
}

/// Shows the lines that arrive, until none does for `quiet`. Says whether more may come.
fn show_lines(lines: &Receiver<String>, quiet: Duration, tally: &mut Tally) -> bool {
    loop {
        match lines.recv_timeout(quiet) {
            Ok(line) => {
                // A reader that went away is no reason to stop testing.
                let _ = writeln!(std::io::stdout(), "{line}");
                tally.read(&line);
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return false,
        }
    }
}

fn read_lines(output: impl Read + Send + 'static, sender: Sender<String>) {
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
            if sender.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
}

/// Asks a process to end, then ends it.
fn stop(child: &mut Child) {
    let _ = Command::new("kill").arg(child.id().to_string()).status();
    for _ in 0..100 {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests;
