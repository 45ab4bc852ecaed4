//! Lists what can be set, from the command line's own description: each flag is a setting, with its variable and its
//! key. There is no other list.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::ValueHint;
use clap::{Arg, ArgAction, Command};

/// What all variables begin with.
pub(crate) const PREFIX: &str = "COUNTERSIGN_";
/// The flag, and with the prefix the variable, that names the file.
pub(crate) const CONFIG: &str = "config";
/// Commands that have no settings.
const WITHOUT_SETTINGS: [&str; 4] = ["completions", "man", "config", "help"];
/// Commands that serve, for which a setting that they do not have must not be passed over: somebody would rely on it.
const SERVERS: [&str; 3] = ["serve", "store", "app"];
/// Flags that say what is done this once, and most of them to what: a variable that is meant for another command, or a
/// forgotten line in a file, must not make a command delete or change.
const ONLY_TYPED: [(&str, &[&str]); 8] = [
    ("migrate", &["check"]),
    ("callbacks drop", &["id", "older-than", "all", "dry-run"]),
    ("bucket create", &["mode", "allow-origin"]),
    ("bucket set", &["mode", "allow-origin"]),
    ("scrub", &["known", "remove-orphans"]),
    ("restore", &["backup", "accept-damage"]),
    ("upload", &["path", "keep-name"]),
    ("env", &["shell"]),
];

/// How a flag is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is there or not.
    Switch,
    /// It is there or not, and may have a value.
    SwitchWithValue,
    /// It has one value.
    Single,
    /// It may be repeated. In a variable its values stand on lines of their own, or between commas where no value of
    /// this kind has one.
    List {
        /// Whether commas part values.
        commas: bool,
    },
}

/// A flag that can be set elsewhere too.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    /// What the parser calls it.
    pub(crate) id: String,
    /// The flag without its dashes, which is the key.
    pub(crate) name: String,
    /// The variable.
    pub(crate) variable: String,
    pub(crate) kind: Kind,
    /// What the help calls its value.
    pub(crate) value_name: String,
    /// What is set is not shown.
    pub(crate) secret: bool,
    /// The heading that the help lists it under.
    pub(crate) heading: Option<String>,
    pub(crate) hidden: bool,
    pub(crate) defaults: Vec<OsString>,
    /// Flags that must not stand beside it.
    pub(crate) contradicts: Vec<String>,
    /// Of a flag that names the file of a secret: the secret.
    pub(crate) file_of: Option<String>,
}

/// What all secrets' flags gain: a flag that names a file to read it from.
const FILE_ENDING: &str = "-file";

/// Adds to each command that has settings the flags that this mechanism owns: `--config`, and a flag with the ending
/// `-file` for each secret.
pub(crate) fn with_own_flags(program: Command) -> Command {
    program.mut_subcommands(|command| {
        if WITHOUT_SETTINGS.contains(&command.get_name()) {
            return command;
        }
        if command.has_subcommands() {
            return with_own_flags(command);
        }
        let secrets: Vec<Arg> = command.get_arguments().filter(|flag| is_secret(flag)).cloned().collect();
        let mut command = command;
        for secret in secrets {
            let Some(name) = secret.get_long().map(str::to_owned) else { continue };
            let named = format!("{name}{FILE_ENDING}");
            if command.get_arguments().any(|flag| flag.get_long() == Some(&named)) {
                continue;
            }
            let flag = Arg::new(named.clone())
                .long(named)
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .help(format!("Read --{name} from this file; a line break at its end is not part of it"));
            command = command.arg(match secret.get_help_heading() {
                Some(heading) => flag.help_heading(heading.to_owned()),
                None => flag,
            });
        }
        if command.get_arguments().any(|flag| flag.get_long() == Some(CONFIG)) {
            return command;
        }
        command.arg(
            Arg::new(CONFIG)
                .long(CONFIG)
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .help("A TOML file with any of these flags as lines; see `countersign config`"),
        )
    })
}

/// The command that these words name.
pub(crate) fn find<'a>(program: &'a Command, words: &[String]) -> Option<&'a Command> {
    words.iter().try_fold(program, |command, word| command.find_subcommand(word))
}

/// Whether the command must refuse what it does not have.
pub(crate) fn is_server(words: &[String]) -> bool {
    matches!(words, [word] if SERVERS.contains(&word.as_str()))
}

/// The settings of the command that these words name, in the order of its help.
pub(crate) fn of_command(command: &Command, words: &[String]) -> Vec<Setting> {
    if words.first().is_none_or(|word| WITHOUT_SETTINGS.contains(&word.as_str())) {
        return Vec::new();
    }
    let typed =
        ONLY_TYPED.iter().find(|(name, _)| *name == words.join(" ")).map_or(&[][..], |(_, flags)| flags);
    let flags: Vec<&Arg> = command
        .get_arguments()
        .filter(|flag| {
            flag.get_long().is_some_and(|name| name != CONFIG && name != "help" && name != "version")
        })
        .collect();
    let contradictions = |flag: &Arg| -> Vec<String> {
        let of = |flag: &Arg| flag.get_long().map(str::to_owned);
        let named = command.get_arg_conflicts_with(flag).into_iter().filter_map(of);
        let naming = flags.iter().filter(|other| {
            command.get_arg_conflicts_with(other).iter().any(|found| found.get_id() == flag.get_id())
        });
        named.chain(naming.filter_map(|other| of(other))).collect()
    };
    let settings = flags.iter().filter_map(|flag| {
        let name = flag.get_long().filter(|name| !typed.contains(name))?.to_owned();
        let file_of = name.strip_suffix(FILE_ENDING).and_then(|secret| {
            flags.iter().find(|flag| flag.get_long() == Some(secret) && is_secret(flag)).copied()
        });
        let variable = match file_of {
            Some(secret) => format!("{}_FILE", variable(secret, name.strip_suffix(FILE_ENDING)?)),
            None => variable(flag, &name),
        };
        Some(Setting {
            id: flag.get_id().to_string(),
            variable,
            kind: kind(flag),
            value_name: flag.get_value_names().into_iter().flatten().map(|name| name.to_string()).collect(),
            secret: is_secret(flag),
            heading: flag.get_help_heading().map(str::to_owned),
            hidden: flag.is_hide_set(),
            defaults: flag.get_default_values().iter().map(|value| value.to_os_string()).collect(),
            contradicts: contradictions(flag),
            file_of: file_of.and_then(|secret| secret.get_long()).map(str::to_owned),
            name,
        })
    });
    settings.collect()
}

/// All commands that have settings, by their words.
pub(crate) fn all_commands(program: &Command) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    for command in program.get_subcommands().filter(|command| !WITHOUT_SETTINGS.contains(&command.get_name()))
    {
        let name = command.get_name().to_owned();
        if command.has_subcommands() {
            let below = command.get_subcommands().map(|below| below.get_name().to_owned());
            commands.extend(below.filter(|word| word != "help").map(|word| vec![name.clone(), word]));
        } else {
            commands.push(vec![name]);
        }
    }
    commands
}

/// Its own variable where the flag has one, as the API's tools know it; else its name with the prefix.
fn variable(flag: &Arg, name: &str) -> String {
    match flag.get_env().and_then(|variable| variable.to_str()) {
        Some(own) => own.to_owned(),
        None => format!("{PREFIX}{}", name.to_ascii_uppercase().replace('-', "_")),
    }
}

fn is_secret(flag: &Arg) -> bool {
    flag.is_hide_env_values_set()
}

fn kind(flag: &Arg) -> Kind {
    match flag.get_action() {
        ArgAction::Set if flag.get_num_args().is_some_and(|values| values.min_values() == 0) => {
            Kind::SwitchWithValue
        }
        ArgAction::Set => Kind::Single,
        ArgAction::Append => Kind::List { commas: !may_have_commas(flag) },
        _ => Kind::Switch,
    }
}

/// Names of files and addresses may have commas in them.
fn may_have_commas(flag: &Arg) -> bool {
    let names = flag.get_value_names().unwrap_or_default();
    let says = |word: &str| names.iter().any(|name| name.contains(word));
    matches!(flag.get_value_hint(), ValueHint::AnyPath) || ["FILE", "DIR", "URL"].into_iter().any(says)
}
