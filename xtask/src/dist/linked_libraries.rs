//! Reads from a binary which shared libraries it needs in which version, and which Debian packages bring them.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use super::output_of;

/// The newest glibc that a published binary may ask for: that of Ubuntu 22.04. Debian 12 has 2.36.
const GLIBC_MAX: &str = "2.35";

/// Which package brings a library, and what its versions begin with.
const PACKAGES: &[(&str, &str, &str)] = &[
    ("libc.so.6", "libc6", "GLIBC_"),
    ("libm.so.6", "libc6", "GLIBC_"),
    ("libdl.so.2", "libc6", "GLIBC_"),
    ("librt.so.1", "libc6", "GLIBC_"),
    ("libpthread.so.0", "libc6", "GLIBC_"),
    ("ld-linux-x86-64.so.2", "libc6", "GLIBC_"),
    ("ld-linux-aarch64.so.1", "libc6", "GLIBC_"),
    ("libgcc_s.so.1", "libgcc-s1", "GCC_"),
];

/// What a binary needs: packages with the version from which on they have all its symbols, and the libraries' names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Needs {
    /// Versions by package.
    pub(super) packages: BTreeMap<&'static str, String>,
    /// The libraries by the names under which they are loaded.
    pub(super) libraries: Vec<String>,
}

impl Needs {
    /// Asks a binary; one that would not start on the oldest system we promise is refused.
    pub(super) fn of(binary: &Path) -> anyhow::Result<Needs> {
        let asked = |flag| output_of(Command::new("readelf").args(["--wide", flag]).arg(binary));
        let needs = read(&asked("--dynamic")?, &asked("--version-info")?)?;
        let glibc = needs.packages.get("libc6").context("the binary needs no libc6, which cannot be")?;
        ensure!(
            compare(glibc, GLIBC_MAX) != Ordering::Greater,
            "the binary asks for glibc {glibc}, and Ubuntu 22.04 has {GLIBC_MAX}: build it on an older system"
        );
        Ok(needs)
    }

    /// As a field of a package's control file.
    pub(super) fn as_depends(&self) -> String {
        let each = self.packages.iter().map(|(package, version)| format!("{package} (>= {version})"));
        each.collect::<Vec<_>>().join(", ")
    }
}

/// The architecture of a binary in the words of Debian, which are those of OCI too for the ones that we know.
pub(super) fn architecture(binary: &Path) -> anyhow::Result<&'static str> {
    let header = output_of(Command::new("readelf").args(["--wide", "--file-header"]).arg(binary))?;
    let machine = header.lines().find_map(|line| line.trim().strip_prefix("Machine:"));
    match machine.map(str::trim) {
        Some("Advanced Micro Devices X86-64") => Ok("amd64"),
        Some("AArch64") => Ok("arm64"),
        other => bail!("a binary for the machine {other:?} is not packed from here"),
    }
}

fn read(dynamic: &str, versions: &str) -> anyhow::Result<Needs> {
    let mut needs = Needs::default();
    for library in dynamic.lines().filter(|line| line.contains("(NEEDED)")).filter_map(in_brackets) {
        let (package, _) = package_of(library)?;
        needs.packages.entry(package).or_insert_with(|| "0".to_owned());
        needs.libraries.push(library.to_owned());
    }
    // The section of what is needed: a line for each library, and below it one for each version of it.
    let wanted = versions.split("Version needs section").nth(1).unwrap_or_default();
    let mut package = None;
    for line in wanted.lines() {
        if let Some(library) = word_after(line, "File:") {
            package = Some(package_of(library)?);
        }
        let (Some(name), Some((package, begins))) = (word_after(line, "Name:"), package) else { continue };
        let version = name.strip_prefix(begins).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let version =
            version.with_context(|| format!("what {name} asks of {package} is unknown"))?.to_owned();
        let newest = needs.packages.entry(package).or_insert_with(|| version.clone());
        if compare(&version, newest) == Ordering::Greater {
            *newest = version;
        }
    }
    Ok(needs)
}

fn package_of(library: &str) -> anyhow::Result<(&'static str, &'static str)> {
    let known = PACKAGES.iter().find(|(name, _, _)| *name == library);
    let (_, package, begins) = known.with_context(|| format!("no package is known that brings {library}"))?;
    Ok((package, begins))
}

fn in_brackets(line: &str) -> Option<&str> {
    line.split_once('[')?.1.split_once(']').map(|(name, _)| name)
}

fn word_after<'a>(line: &'a str, label: &str) -> Option<&'a str> {
    line.split_once(label)?.1.split_whitespace().next()
}

/// Compares numbers with dots between them.
fn compare(one: &str, other: &str) -> Ordering {
    let numbers =
        |text: &str| -> Vec<u32> { text.split('.').map(|part| part.parse().unwrap_or(0)).collect() };
    numbers(one).cmp(&numbers(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DYNAMIC: &str =
        " 0x1 (NEEDED)   Shared library: [libgcc_s.so.1]\n 0x1 (NEEDED)   Shared library: [libc.so.6]\n";
    const VERSIONS: &str = "Version symbols section '.gnu.version' contains 3 entries:\n  000: 0 (*local*)\n\n\
        Version needs section '.gnu.version_r' contains 2 entries:\n\
        \x20 000000: Version: 1  File: libgcc_s.so.1  Cnt: 2\n\
        \x20 0x0010:   Name: GCC_3.3  Flags: none  Version: 6\n\
        \x20 0x0020:   Name: GCC_4.2.0  Flags: none  Version: 5\n\
        \x20 0x0030: Version: 1  File: libc.so.6  Cnt: 2\n\
        \x20 0x0040:   Name: GLIBC_2.9  Flags: none  Version: 4\n\
        \x20 0x0050:   Name: GLIBC_2.34  Flags: none  Version: 3\n";

    #[test]
    fn a_package_is_needed_from_the_newest_version_of_a_symbol_on() {
        let needs = read(DYNAMIC, VERSIONS).unwrap();
        assert_eq!(needs.as_depends(), "libc6 (>= 2.34), libgcc-s1 (>= 4.2.0)");
        assert_eq!(needs.libraries, ["libgcc_s.so.1", "libc.so.6"]);
    }

    #[test]
    fn what_no_package_is_known_for_is_refused_by_name() {
        let error = read(&DYNAMIC.replace("libgcc_s", "libssl"), "").unwrap_err().to_string();
        assert_eq!(error, "no package is known that brings libssl.so.1");
        let error = read(DYNAMIC, &VERSIONS.replace("GLIBC_2.9", "GLIBC_ABI_DT_RELR")).unwrap_err();
        assert_eq!(error.to_string(), "what GLIBC_ABI_DT_RELR asks of libc6 is unknown");
    }

    #[test]
    fn versions_are_numbers_and_not_text() {
        assert_eq!(compare("2.9", "2.34"), Ordering::Less);
        assert_eq!(compare("2.36", GLIBC_MAX), Ordering::Greater);
        assert_eq!(compare("2.35", GLIBC_MAX), Ordering::Equal);
    }
}
