//! The table of everything that must pass. Adding a suite is adding a row; how rows are run is `suite_run`'s
//! business. What takes too long for every change, or needs a large toolchain, is marked as full only and runs with
//! `cargo xtask test --full`.

/// How much of the table is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What every change must pass.
    Gate,
    /// The long forms too.
    Full,
}

/// One suite: a name, the commands that make it up, and how long it may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Suite {
    /// The name in the summary and for `--only`.
    pub(crate) name: &'static str,
    /// What it proves, in one line.
    pub(crate) about: &'static str,
    /// The folder its commands run in, relative to the repository.
    pub(crate) folder: &'static str,
    /// Environment of its commands beyond the caller's.
    pub(crate) environment: &'static [(&'static str, &'static str)],
    /// The commands, in order; the first that fails ends the suite.
    pub(crate) steps: &'static [Step],
    /// How its result is counted.
    pub(crate) counting: Counting,
    /// A suite that takes longer is stopped and counts as failed.
    pub(crate) minutes_max: u64,
    /// What must be there for the suite to mean anything, if that can be missing through no fault of the code.
    pub(crate) only_if: Option<Condition>,
    /// Whether only `--full`, or its own name after `--only`, runs it.
    pub(crate) full_only: bool,
}

impl Suite {
    /// What `--list` says of its extent; empty for a suite that always runs whole.
    pub(crate) fn extent_in_words(&self) -> &'static str {
        let has_long_form = self.steps.iter().any(|step| matches!(step, Step::Full(_)));
        match (self.full_only, has_long_form) {
            (true, _) => " (only with --full)",
            (false, true) => " (longer with --full)",
            (false, false) => "",
        }
    }
}

/// One command of a suite.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// Run this; it must succeed.
    Run(&'static [&'static str]),
    /// Run this too, with `--full` only.
    Full(&'static [&'static str]),
    /// Run `install` unless `probe` already succeeds.
    Install {
        /// Succeeds when the tool is there.
        probe: &'static [&'static str],
        /// Brings the tool, into the build folder and nowhere else.
        install: &'static [&'static str],
    },
    /// Run `then` where `probe` succeeds, else `otherwise`.
    Either {
        /// Succeeds when the better tool is there.
        probe: &'static [&'static str],
        /// With the better tool.
        then: &'static [&'static str],
        /// Without it.
        otherwise: &'static [&'static str],
    },
}

/// What one suite adds to the numbers of the last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counting {
    /// One check, passed or failed.
    OneCheck,
    /// As many tests as the runner reports; none at all is a failure.
    Tests,
}

/// A command that must succeed for a suite to be run, and what to say when it does not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Condition {
    /// The command.
    pub(crate) probe: &'static [&'static str],
    /// Why the suite was skipped.
    pub(crate) otherwise: &'static str,
}

/// What most rows have in common.
const CHECK: Suite = Suite {
    name: "",
    about: "",
    folder: ".",
    environment: &[],
    steps: &[],
    counting: Counting::OneCheck,
    minutes_max: 15,
    only_if: None,
    full_only: false,
};

/// Brings cargo-deny when it is missing: about one and a half minutes of one core, unoptimised on purpose.
const CARGO_DENY: Step = Step::Install {
    probe: &["cargo-deny", "--version"],
    install: &["cargo", "install", "cargo-deny", "--locked", "--debug", "--quiet", "--root", "target/tools"],
};

/// Every suite, in the order it is run: what is quick and often wrong comes first.
pub(crate) const ALL: &[Suite] = &[
    Suite {
        name: "format",
        about: "the code is formatted",
        steps: &[Step::Run(&["cargo", "fmt", "--all", "--check"])],
        ..CHECK
    },
    Suite {
        name: "tidy",
        about: "import arrows, sizes and names",
        steps: &[Step::Run(&["cargo", "xtask", "tidy"])],
        ..CHECK
    },
    Suite {
        name: "clippy",
        about: "lints of every target, warnings are errors",
        steps: &[Step::Run(&[
            "cargo",
            "clippy",
            "--release",
            "--workspace",
            "--all-targets",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ])],
        ..CHECK
    },
    Suite {
        name: "api docs",
        about: "the documentation of the crates builds without a warning",
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
        steps: &[Step::Run(&["cargo", "doc", "--release", "--workspace", "--no-deps", "--quiet"])],
        ..CHECK
    },
    Suite {
        name: "patches",
        about: "committed patches on a copy of the tree: what must build does, what must not does not",
        steps: &[
            Step::Run(&["cargo", "xtask", "patches"]),
            Step::Full(&["cargo", "xtask", "patches", "--tests"]),
        ],
        ..CHECK
    },
    Suite {
        name: "dependencies",
        about: "bans, licences and sources of what is imported",
        steps: &[
            CARGO_DENY,
            Step::Run(&["cargo-deny", "--log-level", "error", "check", "bans", "licenses", "sources"]),
        ],
        ..CHECK
    },
    Suite {
        name: "advisories",
        about: "known weaknesses of what is imported",
        steps: &[Step::Run(&["cargo-deny", "--log-level", "error", "check", "advisories"])],
        only_if: Some(Condition {
            probe: &["cargo-deny", "fetch", "db"],
            otherwise: "the advisory database cannot be fetched from here",
        }),
        ..CHECK
    },
    Suite {
        name: "build",
        about: "the binary that the black-box tests run",
        steps: &[Step::Run(&[
            "cargo",
            "build",
            "--release",
            "--package",
            "countersign",
            "--package",
            "countersign-example-axum-app",
            "--quiet",
        ])],
        ..CHECK
    },
    Suite {
        name: "tutorial",
        about: "every command of the tutorials, in an empty folder",
        steps: &[Step::Run(&["cargo", "xtask", "tutorial"])],
        ..CHECK
    },
    Suite {
        name: "uploader",
        about: "types and tests of the browser library and the page",
        folder: "uploader",
        steps: &[
            Step::Run(&["npm", "ci", "--no-audit", "--no-fund"]),
            Step::Run(&["npm", "run", "--silent", "check"]),
            Step::Run(&["npm", "run", "--silent", "test"]),
        ],
        counting: Counting::Tests,
        ..CHECK
    },
    Suite {
        name: "vectors",
        about: "the signature and callback vectors, calculated a second time in JavaScript",
        folder: "vectors",
        steps: &[Step::Run(&["node", "--test"])],
        counting: Counting::Tests,
        ..CHECK
    },
    Suite {
        name: "typescript client",
        about: "the tutorial's client class on the uploader: types and tests",
        folder: "examples/typescript-client",
        steps: &[
            Step::Run(&["npm", "ci", "--no-audit", "--no-fund"]),
            Step::Run(&["npm", "run", "--silent", "check"]),
            Step::Run(&["npm", "run", "--silent", "test"]),
        ],
        counting: Counting::Tests,
        ..CHECK
    },
    Suite {
        name: "node sdk",
        about: "the official Node SDK against the binary",
        folder: "conformance/node",
        steps: &[
            Step::Run(&["npm", "ci", "--no-audit", "--no-fund"]),
            Step::Run(&["npm", "run", "--silent", "test"]),
        ],
        counting: Counting::Tests,
        ..CHECK
    },
    Suite {
        name: "node package",
        about: "the npm package and its tarballs: the command, and instances in the tests of JavaScript",
        folder: "packages/node",
        steps: &[
            Step::Run(&["npm", "ci", "--omit=optional", "--no-audit", "--no-fund"]),
            Step::Run(&["npm", "run", "--silent", "check"]),
            Step::Run(&["npm", "run", "--silent", "test"]),
            Step::Run(&["cargo", "xtask", "dist", "--only", "npm"]),
            Step::Run(&["npm", "run", "--silent", "test:packed"]),
            Step::Full(&["npm", "run", "--silent", "test:runners"]),
        ],
        counting: Counting::Tests,
        ..CHECK
    },
    Suite {
        name: "browsers",
        about: "the page in Chromium and Firefox; screenshots are kept in artefacts/",
        folder: "conformance/browser",
        steps: &[
            Step::Run(&["npm", "ci", "--no-audit", "--no-fund"]),
            Step::Run(&["npm", "run", "--silent", "test"]),
        ],
        counting: Counting::Tests,
        ..CHECK
    },
    Suite {
        name: "python sdk",
        about: "the official Python SDK against the binary, and real images",
        folder: "conformance/python",
        steps: &[
            Step::Run(&["python3", "-m", "venv", ".venv"]),
            Step::Run(&[
                ".venv/bin/python",
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
                "requirements.lock",
            ]),
            Step::Run(&[".venv/bin/python", "-m", "pytest", "--color=no"]),
        ],
        counting: Counting::Tests,
        ..CHECK
    },
    Suite {
        name: "python packages",
        about: "the wheels from an empty folder without a network, their library and fixtures, no cross-talk",
        steps: &[
            Step::Run(&["cargo", "xtask", "dist", "--only", "wheel"]),
            Step::Run(&["python3", "packages/python/tests/empty_folder.py", "target/python-package"]),
            Step::Run(&[
                "target/python-package/.venv/bin/python",
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--constraint",
                "packages/python/tests/requirements.lock",
                "pytest-xdist",
            ]),
            Step::Run(&[
                "target/python-package/.venv/bin/python",
                "-m",
                "pytest",
                "--color=no",
                "packages/python/tests",
                "--ignore=packages/python/tests/crosstalk",
            ]),
            Step::Run(&[
                "target/python-package/.venv/bin/python",
                "packages/python/tests/crosstalk.py",
                "--workers",
                "4",
                "--runs",
                "2",
            ]),
            Step::Full(&[
                "target/python-package/.venv/bin/python",
                "packages/python/tests/crosstalk.py",
                "--workers",
                "8",
                "--runs",
                "20",
            ]),
            Step::Full(&["python3", "packages/python/tests/maturin_wheel.py", "target/python-maturin"]),
        ],
        counting: Counting::Tests,
        ..CHECK
    },
    Suite {
        name: "rust",
        about: "unit, property, vector, trait-suite and black-box tests",
        steps: &[
            Step::Either {
                probe: &["cargo", "nextest", "--version"],
                then: &["cargo", "nextest", "run", "--release", "--workspace", "--no-fail-fast"],
                otherwise: &[
                    "cargo",
                    "test",
                    "--release",
                    "--workspace",
                    "--no-fail-fast",
                    "--lib",
                    "--bins",
                    "--tests",
                ],
            },
            Step::Full(&[
                "env",
                "COUNTERSIGN_LONG=1",
                "cargo",
                "test",
                "--release",
                "--package",
                "countersign-catalog-postgres",
                "--test",
                "faults",
            ]),
        ],
        counting: Counting::Tests,
        minutes_max: 30,
        ..CHECK
    },
    Suite {
        name: "wire",
        about: "the vectors behind the wire's clauses are falsified, and a test notices",
        steps: &[
            Step::Run(&["cargo", "xtask", "wire", "--flip"]),
            Step::Full(&["cargo", "xtask", "wire", "--flip", "--full"]),
        ],
        ..CHECK
    },
    Suite {
        name: "full disk",
        about: "the binary on small file systems of its own, filled to the last byte",
        steps: &[Step::Either {
            probe: &["cargo", "nextest", "--version"],
            then: &[
                "cargo",
                "nextest",
                "run",
                "--release",
                "--package",
                "countersign-conformance",
                "--test",
                "full_disk",
                "--run-ignored",
                "all",
                "--no-fail-fast",
            ],
            otherwise: &[
                "cargo",
                "test",
                "--release",
                "--package",
                "countersign-conformance",
                "--test",
                "full_disk",
                "--",
                "--include-ignored",
            ],
        }],
        counting: Counting::Tests,
        only_if: Some(Condition {
            probe: &[
                "sh",
                "-c",
                "folder=$(mktemp -d) && mount -t tmpfs -o size=64k none \"$folder\" && umount \"$folder\"; code=$?; rmdir \"$folder\"; exit $code",
            ],
            otherwise: "mounting a file system is not permitted here",
        }),
        ..CHECK
    },
    Suite {
        name: "packages",
        about: "the Debian package and the container image are made",
        steps: &[
            Step::Run(&["cargo", "xtask", "dist", "--only", "deb,oci"]),
            Step::Full(&[
                "sh",
                "-c",
                "cd target/dist && sha256sum countersign_*.deb countersign-*-oci-*.tar >sums",
            ]),
            Step::Full(&["cargo", "xtask", "dist", "--only", "deb,oci"]),
            Step::Full(&["sh", "-c", "cd target/dist && sha256sum --check sums"]),
            Step::Full(&["sh", "-c", "lintian --fail-on error,warning target/dist/countersign_*.deb"]),
        ],
        ..CHECK
    },
    Suite {
        name: "package installed",
        about: "the Debian package is installed, started, used, upgraded, removed and purged",
        steps: &[Step::Run(&["sh", "-c", "packaging/tests/installed.sh target/dist/countersign_*.deb"])],
        minutes_max: 3,
        only_if: Some(Condition {
            probe: &["sh", "-c", "command -v dpkg && unshare --mount --pid --fork mount -t tmpfs none /mnt"],
            otherwise: "namespaces are not permitted here",
        }),
        ..CHECK
    },
    Suite {
        name: "image started",
        about: "the container image is read, unpacked, started as two users, used and ended",
        steps: &[Step::Run(&["sh", "-c", "packaging/tests/image.sh target/dist/countersign-*-oci-*.tar"])],
        minutes_max: 3,
        only_if: Some(Condition {
            probe: &[
                "unshare", "--mount", "--pid", "--net", "--fork", "mount", "-t", "tmpfs", "none", "/mnt",
            ],
            otherwise: "namespaces are not permitted here",
        }),
        ..CHECK
    },
    Suite {
        name: "compose file",
        about: "what compose.yaml starts, without a container engine: one upload countersigned, one declined",
        steps: &[Step::Run(&["packaging/tests/compose.py", "target/release/countersign"])],
        minutes_max: 3,
        only_if: Some(Condition {
            probe: &[
                "unshare", "--mount", "--pid", "--net", "--fork", "mount", "-t", "tmpfs", "none", "/mnt",
            ],
            otherwise: "namespaces are not permitted here",
        }),
        ..CHECK
    },
    Suite {
        name: "doc examples",
        about: "the examples in the documentation compile and run",
        steps: &[Step::Run(&["cargo", "test", "--release", "--workspace", "--doc", "--quiet"])],
        ..CHECK
    },
    Suite {
        name: "crash campaign",
        about: "a power loss and a kill at every point of every scenario of the crash device",
        steps: &[Step::Run(&["cargo", "xtask", "crash"])],
        minutes_max: 60,
        full_only: true,
        ..CHECK
    },
    Suite {
        name: "fuzzing",
        about: "every fuzz target for a minute",
        steps: &[Step::Run(&["cargo", "xtask", "fuzz", "--seconds", "60"])],
        minutes_max: 60,
        full_only: true,
        ..CHECK
    },
    Suite {
        name: "soak",
        about: "everything mixed against the binary, killed at random, for ten minutes",
        steps: &[Step::Run(&["cargo", "xtask", "soak", "--minutes", "10"])],
        minutes_max: 30,
        full_only: true,
        ..CHECK
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_suite_has_a_name_of_its_own_and_something_to_run() {
        let names: BTreeSet<&str> = ALL.iter().map(|suite| suite.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.iter().all(|suite| !suite.steps.is_empty() && !suite.about.is_empty()));
    }

    #[test]
    fn what_only_the_long_form_runs_is_marked_in_the_list() {
        let marked = |name: &str| ALL.iter().find(|suite| suite.name == name).unwrap().extent_in_words();
        assert_eq!(marked("soak"), " (only with --full)");
        assert_eq!(marked("format"), "");
        let both = Suite { steps: &[Step::Run(&["true"]), Step::Full(&["true"])], ..CHECK };
        assert_eq!(both.extent_in_words(), " (longer with --full)");
        // A suite of long forms alone would run nothing in the gate and yet count as passed there.
        for suite in ALL.iter().filter(|suite| !suite.full_only) {
            assert!(suite.steps.iter().any(|step| !matches!(step, Step::Full(_))), "{}", suite.name);
        }
    }

    #[test]
    fn every_suite_has_its_folder() {
        let root = crate::repository_root().unwrap();
        for suite in ALL {
            assert!(root.join(suite.folder).is_dir(), "{} has no folder {}", suite.name, suite.folder);
        }
    }
}
