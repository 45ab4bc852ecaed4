//! Writes the results of a run: the rows with their goals, the figures behind them, and the document that holds both.
//!
//! The part of `docs/performance.md` from the heading "What was tried" on is written by hand and kept.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use super::measurements::Measurements;
use super::peers::Peer;

const DOCUMENT: &str = "docs/performance.md";
/// From this line on the document is written by hand.
const KEPT_FROM: &str = "## What was tried";

/// Whether a goal was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
enum GoalResult {
    Met,
    NotMet,
    /// Why there is no figure.
    NotMeasured(String),
}

/// One row of the table.
#[derive(Debug, Clone)]
struct Line {
    work: String,
    goal: String,
    measured: String,
    ratio: String,
    verdict: GoalResult,
}

/// A goal as a bound on a ratio or a figure.
#[derive(Debug, Clone, Copy)]
pub(super) enum Goal {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
}

impl Goal {
    fn is_met_by(self, figure: f64) -> bool {
        match self {
            Goal::AtLeast(least) => figure >= least,
            Goal::AtMost(most) => figure <= most,
        }
    }
}

/// What one group of rows comes to.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    name: &'static str,
    lines: Vec<Line>,
    figures: String,
}

impl Outcome {
    /// Of this group, still empty.
    pub(super) fn of(name: &'static str) -> Outcome {
        Outcome { name, lines: Vec::new(), figures: String::new() }
    }

    /// A row whose goal is a bound on `ratio`; `measured` tells the figures in it.
    pub(super) fn row(
        &mut self,
        (work, goal_text, goal): (&str, &str, Goal),
        measured: Result<(String, f64), String>,
    ) {
        let (measured, ratio, verdict) = match measured {
            Ok((measured, figure)) => {
                let verdict = if goal.is_met_by(figure) { GoalResult::Met } else { GoalResult::NotMet };
                (measured, short(figure), verdict)
            }
            Err(why) => ("–".to_owned(), "–".to_owned(), GoalResult::NotMeasured(why)),
        };
        self.lines.push(Line { work: work.to_owned(), goal: goal_text.to_owned(), measured, ratio, verdict });
    }

    /// The whole group has no figures, for this reason.
    pub(super) fn not_measured(&mut self, work: &str, why: &str) {
        self.row((work, "–", Goal::AtLeast(0.0)), Err(why.to_owned()));
    }

    /// Adds the table of medians behind the rows.
    pub(super) fn medians(&mut self, measurements: &Measurements) {
        self.figures.push_str(&medians_table(measurements));
        for failure in measurements.failures() {
            self.note(&failure);
        }
    }

    /// Adds a sentence behind the rows.
    pub(super) fn note(&mut self, sentence: &str) {
        println!("{sentence}");
        self.figures.push_str(&format!("\n{}\n", one_cell(sentence)));
    }
}

/// One run.
pub(super) struct Run {
    /// As it was called.
    pub(super) command: String,
    /// Lines about the machine.
    pub(super) machine: Vec<String>,
    /// How long it took.
    pub(super) took: Duration,
    /// The groups.
    pub(super) outcomes: Vec<Outcome>,
}

/// The command that makes such a run.
pub(super) fn command(seconds: f64, rounds: usize, rows: &[String]) -> String {
    let rows = if rows.is_empty() { String::new() } else { format!(" --rows {}", rows.join(",")) };
    format!("cargo xtask bench --seconds {seconds} --rounds {rounds}{rows}")
}

/// The table of goals.
pub(super) fn text(outcomes: &[Outcome]) -> String {
    let mut text =
        String::from("| work | goal | measured | ratio or figure | met |\n|---|---|---|---|---|\n");
    for line in outcomes.iter().flat_map(|outcome| &outcome.lines) {
        let met = match &line.verdict {
            GoalResult::Met => "yes".to_owned(),
            GoalResult::NotMet => "**no**".to_owned(),
            GoalResult::NotMeasured(why) => one_cell(why),
        };
        let Line { work, goal, measured, ratio, .. } = line;
        text.push_str(&format!("| {work} | {goal} | {measured} | {ratio} | {met} |\n"));
    }
    text
}

/// Writes the document around what is written by hand.
pub(super) fn write(root: &Path, run: &Run) -> anyhow::Result<()> {
    let path = root.join(DOCUMENT);
    let former = std::fs::read_to_string(&path).unwrap_or_default();
    std::fs::write(&path, document(run, &former)).with_context(|| format!("writing {DOCUMENT}"))?;
    println!("wrote {DOCUMENT}");
    Ok(())
}

fn document(run: &Run, former: &str) -> String {
    let machine: String = run.machine.iter().map(|line| format!("* {line}\n")).collect();
    let missing: String = Peer::missing().iter().map(|line| format!("* {line}\n")).collect();
    let durable: String = [Peer::Countersign, Peer::Reference, Peer::Nginx, Peer::Garage]
        .iter()
        .map(|peer| format!("| {} | {} |\n", peer.name(), peer.durability()))
        .collect();
    let figures: String = run
        .outcomes
        .iter()
        .filter(|outcome| !outcome.figures.is_empty())
        .map(|outcome| format!("\n### {}\n{}", outcome.name, outcome.figures))
        .collect();
    format!(
        "# Performance\n\n\
         Written by `{}` in {:.0} minutes; all but the last section, which is written by hand. Every ratio is \
         between medians of one run, the peers measured in turn (A B A B), the load generator on the same \
         machine. Goals are those that the project set itself; no test asserts them.\n\n\
         {machine}{missing}\n{}\n\
         ## What is on the disk when an upload is answered\n\n| | |\n|---|---|\n{durable}\n\
         ## The figures behind the table\n\n\
         Medians over the rounds. \"CPU\" is processor seconds of the server for 1,000 requests (and for a GB), \
         \"others\" how many cores everything else on the machine used meanwhile: rows are comparable where that \
         is small and alike. \"Written ÷ stored\" is what the block device was told to write for each byte of the \
         objects, where it was watched.\n{figures}\n{}",
        run.command,
        run.took.as_secs_f64() / 60.0,
        text(&run.outcomes),
        kept(former)
    )
}

/// What the former document has by hand.
fn kept(former: &str) -> &str {
    let from = if former.starts_with(KEPT_FROM) {
        Some(0)
    } else {
        former.find(&format!("\n{KEPT_FROM}")).map(|at| at + 1)
    };
    from.and_then(|from| former.get(from..)).unwrap_or("## What was tried\n")
}

fn medians_table(measurements: &Measurements) -> String {
    let mut table = String::from(
        "\n| case | peer | per second | MB/s | p50 ms | p99 ms | p99.9 ms | longest ms | CPU s/1,000 | CPU s/GB | written ÷ stored | peak MiB | others | runs |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for (peer, case) in measurements.measured() {
        let of = |figure: &dyn Fn(&super::instrument::LoadFigures) -> f64| {
            short(measurements.median(peer, &case, figure).unwrap_or(0.0))
        };
        let cells = [
            of(&|f| f.per_second),
            of(&|f| f.megabytes_per_second),
            of(&|f| f.p50_ms),
            of(&|f| f.p99_ms),
            of(&|f| f.p99_9_ms),
            of(&|f| f.longest_ms),
            of(&|f| f.cpu_per_thousand()),
            of(&|f| {
                f.server_cpu_seconds * 1000.0 / (f.megabytes_per_second * f.requests as f64 / f.per_second)
            }),
            of(&|f| f.written_per_stored.unwrap_or(f64::NAN)),
            of(&|f| f.server_peak_resident_bytes as f64 / f64::from(1 << 20)),
            of(&|f| f.other_cpu_cores),
        ];
        let runs = measurements.runs(peer, &case);
        table.push_str(&format!("| {case} | {} | {} | {runs} |\n", peer.name(), cells.join(" | ")));
    }
    table
}

/// Three figures that count.
pub(super) fn short(figure: f64) -> String {
    let size = figure.abs();
    match size {
        _ if !figure.is_finite() => "–".to_owned(),
        _ if size >= 1000.0 => {
            let digits = format!("{figure:.0}");
            let (thousands, rest) = digits.split_at(digits.len() - 3);
            format!("{thousands},{rest}")
        }
        _ if size >= 100.0 => format!("{figure:.0}"),
        _ if size >= 10.0 => format!("{figure:.1}"),
        _ if size >= 0.1 || size == 0.0 => format!("{figure:.2}"),
        _ => format!("{figure:.3}"),
    }
}

/// Words that stay within a cell of a table.
fn one_cell(words: &str) -> String {
    let line: String = words.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "/");
    line.chars().take(300).collect()
}

#[cfg(test)]
mod tests;
