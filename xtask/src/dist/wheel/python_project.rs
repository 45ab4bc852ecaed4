//! Reads a Python project's `pyproject.toml`, as far as a wheel's metadata repeat it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// What a wheel says about itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Project {
    /// As it is installed: `countersign-oss`.
    pub(super) name: String,
    /// Absent where `dynamic` says that the crate has it.
    version: Option<String>,
    #[serde(default)]
    dynamic: Vec<String>,
    description: String,
    readme: String,
    requires_python: String,
    license: String,
    license_files: Vec<String>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    classifiers: Vec<String>,
    #[serde(default)]
    dependencies: Vec<String>,
    #[serde(default)]
    entry_points: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct File {
    project: Project,
}

impl Project {
    /// Reads the project in this folder; its version must be the workspace's.
    pub(super) fn read(folder: &Path, version: &str) -> anyhow::Result<Project> {
        let path = folder.join("pyproject.toml");
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        Project::parse(&text, version).with_context(|| format!("{}", path.display()))
    }

    fn parse(text: &str, version: &str) -> anyhow::Result<Project> {
        let File { project } = toml::from_str(text)?;
        match &project.version {
            Some(own) => ensure!(own == version, "its version is {own} and the workspace's {version}"),
            None => ensure!(
                project.dynamic == ["version"],
                "it has no version and does not say that it is dynamic"
            ),
        }
        for dependency in &project.dependencies {
            // What is made together is used together.
            let ours = dependency.strip_prefix("countersign-oss");
            let exact = format!("=={version}");
            ensure!(
                ours.is_none_or(|rest| rest == exact),
                "{dependency} is not the version of this workspace, {version}"
            );
        }
        Ok(project)
    }

    /// The name as it stands in file names.
    pub(super) fn file_name(&self) -> String {
        self.name.replace('-', "_")
    }

    /// The licence's files, relative to the project.
    pub(super) fn license_files(&self) -> &[String] {
        &self.license_files
    }

    /// The text of `METADATA`, version 2.4, with the project's readme as its description.
    pub(super) fn metadata(
        &self,
        folder: &Path,
        version: &str,
        further_license_file: Option<&str>,
    ) -> anyhow::Result<String> {
        let readme = std::fs::read_to_string(folder.join(&self.readme))
            .with_context(|| format!("reading the readme of {}", self.name))?;
        let mut lines = vec![
            "Metadata-Version: 2.4".to_owned(),
            format!("Name: {}", self.name),
            format!("Version: {version}"),
            format!("Summary: {}", self.description),
            format!("Keywords: {}", self.keywords.join(",")),
            format!("License-Expression: {}", self.license),
        ];
        let license_files = self.license_files.iter().map(String::as_str).chain(further_license_file);
        lines.extend(license_files.map(|file| format!("License-File: {file}")));
        lines.extend(self.classifiers.iter().map(|classifier| format!("Classifier: {classifier}")));
        lines.push(format!("Requires-Python: {}", self.requires_python));
        lines.extend(self.dependencies.iter().map(|dependency| format!("Requires-Dist: {dependency}")));
        lines.push("Description-Content-Type: text/markdown; charset=UTF-8".to_owned());
        Ok(format!("{}\n\n{readme}", lines.join("\n")))
    }

    /// The text of `entry_points.txt`, where there are any.
    pub(super) fn entry_points(&self) -> Option<String> {
        let groups = self.entry_points.iter().map(|(group, points)| {
            let points = points.iter().map(|(name, place)| format!("{name} = {place}\n"));
            format!("[{group}]\n{}", points.collect::<String>())
        });
        (!self.entry_points.is_empty()).then(|| groups.collect::<Vec<_>>().join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[project]\nname = \"pytest-countersign\"\nversion = \"0.1.0\"\ndescription = \"d\"\nreadme = \"r\"\n\
        requires-python = \">=3.8\"\nlicense = \"Apache-2.0\"\nlicense-files = [\"LICENSE\"]\n\
        dependencies = [\"countersign-oss==0.1.0\", \"pytest>=8\"]\n\
        [project.entry-points.pytest11]\ncountersign = \"pytest_countersign.plugin\"\n";

    #[test]
    fn a_version_that_is_not_the_workspaces_is_refused() {
        assert!(Project::parse(TEXT, "0.1.0").is_ok());
        let error = |text: &str| Project::parse(text, "0.1.0").unwrap_err().to_string();
        let other = TEXT.replace("version = \"0.1.0\"", "version = \"0.2.0\"");
        assert_eq!(error(&other), "its version is 0.2.0 and the workspace's 0.1.0");
        let other = TEXT.replace("oss==0.1.0", "oss==0.0.9");
        assert_eq!(error(&other), "countersign-oss==0.0.9 is not the version of this workspace, 0.1.0");
        let none = TEXT.replace("version = \"0.1.0\"\n", "");
        assert_eq!(error(&none), "it has no version and does not say that it is dynamic");
    }

    #[test]
    fn what_the_wheel_would_not_repeat_is_refused() {
        assert!(Project::parse(&TEXT.replace("[project]", "[project]\nscripts = {}"), "0.1.0").is_err());
    }

    #[test]
    fn entry_points_are_written_as_installers_read_them() {
        let project = Project::parse(TEXT, "0.1.0").unwrap();
        assert_eq!(project.entry_points().unwrap(), "[pytest11]\ncountersign = pytest_countersign.plugin\n");
    }
}
