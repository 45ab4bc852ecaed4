//! Reads settings from environment variables.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::config_error::ConfigError;
use super::given::Value;
use super::nearest::nearest;
use super::setting::{CONFIG, Kind, PREFIX, Setting};

/// Variables that are no flag's: what is logged, where tests and their libraries find the program, and those by which `exec`,
/// `instance` and `env` tell tests where an instance is. That some of them sound like flags misleads only people.
const OTHER_VARIABLES: [&str; 8] = [
    "COUNTERSIGN_LOG",
    "COUNTERSIGN_BIN",
    "COUNTERSIGN_BINARY",
    "COUNTERSIGN_STORE_URL",
    "COUNTERSIGN_APP_URL",
    "COUNTERSIGN_SIGNATURE_URL",
    "COUNTERSIGN_CALLBACK_KEY_URL",
    "COUNTERSIGN_CALLBACK_KEY_FILE",
];
/// The variable that is a flag's and tells of an instance, too.
const DATA_VARIABLE: &str = "COUNTERSIGN_DATA";
/// Marks the folder of a throw-away instance.
const INSTANCE_MARK: &str = "EPHEMERAL";

/// The variables of a process; made once, so that tests need not touch their own.
#[derive(Clone, Default)]
pub(crate) struct EnvironmentVariables(BTreeMap<OsString, OsString>);

/// A variable that was probably meant to be another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownVariable {
    pub(crate) name: String,
    pub(crate) nearest: Option<String>,
}

impl EnvironmentVariables {
    /// Of this process.
    pub(crate) fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    pub(super) fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// The variable that names the configuration file, where it is set.
    pub(super) fn config_file(&self) -> Option<&OsStr> {
        self.get(&config_variable())
    }

    /// What a setting is given here.
    pub(super) fn value(&self, setting: &Setting) -> Result<Option<Value>, ConfigError> {
        let Some(value) = self.get(&setting.variable) else { return Ok(None) };
        let truth = |text: &OsStr| match text.to_str() {
            Some("true" | "1") => Some(Value::On),
            Some("false" | "0") => Some(Value::Off),
            _ => None,
        };
        let refused = |problem: &str| ConfigError::Variable {
            name: setting.variable.clone(),
            value: (!setting.secret).then(|| value.to_string_lossy().into_owned()),
            problem: problem.to_owned(),
        };
        match setting.kind {
            Kind::Switch => truth(value).map(Some).ok_or_else(|| refused("write true or false, or 1 or 0")),
            Kind::SwitchWithValue => {
                Ok(Some(truth(value).unwrap_or_else(|| Value::Words(vec![value.to_owned()]))))
            }
            Kind::Single => Ok(Some(Value::Words(vec![value.to_owned()]))),
            Kind::List { commas } => {
                let text = value.to_str().ok_or_else(|| refused("a list is UTF-8"))?;
                let parts = text.split(|sign: char| sign == '\n' || (commas && sign == ','));
                let words = parts.map(str::trim).filter(|part| !part.is_empty()).map(OsString::from);
                Ok(Some(Value::Words(words.collect())))
            }
        }
    }

    /// Whether this names the folder of the instance that the process is run beside, which a server of its own must
    /// not take for the folder to serve.
    pub(super) fn tells_of_an_instance(&self, variable: &str) -> bool {
        let folder = self.get(variable).filter(|_| variable == DATA_VARIABLE);
        folder.is_some_and(|folder| Path::new(folder).join(INSTANCE_MARK).exists())
    }

    /// Whether any variable has our prefix.
    pub(super) fn has_ours(&self) -> bool {
        self.0.keys().any(|name| name.to_string_lossy().starts_with(PREFIX))
    }

    /// Variables with our prefix that nothing reads.
    pub(super) fn unknown(&self, known: &BTreeSet<String>) -> Vec<UnknownVariable> {
        let config = config_variable();
        let names = || known.iter().map(String::as_str).chain(OTHER_VARIABLES).chain([config.as_str()]);
        let ours = self.0.keys().map(|name| name.to_string_lossy()).filter(|name| name.starts_with(PREFIX));
        let unknown = ours.filter(|name| !names().any(|known| known == name));
        let named = unknown.map(|name| {
            let ending = name.strip_prefix(PREFIX).unwrap_or_default();
            let endings = names().filter_map(|known| known.strip_prefix(PREFIX));
            let nearest = nearest(ending, endings).map(|ending| format!("{PREFIX}{ending}"));
            UnknownVariable { name: name.into_owned(), nearest }
        });
        named.collect()
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for EnvironmentVariables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

fn config_variable() -> String {
    format!("{PREFIX}{}", CONFIG.to_ascii_uppercase())
}
