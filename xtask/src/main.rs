//! The project's own commands. `cargo xtask tidy` holds the house rules, `cargo xtask test` runs everything
//! that must pass, in the order and in the way that continuous integration does: there is no second recipe.
//! `cargo xtask dist` makes the packages. `cargo xtask bench` measures the store beside its reference and its peers;
//! `fuzz` and `soak` run long.

mod bench;
mod crash;
mod dist;
mod documents;
mod fuzzing;
mod patches;
mod soaking;
mod source_tree;
mod suite_run;
mod suites;
mod system_packages;
mod tally;
mod tidy;
mod tutorial;
mod violation;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

/// The commands of the repository itself.
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check import arrows, sizes and names against the house rules.
    Tidy,
    /// Print which file uses which in a package, such as `crates/server`.
    Rooms {
        /// The package's folder.
        place: PathBuf,
    },
    /// Run everything that must pass; exactly what continuous integration runs.
    Test {
        /// Run only the suites of these names (see `--list`).
        #[arg(long = "only", value_name = "SUITE")]
        only: Vec<String>,
        /// Run the long forms too: the suites and steps that `--list` marks.
        #[arg(long)]
        full: bool,
        /// Print the names of the suites and stop.
        #[arg(long)]
        list: bool,
    },
    /// Make what is published, in `target/dist`: the wheel, the npm tarballs, the Debian package and the OCI image.
    Dist(dist::DistArguments),
    /// Play a power loss and a kill at every point of every scenario of the crash device; takes minutes.
    Crash,
    /// Measure Countersign, its bare reference, nginx and garage in turn, and write `docs/performance.md`.
    Bench(Box<bench::BenchOptions>),
    /// Fuzz the wire, one target after the other.
    Fuzz(fuzzing::FuzzArguments),
    /// Apply each committed patch to a copy of the repository and compile it there.
    Patches(patches::PatchesArguments),
    /// Run every command of the tutorials in an empty folder and compare what they print.
    Tutorial {
        /// The folder of the `countersign` binary; the release build when not given.
        #[arg(long, value_name = "DIR")]
        binaries: Option<PathBuf>,
    },
    /// Everything mixed against the binary, killed at random, for minutes.
    Soak(soaking::SoakArguments),
    /// Print the clauses of `docs/wire`, or falsify the vectors that hold them and see the tests notice.
    Wire(wire::WireArguments),
}

fn main() -> anyhow::Result<ExitCode> {
    let root = repository_root()?;
    match Arguments::parse().command {
        Task::Tidy => {
            let violations = tidy::violations(&root)?;
            for violation in &violations {
                println!("{violation}");
            }
            for line in tidy::counts(&root)? {
                println!("{line}");
            }
            println!("tidy: {} violations", violations.len());
            Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Task::Rooms { place } => {
            tidy::arrows(&root, &place)?.iter().for_each(|arrow| println!("{arrow}"));
            Ok(ExitCode::SUCCESS)
        }
        Task::Test { list: true, .. } => {
            for suite in suites::ALL {
                println!("{:<18} {}{}", suite.name, suite.about, suite.extent_in_words());
            }
            Ok(ExitCode::SUCCESS)
        }
        Task::Test { only, full, .. } => {
            let extent = if full { suites::Extent::Full } else { suites::Extent::Gate };
            suite_run::run(&root, &only, extent)
        }
        Task::Dist(arguments) => dist::run(&root, &arguments),
        Task::Crash => crash::run(&root),
        Task::Bench(options) => bench::run(&root, &options),
        Task::Patches(arguments) => patches::run(&root, &arguments),
        Task::Tutorial { binaries } => tutorial::run(&root, binaries),
        Task::Fuzz(arguments) => fuzzing::run(&root, &arguments),
        Task::Soak(arguments) => soaking::run(&root, &arguments),
        Task::Wire(arguments) => wire::run(&root, &arguments),
    }
}

/// The folder of the workspace: the parent of this package, wherever the command was called from.
fn repository_root() -> anyhow::Result<PathBuf> {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let root = package.parent().context("the xtask package has no parent folder")?;
    Ok(root.to_path_buf())
}
