//! Makes the Python wheels: `countersign-oss` with the binary, for this machine's platform, and `pytest-countersign`.
//!
//! They are put together here and not by maturin, which would compile the binary a second time, with other features
//! than the tests ran it with. `packages/python/countersign-oss` is a maturin project all the same: it makes the wheels
//! of other platforms, and the long form of the tests compares its wheel with this one.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::linked_libraries::{Needs, architecture};
use super::{Ingredients, third_party, zip::ZipArchive};
use python_project::Project;

mod python_project;

/// The oldest glibc that a platform tag of this form can name.
const TAGGED_GLIBC_MIN: u32 = 17;

/// Makes them, and gives the files that are published.
pub(super) fn build(ingredients: &Ingredients) -> anyhow::Result<Vec<PathBuf>> {
    let python = ingredients.root.join("packages/python");
    let platform = platform_tag(&ingredients.binary)?;
    let program =
        Some(Program { path: &ingredients.binary, third_party_notices: &ingredients.third_party_notices });
    let wheels = [
        Wheel { folder: python.join("countersign-oss"), program, platform: &platform },
        Wheel { folder: python.join("pytest-countersign"), program: None, platform: "any" },
    ];
    wheels.iter().map(|wheel| wheel.write(&ingredients.version, &ingredients.output)).collect()
}

/// Where this binary runs, as installers say it: from the glibc on that has all its symbols.
fn platform_tag(binary: &Path) -> anyhow::Result<String> {
    let needs = Needs::of(binary)?;
    let glibc = needs.packages.get("libc6").context("the binary needs no glibc")?;
    let machine = match architecture(binary)? {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        other => bail!("no platform tag is known for {other}"),
    };
    let minor = glibc.strip_prefix("2.").and_then(|minor| minor.split('.').next()?.parse().ok());
    let minor: u32 = minor.with_context(|| format!("glibc {glibc} is no version 2"))?;
    Ok(format!("manylinux_2_{}_{machine}", minor.max(TAGGED_GLIBC_MIN)))
}

/// One wheel to make.
struct Wheel<'a> {
    /// The project.
    folder: PathBuf,
    /// What it puts onto the path.
    program: Option<Program<'a>>,
    /// The last part of its tag.
    platform: &'a str,
}

/// A program in a wheel.
#[derive(Debug, Clone, Copy)]
struct Program<'a> {
    path: &'a Path,
    third_party_notices: &'a str,
}

impl Wheel<'_> {
    fn write(&self, version: &str, output: &Path) -> anyhow::Result<PathBuf> {
        let project = Project::read(&self.folder, version)?;
        let named = format!("{}-{version}", project.file_name());
        let tag = format!("py3-none-{}", self.platform);
        let mut contents = Contents::default();
        let package = self.folder.join("src").join(project.file_name());
        for path in files(&package)? {
            let within = path.strip_prefix(self.folder.join("src"))?;
            let name = within.to_str().context("a file's name is no text")?;
            contents.add(name, 0o644, &std::fs::read(&path)?)?;
        }
        if let Some(Program { path, .. }) = self.program {
            let data = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            contents.add(&format!("{named}.data/scripts/countersign"), 0o755, &data)?;
        }
        let about = format!("{named}.dist-info");
        for file in project.license_files() {
            let text = std::fs::read(self.folder.join(file)).with_context(|| format!("reading {file}"))?;
            contents.add(&format!("{about}/licenses/{file}"), 0o644, &text)?;
        }
        let mut further = None;
        if let Some(Program { third_party_notices, .. }) = self.program {
            let name = format!("{about}/licenses/{}", third_party::FILE_NAME);
            contents.add(&name, 0o644, third_party_notices.as_bytes())?;
            further = Some(third_party::FILE_NAME);
        }
        let metadata = project.metadata(&self.folder, version, further)?;
        contents.add(&format!("{about}/METADATA"), 0o644, metadata.as_bytes())?;
        let pure = self.program.is_none();
        let wheel =
            format!("Wheel-Version: 1.0\nGenerator: cargo xtask dist\nRoot-Is-Purelib: {pure}\nTag: {tag}\n");
        contents.add(&format!("{about}/WHEEL"), 0o644, wheel.as_bytes())?;
        if let Some(entry_points) = project.entry_points() {
            contents.add(&format!("{about}/entry_points.txt"), 0o644, entry_points.as_bytes())?;
        }
        remove_older(output, &format!("{}-", project.file_name()))?;
        let path = output.join(format!("{named}-{tag}.whl"));
        std::fs::write(&path, contents.finish(&format!("{about}/RECORD"))?)?;
        Ok(path)
    }
}

/// The files of a wheel and the list of them that goes in last.
#[derive(Default)]
struct Contents {
    archive: ZipArchive,
    record: String,
}

impl Contents {
    fn add(&mut self, name: &str, permissions: u32, data: &[u8]) -> anyhow::Result<()> {
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(data));
        self.record.push_str(&format!("{name},sha256={digest},{}\n", data.len()));
        self.archive.add(name, permissions, data)
    }

    fn finish(mut self, record_name: &str) -> anyhow::Result<Vec<u8>> {
        self.record.push_str(&format!("{record_name},,\n"));
        self.archive.add(record_name, 0o644, self.record.as_bytes())?;
        self.archive.finish()
    }
}

/// Removes the wheels that an earlier version or another binary left, so that `*.whl` are those made last.
fn remove_older(output: &Path, begins: &str) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(output).with_context(|| format!("reading {}", output.display()))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(begins) && name.ends_with(".whl") {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Every file below a folder in the order of their paths, without what Python leaves there.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if !path.is_dir() {
            found.push(path);
        } else if path.file_name().is_some_and(|name| name != "__pycache__") {
            found.extend(files(&path)?);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests;
