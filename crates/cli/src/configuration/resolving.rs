//! Decides which source of a setting counts: the command line before the environment, the environment before the
//! file.
//!
//! The outcome is a command line, which the one parser reads: so flags, variables and lines accept the same. Of a
//! list the strongest source counts alone; and what a weaker source says is left out where a stronger one says
//! something that contradicts it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use super::config_error::ConfigError;
use super::config_file::{ConfigFile, Everything};
use super::environment::EnvironmentVariables;
use super::given::{Source, Value};
use super::secret_file;
use super::setting::{self, CONFIG, Kind, Setting};
use crate::shown_address::without_secrets;

/// A setting and what it is.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) setting: Setting,
    /// None: nobody said anything and there is no default.
    pub(crate) value: Option<Value>,
    pub(crate) source: Source,
    /// The file that a secret was read from.
    pub(crate) file: Option<PathBuf>,
}

/// Something that is said at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Warning {
    /// A variable with our prefix that nothing reads.
    UnknownVariable { name: String, nearest: Option<String> },
    /// A variable that names the folder of the instance beside which this runs.
    OfAnInstance { name: String },
    /// A file with a secret that every user of the machine may read.
    OpenFile { path: PathBuf },
}

/// A command with all that is set for it.
pub(crate) struct Resolved {
    /// As it would be typed.
    pub(crate) arguments: Vec<OsString>,
    /// The command.
    pub(crate) words: Vec<String>,
    pub(crate) held: Vec<Held>,
    pub(crate) warnings: Vec<Warning>,
    /// Variables that other commands read and this one does not.
    pub(crate) unused: Vec<String>,
}

/// All settings of all commands.
pub(crate) fn everything(program: &Command) -> Everything {
    let commands = setting::all_commands(program).into_iter();
    commands
        .filter_map(|words| {
            let settings = setting::of_command(setting::find(program, &words)?, &words);
            Some((words, settings))
        })
        .collect()
}

/// Resolves what was typed. None when it is no command with settings, which the parser will have its word on.
///
/// # Errors
/// [`ConfigError`].
pub(crate) fn resolve(
    program: &Command,
    arguments: &[OsString],
    environment: &EnvironmentVariables,
) -> Result<Option<Resolved>, ConfigError> {
    // What is required may come from elsewhere, so this reading refuses nothing; the last one does.
    let Ok(matches) = program.clone().ignore_errors(true).try_get_matches_from(arguments) else {
        return Ok(None);
    };
    let (words, typed) = innermost(&matches);
    let Some(command) = setting::find(program, &words) else { return Ok(None) };
    let settings = &setting::of_command(command, &words);
    if settings.is_empty() {
        return Ok(None);
    }
    let mut choice =
        Choice { settings, given: BTreeMap::new(), files: BTreeMap::new(), warnings: Vec::new() };
    let file = typed.get_raw(CONFIG).and_then(|mut paths| paths.next()).or_else(|| environment.config_file());
    let file = file.map(|path| ConfigFile::read(path.as_ref())).transpose()?;
    // What other commands could be told matters only where something is said.
    let everything =
        if file.is_some() || environment.has_ours() { everything(program) } else { Everything::new() };
    if let Some(file) = &file {
        for (name, (value, line)) in file.for_command(&words, &everything)? {
            let secret = settings.iter().any(|setting| setting.name == name && setting.secret);
            if secret && file.open {
                choice.warnings.push(Warning::OpenFile { path: file.path.clone() });
            }
            choice.given.insert(name, (value, Source::Line(file.path.clone(), line)));
        }
    }
    for setting in settings {
        let Some(value) = environment.value(setting)? else { continue };
        if setting::is_server(&words) && environment.tells_of_an_instance(&setting.variable) {
            choice.warnings.push(Warning::OfAnInstance { name: setting.variable.clone() });
            continue;
        }
        choice.given.insert(setting.name.clone(), (value, Source::Variable(setting.variable.clone())));
    }
    for setting in settings {
        if let Some(value) = typed_value(typed, setting) {
            choice.given.insert(setting.name.clone(), (value, Source::Flag));
        }
    }
    choice.read_secrets()?;
    choice.leave_out_contradicted();
    let known = variables(everything.values().flatten());
    for unknown in environment.unknown(&known) {
        choice.warnings.push(Warning::UnknownVariable { name: unknown.name, nearest: unknown.nearest });
    }
    let own = variables(settings);
    let unused =
        known.into_iter().filter(|name| !own.contains(name) && environment.get(name).is_some()).collect();
    Ok(Some(choice.resolved(arguments, words, unused)))
}

fn variables<'a>(settings: impl IntoIterator<Item = &'a Setting>) -> BTreeSet<String> {
    settings.into_iter().map(|setting| setting.variable.clone()).collect()
}

/// The command that was typed, and what was typed for it.
fn innermost(matches: &ArgMatches) -> (Vec<String>, &ArgMatches) {
    let (mut words, mut at) = (Vec::new(), matches);
    while let Some((word, below)) = at.subcommand() {
        words.push(word.to_owned());
        at = below;
    }
    (words, at)
}

fn typed_value(typed: &ArgMatches, setting: &Setting) -> Option<Value> {
    if typed.value_source(&setting.id) != Some(ValueSource::CommandLine) {
        return None;
    }
    let words: Vec<OsString> = typed.get_raw(&setting.id).into_iter().flatten().map(OsString::from).collect();
    Some(if setting.kind == Kind::Switch { Value::On } else { Value::Words(words) })
}

/// What is given, in the making.
struct Choice<'a> {
    settings: &'a [Setting],
    given: BTreeMap<String, (Value, Source)>,
    /// Where secrets were read from.
    files: BTreeMap<String, PathBuf>,
    warnings: Vec<Warning>,
}

impl Choice<'_> {
    /// Reads the secrets of which a file is named, unless the secret itself is given by a stronger source.
    fn read_secrets(&mut self) -> Result<(), ConfigError> {
        for setting in self.settings {
            let Some(secret) = &setting.file_of else { continue };
            let Some((Value::Words(words), named_by)) = self.given.get(&setting.name).cloned() else {
                continue;
            };
            if let Some((_, source)) = self.given.get(secret) {
                if source.outweighs(&named_by) {
                    self.given.remove(&setting.name);
                    continue;
                }
                if !named_by.outweighs(source) {
                    let (secret, one) = (secret.clone(), source.clone());
                    return Err(ConfigError::SecretTwice { secret, one, other: named_by });
                }
            }
            let path = words.last().map(PathBuf::from).unwrap_or_default();
            let read = secret_file::read(&path).map_err(|problem| {
                let (named_by, path) = (named_by.clone(), path.clone());
                ConfigError::SecretFile { named_by, path, problem }
            })?;
            if read.open {
                self.warnings.push(Warning::OpenFile { path: path.clone() });
            }
            self.files.insert(secret.clone(), path);
            self.given.insert(secret.clone(), (Value::Words(vec![read.value]), named_by));
        }
        Ok(())
    }

    fn leave_out_contradicted(&mut self) {
        let holds = |name: &String| self.given.get(name).filter(|(value, _)| *value != Value::Off);
        let contradicted = self.settings.iter().filter(|setting| {
            holds(&setting.name).is_some_and(|(_, source)| {
                setting.contradicts.iter().filter_map(holds).any(|(_, stronger)| stronger.outweighs(source))
            })
        });
        let names: Vec<String> = contradicted.map(|setting| setting.name.clone()).collect();
        for name in names {
            self.given.remove(&name);
        }
    }

    fn resolved(mut self, typed: &[OsString], words: Vec<String>, unused: Vec<String>) -> Resolved {
        // The program and its command first, then what others say, then what was typed.
        let mut arguments: Vec<OsString> = typed.iter().take(1 + words.len()).cloned().collect();
        let mut held = Vec::new();
        for setting in self.settings {
            let (value, source) = match self.given.remove(&setting.name) {
                Some((value, source)) => (Some(value), source),
                None if setting.defaults.is_empty() => (None, Source::Default),
                None => (Some(Value::Words(setting.defaults.clone())), Source::Default),
            };
            let file = self.files.remove(&setting.name);
            // A secret that a typed flag names the file of was not typed itself.
            let inject = matches!(source, Source::Variable(_) | Source::Line(..)) || file.is_some();
            if let Some(value) = value.as_ref().filter(|_| inject && setting.file_of.is_none()) {
                arguments.extend(value.to_arguments(&setting.name));
            }
            held.push(Held { setting: setting.clone(), value, source, file });
        }
        arguments.extend(typed.iter().skip(1 + words.len()).cloned());
        self.warnings.dedup();
        Resolved { arguments, words, held, warnings: self.warnings, unused }
    }
}

impl Resolved {
    /// Why the parser refuses the command line, when a variable or a line of the file is the reason.
    pub(crate) fn explain(&self, program: &Command, error: &clap::Error) -> Option<ConfigError> {
        let injected = || {
            self.held.iter().filter(|held| {
                matches!(held.source, Source::Variable(_) | Source::Line(..)) || held.file.is_some()
            })
        };
        for held in injected() {
            if let Some(problem) = self.problem_with(program, held) {
                return Some(match &held.source {
                    Source::Line(path, line) => {
                        ConfigError::Line { path: path.clone(), line: *line, problem }
                    }
                    source => ConfigError::Variable { name: source.to_string(), value: None, problem },
                });
            }
        }
        let sentence = sentence(error);
        // What asks for another setting stands in the line of usage below.
        let is_missing = error.kind() == ErrorKind::MissingRequiredArgument;
        let text = if is_missing { error.to_string() } else { sentence.clone() };
        let named = injected().filter(|held| names_flag(&text, &held.setting.name));
        let sources: Vec<String> =
            named.map(|held| format!("--{} comes from {}", held.setting.name, held.source)).collect();
        (!sources.is_empty())
            .then(|| ConfigError::Together { problem: format!("{sentence} ({})", sources.join(", ")) })
    }

    /// What the parser says of one setting alone; whether it fits the others is another question.
    fn problem_with(&self, program: &Command, held: &Held) -> Option<String> {
        let mut arguments: Vec<OsString> = vec!["countersign".into()];
        arguments.extend(self.words.iter().map(OsString::from));
        arguments.extend(held.value.as_ref()?.to_arguments(&held.setting.name));
        let error = program.clone().try_get_matches_from(arguments).err()?;
        let kind = error.kind();
        if !matches!(
            kind,
            ErrorKind::InvalidValue
                | ErrorKind::ValueValidation
                | ErrorKind::InvalidUtf8
                | ErrorKind::WrongNumberOfValues
                | ErrorKind::TooFewValues
        ) {
            return None;
        }
        let reason = std::error::Error::source(&error).map(ToString::to_string);
        let name = &held.setting.name;
        if held.setting.secret {
            return Some(format!(
                "`{name}` is refused: {}",
                reason.unwrap_or_else(|| "its value is not understood".to_owned())
            ));
        }
        Some(match (reason, &held.value) {
            (Some(reason), Some(Value::Words(words))) => {
                let word_shown = |word: &OsString| format!("{:?}", without_secrets(&word.to_string_lossy()));
                let shown: Vec<String> = words.iter().map(word_shown).collect();
                format!("`{name}` is {}: {reason}", shown.join(", "))
            }
            _ => sentence(&error),
        })
    }
}

/// Whether a text names this flag, and not one that only begins so.
fn names_flag(text: &str, name: &str) -> bool {
    let flag = format!("--{name}");
    text.match_indices(&flag).any(|(at, _)| {
        let next = text.get(at + flag.len()..).and_then(|rest| rest.chars().next());
        next.is_none_or(|next| next != '-' && !next.is_ascii_alphanumeric())
    })
}

/// What is wrong stands before the first empty line; usage and hints follow.
pub(crate) fn sentence(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    lines.join(" ").trim_start_matches("error: ").to_owned()
}
