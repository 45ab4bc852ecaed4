//! Errors of a configuration: each names the variable, or the file and its line.

use std::path::PathBuf;

/// A configuration that is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// A file cannot be read.
    #[error("the configuration {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line of the file.
    #[error("{}:{line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Its line.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A variable's value.
    #[error("{name}{}: {problem}", value.as_ref().map(|value| format!("={value:?}")).unwrap_or_default())]
    Variable {
        /// The variable.
        name: String,
        /// Its value, unless it is secret.
        value: Option<String>,
        /// What is wrong with it.
        problem: String,
    },
    /// The file of a secret.
    #[error("{named_by}: the file {} {problem}", path.display())]
    SecretFile {
        /// Where the file is named.
        named_by: super::given::Source,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A secret, and a file that it should be read from, given at one place.
    #[error("{one} and {other} both say what --{secret} is")]
    SecretTwice {
        /// The secret.
        secret: String,
        /// Where the secret is given.
        one: super::given::Source,
        /// Where its file is named.
        other: super::given::Source,
    },
    /// A command that is not there, or has no settings.
    #[error("{words:?} is no command with settings; see `countersign --help`")]
    NoCommand {
        /// What was typed.
        words: String,
    },
    /// What the command line refuses for reasons of several settings.
    #[error("{problem}")]
    Together {
        /// What it says, with where each setting comes from.
        problem: String,
    },
}
