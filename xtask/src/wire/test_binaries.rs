//! Finds the compiled test behind `path::name` and runs it alone. Building is cargo's; this module only asks where
//! the binaries are.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::Context as _;
use serde_json::Value;

/// One test of a binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CompiledTest {
    binary: PathBuf,
    /// The package's folder, where tests expect to run.
    folder: PathBuf,
    /// The test's whole name inside of the binary.
    name: String,
}

impl CompiledTest {
    /// Runs the test with these vectors.
    pub(super) fn run(&self, vectors: &Path) -> anyhow::Result<Output> {
        let mut command = Command::new(&self.binary);
        command.args(["--exact", &self.name, "--test-threads", "1"]).current_dir(&self.folder);
        command.env("WIRE_VECTORS", vectors).env("RUST_BACKTRACE", "0");
        command.output().with_context(|| self.binary.display().to_string())
    }
}

/// The binaries of the workspace's library and integration tests.
#[derive(Debug)]
pub(super) struct TestBinaries {
    artifacts: Vec<Artifact>,
}

#[derive(Debug)]
struct Artifact {
    binary: PathBuf,
    folder: PathBuf,
    /// The root file of the target.
    source: PathBuf,
}

impl TestBinaries {
    /// Builds them as the suites do, unless they are built.
    pub(super) fn build(root: &Path, debug: bool, packages: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new("cargo");
        command.args(["test", "--no-run", "--message-format", "json", "--quiet"]);
        if debug {
            // Not the whole workspace: whoever asks for this waits for it.
            command.args(packages.iter().flat_map(|package| ["--package", package]));
            command.args(["--lib", "--tests"]);
        } else {
            // The same command line as the suite of all tests, so that nothing is built twice.
            command.args(["--release", "--workspace", "--lib", "--bins", "--tests"]);
        }
        let output = command.current_dir(root).output().context("cargo cannot be started")?;
        anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout)?;
        let messages = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        Ok(Self { artifacts: messages.filter_map(|message| artifact(&message)).collect() })
    }

    /// The test that a document calls `path::name`.
    pub(super) fn find(&self, root: &Path, named: &str) -> anyhow::Result<CompiledTest> {
        let (path, test) = named.split_once("::").with_context(|| format!("{named} names no test"))?;
        let path = root.join(path);
        // The root file of a test target lies beside or above the file of the test; of a library, above.
        let holds = |artifact: &&Artifact| {
            let own_tests = artifact.folder.join("tests");
            if path.starts_with(&own_tests) {
                artifact.source == path || path.starts_with(artifact.source.with_extension(""))
            } else {
                artifact.source.ends_with("src/lib.rs") && path.starts_with(artifact.folder.join("src"))
            }
        };
        let artifact = self.artifacts.iter().find(holds);
        let artifact = artifact.with_context(|| format!("no test binary holds {named}"))?;
        let list = Command::new(&artifact.binary)
            .args(["--list", "--format", "terse"])
            .current_dir(&artifact.folder)
            .output()?;
        let list = String::from_utf8(list.stdout)?;
        let name = list.lines().filter_map(|line| line.strip_suffix(": test"));
        let name = name.into_iter().find(|name| name.rsplit("::").next() == Some(test));
        let name = name.with_context(|| format!("{} has no test {test}", artifact.binary.display()))?;
        Ok(CompiledTest {
            binary: artifact.binary.clone(),
            folder: artifact.folder.clone(),
            name: name.to_owned(),
        })
    }
}

fn artifact(message: &Value) -> Option<Artifact> {
    let manifest = PathBuf::from(message.get("manifest_path")?.as_str()?);
    message.pointer("/profile/test")?.as_bool()?.then(|| {
        Some(Artifact {
            binary: message.get("executable")?.as_str()?.into(),
            folder: manifest.parent()?.to_path_buf(),
            source: message.pointer("/target/src_path")?.as_str()?.into(),
        })
    })?
}
