//! Installs the programs and fonts that the tests need from the system, but only as root on Debian; anywhere else it
//! says what is missing, and nothing is changed on the machine.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::suites::Extent;

/// One thing the system must bring.
#[derive(Debug, Clone, Copy)]
struct Need {
    /// The Debian package.
    package: &'static str,
    /// What it is for.
    purpose: &'static str,
    /// How to see that it is there.
    sign: Sign,
    /// From which extent on it is needed.
    wanted_by: Extent,
}

/// What most rows have in common.
const NEED: Need = Need { package: "", purpose: "", sign: Sign::Program(&[]), wanted_by: Extent::Gate };

/// How to see that something is there.
#[derive(Debug, Clone, Copy)]
enum Sign {
    /// One of these programs is on the path.
    Program(&'static [&'static str]),
    /// This command succeeds and prints something.
    Answer(&'static [&'static str]),
}

const NEEDS: &[Need] = &[
    Need {
        package: "chromium",
        purpose: "the page in a browser",
        sign: Sign::Program(&["chromium", "chromium-browser", "google-chrome"]),
        ..NEED
    },
    Need {
        package: "firefox-esr",
        purpose: "the page in a second browser",
        sign: Sign::Program(&["firefox-esr", "firefox"]),
        ..NEED
    },
    Need {
        package: "fonts-noto-cjk",
        purpose: "Chinese on the screenshots",
        sign: Sign::Answer(&["fc-list", ":lang=zh", "family"]),
        ..NEED
    },
    Need {
        package: "zbar-tools",
        purpose: "reading the QR codes back",
        sign: Sign::Program(&["zbarimg"]),
        ..NEED
    },
    Need {
        package: "openssl",
        purpose: "a second opinion on signatures, and certificates",
        sign: Sign::Program(&["openssl"]),
        ..NEED
    },
    Need { package: "git", purpose: "applying the committed patches", sign: Sign::Program(&["git"]), ..NEED },
    Need { package: "curl", purpose: "the tutorial's own commands", sign: Sign::Program(&["curl"]), ..NEED },
    Need { package: "nginx", purpose: "the store behind a proxy", sign: Sign::Program(&["nginx"]), ..NEED },
    Need {
        package: "caddy",
        purpose: "the store behind a second proxy",
        sign: Sign::Program(&["caddy"]),
        ..NEED
    },
    Need {
        package: "postgresql-15",
        purpose: "the catalog in PostgreSQL",
        sign: Sign::Answer(&["sh", "-c", "ls /usr/lib/postgresql/*/bin/initdb"]),
        ..NEED
    },
    Need {
        package: "binutils",
        purpose: "the size of the shipped binary",
        sign: Sign::Program(&["strip"]),
        ..NEED
    },
    Need { package: "make", purpose: "building the allocator", sign: Sign::Program(&["make"]), ..NEED },
    Need { package: "procps", purpose: "ending what a test started", sign: Sign::Program(&["kill"]), ..NEED },
    Need {
        package: "php-cli",
        purpose: "the application servers in PHP",
        sign: Sign::Program(&["php"]),
        ..NEED
    },
    Need { package: "golang-go", purpose: "the example in Go", sign: Sign::Program(&["go"]), ..NEED },
    Need {
        package: "default-jdk-headless",
        purpose: "the example in Java",
        sign: Sign::Answer(&["java", "--describe-module", "jdk.compiler"]),
        ..NEED
    },
    Need {
        package: "strace",
        purpose: "seeing that nothing is synced where a start says so",
        sign: Sign::Program(&["strace"]),
        ..NEED
    },
    Need {
        package: "python3-venv",
        purpose: "the Python SDK in a folder of its own",
        sign: Sign::Answer(&["python3", "-c", "import ensurepip, venv; print('yes')"]),
        ..NEED
    },
    Need {
        package: "python3-yaml",
        purpose: "reading the compose file",
        sign: Sign::Answer(&["python3", "-c", "import yaml; print(yaml.__version__)"]),
        ..NEED
    },
    Need {
        package: "lintian",
        purpose: "the policy of Debian packages",
        sign: Sign::Program(&["lintian"]),
        wanted_by: Extent::Full,
    },
];

/// What came of looking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Everything is there.
    Complete,
    /// These are missing and may not be installed from here: package and purpose.
    Missing(Vec<(&'static str, &'static str)>),
}

/// Looks for what a run of this extent needs and, as root on Debian, installs what is missing.
pub(crate) fn ensure(extent: Extent) -> anyhow::Result<Presence> {
    let missing = missing(extent);
    if missing.is_empty() {
        return Ok(Presence::Complete);
    }
    if !may_install() {
        return Ok(Presence::Missing(missing.iter().map(|need| (need.package, need.purpose)).collect()));
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    println!("installing {}", packages.join(" "));
    apt(&["update", "--quiet=2"])?;
    let mut arguments = vec!["install", "--yes", "--quiet=2", "--no-install-recommends"];
    arguments.extend(&packages);
    apt(&arguments)?;
    Ok(Presence::Complete)
}

fn missing(extent: Extent) -> Vec<&'static Need> {
    let wanted = |need: &&Need| extent == Extent::Full || need.wanted_by == Extent::Gate;
    NEEDS.iter().filter(wanted).filter(|need| !is_there(need.sign)).collect()
}

fn is_there(sign: Sign) -> bool {
    match sign {
        Sign::Program(names) => {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path).any(|folder| names.iter().any(|name| folder.join(name).is_file()))
        }
        Sign::Answer(command) => {
            let Some((program, arguments)) = command.split_first() else { return false };
            let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
            output.is_ok_and(|output| output.status.success() && !output.stdout.is_empty())
        }
    }
}

fn may_install() -> bool {
    let user = Command::new("id").arg("-u").output();
    let is_root = user.is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    is_root && Path::new("/etc/debian_version").is_file()
}

fn apt(arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .status()
        .context("starting apt-get")?;
    anyhow::ensure!(status.success(), "apt-get {} ended with {status}", arguments.first().unwrap_or(&""));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_does_not_exist_is_missing() {
        assert!(!is_there(Sign::Program(&["no-such-program-of-ours"])));
        assert!(is_there(Sign::Program(&["no-such-program-of-ours", "sh"])));
    }

    #[test]
    fn a_command_that_answers_nothing_is_missing() {
        assert!(!is_there(Sign::Answer(&["true"])));
        assert!(!is_there(Sign::Answer(&["sh", "-c", "echo yes; exit 1"])));
        assert!(is_there(Sign::Answer(&["echo", "yes"])));
    }
}
