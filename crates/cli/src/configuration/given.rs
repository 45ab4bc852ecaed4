//! A setting's value, and where it was given.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

/// Where a value comes from, the strongest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// It was typed.
    Flag,
    /// This variable.
    Variable(String),
    /// This line of the configuration file.
    Line(PathBuf, usize),
    /// Nobody gave it.
    Default,
}

impl Source {
    /// Whether this outweighs the other.
    pub(crate) fn outweighs(&self, other: &Source) -> bool {
        self.rank() < other.rank()
    }

    fn rank(&self) -> u8 {
        match self {
            Source::Flag => 0,
            Source::Variable(_) => 1,
            Source::Line(..) => 2,
            Source::Default => 3,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Flag => formatter.write_str("flag"),
            Source::Variable(name) => formatter.write_str(name),
            Source::Line(file, line) => write!(formatter, "{}:{line}", file.display()),
            Source::Default => formatter.write_str("default"),
        }
    }
}

/// What a setting was given.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// A switch, off.
    Off,
    /// A switch, on, or a flag without its value.
    On,
    /// Values; of a list any number.
    Words(Vec<OsString>),
}

impl Value {
    /// The flag with this value as it would be typed.
    pub(crate) fn to_arguments(&self, flag: &str) -> Vec<OsString> {
        match self {
            Value::Off => Vec::new(),
            Value::On => vec![format!("--{flag}").into()],
            Value::Words(words) => words.iter().map(|word| with_value(flag, word)).collect(),
        }
    }
}

fn with_value(flag: &str, word: &OsStr) -> OsString {
    let mut argument = OsString::from(format!("--{flag}="));
    argument.push(word);
    argument
}
