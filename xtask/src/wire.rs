//! Holds the handbook of the wire (`docs/wire/`) and the code together: every clause is numbered once, says where it
//! comes from and what holds it, and whatever cites a clause cites one that is there (`cargo xtask tidy`).
//! `cargo xtask wire` prints the clauses; with `--flip` it falsifies the vectors, one expectation at a time, and sees
//! the test that reads them fail. Whether a clause is true of OSS is for its source to say.

mod citations;
mod expectations;
mod flips;
mod handbook;
mod test_binaries;

use std::path::Path;
use std::process::ExitCode;

use crate::source_tree::CodeFile;
use crate::violation::Violation;
use handbook::{Certainty, Handbook};

/// What `cargo xtask wire` does.
#[derive(Debug, clap::Args)]
pub(crate) struct WireArguments {
    /// Falsify the expectations of the vectors, and see that a test notices each.
    #[arg(long)]
    flip: bool,
    /// Falsify all of them, not one of each file.
    #[arg(long, requires = "flip")]
    full: bool,
    /// Take the tests of the unoptimised build.
    #[arg(long, requires = "flip")]
    debug: bool,
}

/// Prints the clauses, or falsifies the vectors behind them.
pub(crate) fn run(root: &Path, arguments: &WireArguments) -> anyhow::Result<ExitCode> {
    let handbook = Handbook::read(root)?;
    if arguments.flip {
        return flips::run(root, &handbook, arguments.full, arguments.debug);
    }
    for clause in &handbook.clauses {
        println!("{:<8} {:<9} {}:{}", clause.id, clause.certainty.as_str(), clause.page, clause.line);
    }
    let count = |certainty| handbook.clauses.iter().filter(|clause| clause.certainty == certainty).count();
    println!(
        "wire: {} clauses: {} verified, {} inferred, {} chosen",
        handbook.clauses.len(),
        count(Certainty::Verified),
        count(Certainty::Inferred),
        count(Certainty::Chosen)
    );
    Ok(ExitCode::SUCCESS)
}

/// Finds what is wrong with the handbook, and citations that lead nowhere.
pub(crate) fn check(root: &Path, files: &[CodeFile], found: &mut Vec<Violation>) -> anyhow::Result<()> {
    let handbook = Handbook::read(root)?;
    handbook.check(root, found)?;
    citations::check(root, &handbook, files, found)
}
