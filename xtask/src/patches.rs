//! `cargo xtask patches`: applies each committed patch to a copy of the repository and compares what becomes of it
//! with what its row promises.
//!
//! A row states a property of the design that reading alone cannot show: that an operation is added in a few files,
//! or that code which breaks a rule does not compile. The copy and the compiler are
//! [`patched_tree`]'s; here is only what each patch promises.

mod patched_tree;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};

use self::patched_tree::{CompilerError, PatchedTree};

/// One committed patch and what it shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patch {
    /// The patch, relative to the repository.
    file: &'static str,
    /// What it shows, in one line.
    about: &'static str,
    /// How many files it may touch, where that is the point.
    files_max: Option<usize>,
    /// The package that is compiled with it.
    package: &'static str,
    /// What the compiler says.
    outcome: Outcome,
    /// Arguments of `cargo test` in the patched copy, with `--tests` only.
    tests: &'static [&'static str],
}

/// What the compiler says to a patched tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It compiles.
    Builds,
    /// It does not compile: every error is in a file of the patch and has one of these codes.
    FailsWith(&'static [&'static str]),
}

/// What most rows have in common.
const IN_SERVER: Patch = Patch {
    file: "",
    about: "",
    files_max: None,
    package: "countersign-server",
    outcome: Outcome::Builds,
    tests: &[],
};

/// The tests that concern an operation: its declaration, its route, its page, its wire, and every word of the API.
const OF_OPERATIONS: &[&str] = &[
    "--package",
    "countersign-server",
    "--lib",
    "--test",
    "api",
    "--",
    "operations",
    "routing",
    "query_words",
];

/// Every committed patch. A patch that is not in this table is an error too.
const ALL: &[Patch] = &[
    Patch {
        file: "docs/patches/bytes-without-a-grant.patch",
        about: "an operation cannot make up a grant, which bytes need to come in",
        outcome: Outcome::FailsWith(&["E0451"]),
        ..IN_SERVER
    },
    Patch {
        file: "docs/patches/a-grant-without-its-checks.patch",
        about: "nor can it call what makes one, past the checks",
        outcome: Outcome::FailsWith(&["E0603"]),
        ..IN_SERVER
    },
    Patch {
        file: "docs/patches/bytes-with-a-grant.patch",
        about: "with a grant that was asked for, the same bytes come in",
        ..IN_SERVER
    },
    Patch {
        file: "docs/patches/bucket-sub-resource.patch",
        about: "a sub-resource of buckets, with three operations, a document and a test",
        files_max: Some(4),
        tests: OF_OPERATIONS,
        ..IN_SERVER
    },
    Patch {
        file: "docs/patches/put-object-acl.patch",
        about: "an operation that changes an object without its bytes, and a test",
        files_max: Some(4),
        tests: OF_OPERATIONS,
        ..IN_SERVER
    },
    Patch {
        file: "docs/patches/object-operation.patch",
        about: "an operation on objects over what the store has, and a test",
        files_max: Some(4),
        tests: OF_OPERATIONS,
        ..IN_SERVER
    },
];

/// What to do with the patches.
#[derive(Debug, clap::Args)]
pub(crate) struct PatchesArguments {
    /// Run the tests of each patch in its copy too.
    #[arg(long)]
    tests: bool,
    /// Only patches whose path contains this.
    #[arg(long, value_name = "WORD")]
    only: Option<String>,
}

/// Tries every patch; the exit code says whether all kept what their rows promise.
pub(crate) fn run(root: &Path, arguments: &PatchesArguments) -> anyhow::Result<ExitCode> {
    let chosen = |patch: &&Patch| arguments.only.as_ref().is_none_or(|word| patch.file.contains(word));
    let mut failed = false;
    for patch in ALL.iter().filter(chosen) {
        let started = Instant::now();
        let outcome = try_patch(root, patch, arguments.tests);
        let seconds = started.elapsed().as_secs_f64();
        match outcome {
            Ok(files) => {
                println!("ok      {:<50} {files} files, {seconds:.1} s: {}", patch.file, patch.about)
            }
            Err(error) => {
                failed = true;
                println!("FAILED  {:<50} {error:#}", patch.file);
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Tries one patch; the number of files that it touches.
fn try_patch(root: &Path, patch: &Patch, with_tests: bool) -> anyhow::Result<usize> {
    let text = std::fs::read_to_string(root.join(patch.file)).context("reading the patch")?;
    let touched = touched_files(&text);
    check_count(patch, &touched)?;
    let tree = PatchedTree::with(root, &root.join(patch.file))?;
    let errors = tree.check(patch.package)?;
    compare(patch.outcome, &errors, &touched)?;
    if with_tests && !patch.tests.is_empty() {
        tree.test(patch.tests)?;
    }
    Ok(touched.len())
}

fn check_count(patch: &Patch, touched: &BTreeSet<String>) -> anyhow::Result<()> {
    ensure!(!touched.is_empty(), "the patch touches no file");
    if let Some(files_max) = patch.files_max {
        ensure!(
            touched.len() <= files_max,
            "touches {} files, at most {files_max}: {touched:?}",
            touched.len()
        );
    }
    Ok(())
}

/// Compares what the compiler said with what the row promises.
fn compare(promised: Outcome, errors: &[CompilerError], touched: &BTreeSet<String>) -> anyhow::Result<()> {
    let shown = || errors.iter().map(|error| error.text.trim_end()).collect::<Vec<_>>().join("\n");
    match promised {
        Outcome::Builds => ensure!(errors.is_empty(), "does not build:\n{}", shown()),
        Outcome::FailsWith(_) if errors.is_empty() => bail!("builds, and must not"),
        Outcome::FailsWith(codes) => {
            for error in errors {
                let expected = error.code.as_deref().is_some_and(|code| codes.contains(&code));
                ensure!(expected, "fails with another error than {codes:?}:\n{}", shown());
                let in_patch = error.file.as_ref().is_some_and(|file| touched.contains(file));
                ensure!(in_patch, "fails outside of the patch:\n{}", shown());
            }
        }
    }
    Ok(())
}

/// The files that a patch changes, adds or removes, relative to the repository.
pub(crate) fn touched_files(patch: &str) -> BTreeSet<String> {
    let named = patch.lines().filter_map(|line| {
        line.strip_prefix("--- a/").or_else(|| line.strip_prefix("+++ b/")).map(str::trim_end)
    });
    named.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
