//! `cargo xtask dist`: makes what is published, each kind of package in a file of its own, from one stripped binary.
//!
//! Nothing is uploaded from here. Where the same sources, the same binary and the same `SOURCE_DATE_EPOCH` go in,
//! the same bytes come out.

mod deb;
mod file_tree;
mod linked_libraries;
mod npm;
mod oci;
mod third_party;
mod wheel;
mod zip;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum;

use crate::suite_run::build_folder;

/// Where the packages are written, below cargo's build folder.
const OUTPUT: &str = "dist";
/// Where they are put together, below cargo's build folder.
const WORK: &str = "dist-work";

/// The flags of `dist`.
#[derive(Debug, clap::Args)]
pub(crate) struct DistArguments {
    /// Make only these; all when not given.
    #[arg(long = "only", value_name = "KIND", value_delimiter = ',')]
    only: Vec<Kind>,
    /// Pack this binary instead of the release build.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// A kind of package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// The Python wheels.
    Wheel,
    /// The tarballs for npm.
    Npm,
    /// The Debian package.
    Deb,
    /// The container image, as an OCI layout.
    Oci,
}

/// What every kind is made from.
#[derive(Debug)]
pub(crate) struct Ingredients {
    /// The repository.
    pub(crate) root: PathBuf,
    /// The binary without its symbols; it runs on this machine.
    pub(crate) binary: PathBuf,
    /// Whose work is linked into the binary, and under which licences.
    pub(crate) third_party_notices: String,
    /// The version of the workspace, as in `0.1.0`.
    pub(crate) version: String,
    /// Seconds since 1970 that files in packages carry, and the highest that any may.
    pub(crate) source_date_epoch: u64,
    /// A folder for this kind alone, empty at the beginning, for what is not published.
    pub(crate) work: PathBuf,
    /// The folder for what is: files are put here under their own names, over older ones.
    pub(crate) output: PathBuf,
}

/// Makes the packages and names their files.
pub(crate) fn run(root: &Path, arguments: &DistArguments) -> anyhow::Result<ExitCode> {
    let built = build_folder(root);
    let stripped = built.join(WORK).join("countersign");
    strip(&binary(root, arguments.binary.as_deref())?, &stripped)?;
    let third_party_notices = third_party::notices(root, &stripped)?;
    let kinds = if arguments.only.is_empty() { Kind::value_variants() } else { &arguments.only };
    for kind in kinds {
        let name = kind.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let ingredients = Ingredients {
            root: root.to_path_buf(),
            binary: stripped.clone(),
            third_party_notices: third_party_notices.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            source_date_epoch: source_date_epoch(root)?,
            work: empty_folder(built.join(WORK).join(&name))?,
            output: built.join(OUTPUT),
        };
        std::fs::create_dir_all(&ingredients.output)?;
        let files = match kind {
            Kind::Wheel => wheel::build(&ingredients),
            Kind::Npm => npm::build(&ingredients),
            Kind::Deb => deb::build(&ingredients),
            Kind::Oci => oci::build(&ingredients),
        };
        for file in files.with_context(|| format!("the package of the kind {name}"))? {
            let bytes = std::fs::metadata(&file).with_context(|| format!("{}", file.display()))?.len();
            println!("{:<6} {:>11} bytes  {}", name, bytes, file.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The binary that was named, else the release build, which is made when it is missing.
fn binary(root: &Path, named: Option<&Path>) -> anyhow::Result<PathBuf> {
    let binary = match named {
        Some(named) => std::path::absolute(named)?,
        None => build_folder(root).join("release/countersign"),
    };
    if !binary.is_file() && named.is_none() {
        run_command(Command::new("cargo").current_dir(root).args([
            "build",
            "--release",
            "--quiet",
            "--package",
            "countersign",
        ]))?;
    }
    ensure!(binary.is_file(), "{} is no file", binary.display());
    Ok(binary)
}

/// Copies the binary without its symbols, which are most of it.
fn strip(binary: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to.parent().context("a file has a folder")?)?;
    run_command(Command::new("strip").arg("--strip-all").arg("-o").arg(to).arg(binary))
}

/// The time that packages carry: what the caller demands, else that of the last commit.
fn source_date_epoch(root: &Path) -> anyhow::Result<u64> {
    if let Some(given) = std::env::var_os("SOURCE_DATE_EPOCH") {
        let given = given.to_string_lossy();
        return given.parse().with_context(|| format!("SOURCE_DATE_EPOCH={given} is no number of seconds"));
    }
    let text = output_of(Command::new("git").current_dir(root).args(["log", "-1", "--format=%ct"]))
        .context("without SOURCE_DATE_EPOCH the time of the last commit is taken")?;
    text.trim().parse().with_context(|| format!("git says {text:?} and no number of seconds"))
}

fn empty_folder(folder: PathBuf) -> anyhow::Result<PathBuf> {
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("{} cannot be emptied", folder.display()));
        }
        _ => {}
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Runs a command that must succeed; what it prints is shown.
pub(crate) fn run_command(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("starting {:?}", command.get_program()))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

/// What a command that must succeed prints on standard output.
pub(crate) fn output_of(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("starting {:?}", command.get_program()))?;
    if !output.status.success() {
        bail!("{command:?} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{command:?} printed what is no text"))
}
