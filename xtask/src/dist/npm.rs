//! Makes the tarballs for npm: the launcher with its testing module, the binary of this platform, and the browser
//! library. The sources are ES modules; what `require` and TypeScript need is made of them here, and lies in the
//! tarballs only.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::file_tree::FileTree;
use super::{Ingredients, output_of, run_command, third_party};

/// Where the launcher lies in the repository.
const LAUNCHER: &str = "packages/node";
/// Where the browser library lies.
const UPLOADER: &str = "uploader";
/// What every package has besides its own files.
const LICENSE: &str = "LICENSE";
/// How the sources are read by the TypeScript compiler; the same for each output.
const COMPILER: &[&str] =
    &["--allowJs", "--declaration", "--strict", "--target", "es2022", "--module", "nodenext"];

/// Makes them, and gives the files that are published.
pub(super) fn build(ingredients: &Ingredients) -> anyhow::Result<Vec<PathBuf>> {
    let compiler = Compiler::installed(&ingredients.root)?;
    let trees = [launcher(ingredients, &compiler)?, binary(ingredients)?, uploader(ingredients, &compiler)?];
    trees.iter().map(|tree| pack(tree, &ingredients.output)).collect()
}

/// The package `countersign`.
fn launcher(ingredients: &Ingredients, compiler: &Compiler) -> anyhow::Result<FileTree> {
    let sources = ingredients.root.join(LAUNCHER);
    let tree = package(ingredients, &sources.join("package.json"), "countersign")?;
    tree.copy(&sources.join("bin/countersign"), "bin/countersign", 0o755)?;
    for readme in ["README.md", "README.zh-CN.md"] {
        tree.copy(&sources.join(readme), readme, 0o644)?;
    }
    // The compiler writes what the nearest package.json asks for: here modules for `require`.
    let required = FileTree::new(ingredients.work.join("for-require"))?;
    let commonjs = br#"{ "type": "commonjs" }"#;
    required.put("package.json", 0o644, commonjs)?;
    for name in file_names(&sources.join("src"))? {
        tree.copy(&sources.join("src").join(&name), &format!("src/{name}"), 0o644)?;
        required.copy(&sources.join("src").join(&name), &format!("src/{name}"), 0o644)?;
    }
    compiler.run(
        &tree.root().join("src"),
        &tree.root().join("types"),
        &["--emitDeclarationOnly", "--lib", "es2022"],
    )?;
    compiler.run(&required.root().join("src"), &tree.root().join("cjs"), &["--lib", "es2022"])?;
    tree.put("cjs/package.json", 0o644, commonjs)?;
    Ok(tree)
}

/// The package with the binary, which is the launcher's optional dependency.
fn binary(ingredients: &Ingredients) -> anyhow::Result<FileTree> {
    let platform = platform(std::env::consts::OS, std::env::consts::ARCH);
    let manifest = ingredients.root.join(LAUNCHER).join(format!("platforms/{platform}.json"));
    ensure!(manifest.is_file(), "there is no package for {platform}: {} is missing", manifest.display());
    let tree = package(ingredients, &manifest, &platform)?;
    tree.copy(&ingredients.binary, "bin/countersign", 0o755)?;
    tree.copy(&ingredients.root.join(LAUNCHER).join("platforms/README.md"), "README.md", 0o644)?;
    tree.put(third_party::FILE_NAME, 0o644, ingredients.third_party_notices.as_bytes())?;
    Ok(tree)
}

/// The package `countersign-uploader`.
fn uploader(ingredients: &Ingredients, compiler: &Compiler) -> anyhow::Result<FileTree> {
    let sources = ingredients.root.join(UPLOADER);
    let tree = package(ingredients, &sources.join("package.json"), "countersign-uploader")?;
    tree.copy(&sources.join("README.md"), "README.md", 0o644)?;
    for name in file_names(&sources.join("src"))? {
        tree.copy(&sources.join("src").join(&name), &format!("src/{name}"), 0o644)?;
    }
    let browser = ["--emitDeclarationOnly", "--lib", "es2022,dom,dom.iterable"];
    compiler.run(&tree.root().join("src"), &tree.root().join("types"), &browser)?;
    Ok(tree)
}

/// A folder with the package's manifest, which must have the version of the workspace, and the licence.
fn package(ingredients: &Ingredients, manifest: &Path, folder: &str) -> anyhow::Result<FileTree> {
    let text = std::fs::read_to_string(manifest).with_context(|| manifest.display().to_string())?;
    check_versions(&text, &ingredients.version).with_context(|| manifest.display().to_string())?;
    let tree = FileTree::new(ingredients.work.join(folder))?;
    tree.put("package.json", 0o644, text.as_bytes())?;
    tree.copy(&ingredients.root.join(LICENSE), LICENSE, 0o644)?;
    Ok(tree)
}

/// A manifest has the version of the workspace, and demands it of the packages with the binary: they are one thing.
fn check_versions(manifest: &str, version: &str) -> anyhow::Result<()> {
    let manifest: serde_json::Value = serde_json::from_str(manifest)?;
    let own = manifest.get("version").and_then(serde_json::Value::as_str);
    ensure!(own == Some(version), "the version is {own:?}, and that of the workspace {version}");
    let optional = manifest.get("optionalDependencies").and_then(serde_json::Value::as_object);
    for (name, demanded) in optional.into_iter().flatten() {
        ensure!(demanded.as_str() == Some(version), "{name} is demanded as {demanded}, and not as {version}");
    }
    Ok(())
}

/// A platform as Node names it.
fn platform(system: &str, machine: &str) -> String {
    let system = if system == "macos" { "darwin" } else { system };
    let machine = match machine {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{system}-{machine}")
}

/// Packs a folder. npm writes neither the time nor the owner of a file.
fn pack(tree: &FileTree, output: &Path) -> anyhow::Result<PathBuf> {
    let name = output_of(
        Command::new("npm")
            .current_dir(tree.root())
            .args(["pack", "--silent", "--ignore-scripts", "--pack-destination"])
            .arg(output),
    )?;
    Ok(output.join(name.trim()))
}

/// The names of the files in a folder, sorted.
fn file_names(folder: &Path) -> anyhow::Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut names = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<std::io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// The TypeScript compiler that the launcher's tests use.
#[derive(Debug)]
struct Compiler {
    modules: PathBuf,
}

impl Compiler {
    /// Installs it where it is missing.
    fn installed(root: &Path) -> anyhow::Result<Compiler> {
        let folder = root.join(LAUNCHER);
        let compiler = Compiler { modules: folder.join("node_modules") };
        if !compiler.program().is_file() {
            run_command(Command::new("npm").current_dir(&folder).args([
                "ci",
                "--omit=optional",
                "--silent",
                "--no-audit",
                "--no-fund",
            ]))?;
        }
        Ok(compiler)
    }

    fn program(&self) -> PathBuf {
        self.modules.join("typescript/bin/tsc")
    }

    /// Compiles all files of a folder.
    fn run(&self, sources: &Path, output: &Path, further: &[&str]) -> anyhow::Result<()> {
        let files = file_names(sources)?.into_iter().map(|name| sources.join(name));
        run_command(
            Command::new("node")
                .arg(self.program())
                .args(COMPILER)
                .args(further)
                .args(["--types", "node", "--typeRoots"])
                .arg(self.modules.join("@types"))
                .arg("--rootDir")
                .arg(sources)
                .arg("--outDir")
                .arg(output)
                .args(files),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_manifest_has_the_version_of_the_workspace() {
        let root = crate::repository_root().unwrap();
        let platforms = root.join(LAUNCHER).join("platforms");
        let mut manifests =
            vec![root.join(LAUNCHER).join("package.json"), root.join(UPLOADER).join("package.json")];
        let names = file_names(&platforms).unwrap();
        manifests
            .extend(names.iter().filter(|name| name.ends_with(".json")).map(|name| platforms.join(name)));
        assert_eq!(manifests.len(), 6);
        for manifest in manifests {
            let text = std::fs::read_to_string(&manifest).unwrap();
            check_versions(&text, env!("CARGO_PKG_VERSION")).unwrap();
        }
    }

    #[test]
    fn a_manifest_of_another_version_is_refused() {
        assert!(check_versions(r#"{"version":"0.1.0"}"#, "0.1.0").is_ok());
        assert!(check_versions(r#"{"version":"0.1.0"}"#, "0.2.0").is_err());
        let older = r#"{"version":"0.2.0","optionalDependencies":{"@countersign/linux-x64":"0.1.0"}}"#;
        assert!(check_versions(older, "0.2.0").unwrap_err().to_string().contains("@countersign/linux-x64"));
    }

    #[test]
    fn platforms_have_the_names_of_node() {
        assert_eq!(platform("linux", "x86_64"), "linux-x64");
        assert_eq!(platform("macos", "aarch64"), "darwin-arm64");
        assert_eq!(platform("freebsd", "riscv64"), "freebsd-riscv64");
    }
}
