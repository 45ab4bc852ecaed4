//! The rules, as data. A rule is changed here, with a reason in the commit; it is not worked around: the list
//! of exceptions is empty and a test keeps it so.

/// Lines of production code in one file (everything but an inline test module).
pub(crate) const FILE_LINES_MAX: usize = 600;
/// Lines of one function, from `fn` to its closing brace.
pub(crate) const FUNCTION_LINES_MAX: usize = 70;
/// Lines of an inline test module; a longer one moves to `name/tests.rs`.
pub(crate) const INLINE_TEST_LINES_MAX: usize = 150;
/// Lines of `lib.rs` and `main.rs`, which only document, declare and wire.
pub(crate) const ROOT_FILE_LINES_MAX: usize = 150;

/// How many words say why an `expect` holds.
pub(crate) const EXPECT_WORDS_MIN: usize = 4;
/// Code that exists for tests only, where a failed `expect` fails a test.
pub(crate) const TEST_PLACES: &[&str] =
    &["crates/testkit", "crates/crashfs", "conformance", "bench", "fuzz", "crates/cli/src/testing"];

/// Names that say nothing. What has no noun has no home yet.
pub(crate) const FORBIDDEN_NAMES: &[&str] = &[
    "util",
    "utils",
    "utility",
    "utilities",
    "common",
    "helper",
    "helpers",
    "misc",
    "shared",
    "base",
    "core",
    "manager",
    "types",
];

/// Words that the first line of a module's documentation does not use: a reader who has never seen the module would have
/// to find out who or what is meant. `docs/glossary.md` has the words of the field.
pub(crate) const FORBIDDEN_OPENING_WORDS: &[&str] = &[
    "anybody",
    "converse",
    "heard",
    "loan",
    "nobody",
    "somebody",
    "stranger",
    "strangers",
    "survey",
    "whoever",
];

/// Files that may break a rule. Empty, and kept empty by a test.
pub(crate) const EXCEPTIONS: &[&str] = &[];

/// What a crate of ours may import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MayImport {
    /// These crates of ours, and no other.
    Only(&'static [&'static str]),
    /// Any crate of ours, because it never ships.
    Anything,
}

/// One row of "who may import whom".
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrow {
    /// The package whose `[dependencies]` are read.
    pub(crate) package: &'static str,
    /// What it may name there.
    pub(crate) may_import: MayImport,
}

/// The arrows of the design. A package that is not in this table is a violation too, so that a new crate
/// cannot arrive without a decision about its imports.
pub(crate) const ARROWS: &[Arrow] = &[
    Arrow {
        package: "countersign",
        may_import: MayImport::Only(&[
            "countersign-server",
            "countersign-app",
            "countersign-catalog-postgres",
            "countersign-store",
            "countersign-protocol",
            "countersign-sys",
        ]),
    },
    Arrow {
        package: "countersign-server",
        may_import: MayImport::Only(&[
            "countersign-store",
            "countersign-protocol",
            "countersign-quota",
            "countersign-clock",
            "countersign-sys",
        ]),
    },
    Arrow {
        package: "countersign-store",
        may_import: MayImport::Only(&["countersign-sys", "countersign-clock"]),
    },
    Arrow {
        package: "countersign-catalog-postgres",
        may_import: MayImport::Only(&["countersign-store", "countersign-clock"]),
    },
    Arrow {
        package: "countersign-app",
        may_import: MayImport::Only(&["countersign-protocol", "countersign-quota"]),
    },
    Arrow { package: "countersign-clock", may_import: MayImport::Only(&[]) },
    Arrow { package: "countersign-quota", may_import: MayImport::Only(&[]) },
    Arrow { package: "countersign-protocol", may_import: MayImport::Only(&[]) },
    Arrow { package: "countersign-sys", may_import: MayImport::Only(&[]) },
    Arrow { package: "countersign-example-axum-app", may_import: MayImport::Only(&["countersign-app"]) },
    Arrow { package: "countersign-testkit", may_import: MayImport::Anything },
    Arrow { package: "countersign-crashfs", may_import: MayImport::Anything },
    Arrow { package: "countersign-conformance", may_import: MayImport::Anything },
    Arrow { package: "countersign-bench", may_import: MayImport::Only(&["countersign-sys"]) },
    Arrow { package: "countersign-fuzz", may_import: MayImport::Only(&["countersign-protocol"]) },
    Arrow { package: "xtask", may_import: MayImport::Only(&["countersign-protocol"]) },
];

/// Packages that may hold unsafe code, each in modules that argue for it: foreign calls that ship, and the table of
/// C functions by which the crash device stands between SQLite and the disk. Every other package has the
/// workspace's lints, which forbid it.
pub(crate) const MAY_BE_UNSAFE: &[&str] = &["countersign-sys", "countersign-crashfs"];

/// The package that reads the machine's clocks and the system's randomness.
pub(crate) const TIME_AND_RANDOMNESS: &str = "crates/clock";
/// Packages that take both from it and read no other, which clippy holds.
pub(crate) const TIME_IS_GIVEN: &[&str] =
    &["crates/catalog-postgres", "crates/quota", "crates/store", "crates/server"];

/// Where requests' bytes are, and how the store is asked to take some in.
pub(crate) const STAGING_PLACE: &str = "crates/server/src";
pub(crate) const STAGING_CALLS: &[&str] = &[".stage(", "::stage("];
/// The one file there that asks so; it asks for a grant.
pub(crate) const STAGED_ONLY_IN: &str = "crates/server/src/upload/ingest.rs";

/// Packages that exist for tests only: nothing that ships may name them in `[dependencies]`.
pub(crate) const TEST_ONLY: &[&str] =
    &["countersign-testkit", "countersign-crashfs", "countersign-conformance", "countersign-bench"];

/// Source folders of the libraries that other people's programs use: their documentation shows every public function
/// in an example that asserts.
pub(crate) const PUBLIC_INTERFACES: &[&str] = &["crates/protocol/src", "crates/app/src"];

/// The rooms of a package, floor by floor: a room is a module of the root with all that is below it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rooms {
    /// Where the package's sources are.
    pub(crate) source_folder: &'static str,
    /// From the top down. A room uses only rooms on floors below its own.
    pub(crate) floors: &'static [&'static [&'static str]],
}

/// The order of the rooms. A new room needs a floor, as a new package needs a row in [`ARROWS`].
pub(crate) const ROOMS: &[Rooms] = &[
    Rooms {
        source_folder: "crates/server/src",
        floors: &[
            &["server"],
            &["routing"],
            &["operations"],
            &["upload"],
            &["access"],
            &["response"],
            &["request"],
            &["state"],
            &["listen"],
            &["callback", "bucket_rules"],
            &["object", "budget"],
            &["error_chain", "limits", "request_id", "measures"],
        ],
    },
    Rooms {
        source_folder: "crates/store/src",
        floors: &[
            &["backup", "offline_scrub"],
            &["store"],
            &["scrub", "object_reader"],
            &["engine"],
            &["pins", "damage", "data_folder"],
            &["catalog"],
            &["mutation", "query"],
            &["staged_blob"],
            &["error"],
            &["catalog_error", "record"],
            &["blobs"],
            &["health", "trouble"],
        ],
    },
    Rooms {
        source_folder: "crates/protocol/src",
        floors: &[
            &["post_signature"],
            &["policy"],
            &["authorization", "error_reference", "form", "image", "xml"],
            &["callback", "resource"],
            &["credential", "language", "notation", "wire_refusal"],
        ],
    },
    Rooms {
        source_folder: "crates/app/src",
        floors: &[
            &["signature_hook"],
            &["router"],
            &["forward", "layer", "ledger", "signer"],
            &["application", "callback_verifier"],
            &["answer", "grant"],
            &["byte_budget", "clock", "recorded_request", "signer_options", "upload_facts"],
            &["ordered_members", "pins", "upload_path"],
        ],
    },
    Rooms {
        source_folder: "crates/cli/src",
        floors: &[
            &["exec", "testing"],
            &["app_alone", "instance"],
            &["serve"],
            &["store_alone"],
            &["admin", "bucket", "callbacks", "config_command", "env_command", "health", "migrate", "upload"],
            &["upkeep"],
            &["seed", "setup"],
            &["command_line"],
            &["configuration", "environment", "network"],
            &["shown_address", "wording", "xml_text"],
        ],
    },
];
