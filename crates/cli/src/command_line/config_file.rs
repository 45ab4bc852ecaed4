//! The configuration file: TOML whose keys are the flags of the command, turned into flags. What a flag
//! accepts is not known here; a key that is no flag is refused with one sentence.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context as _, bail};
use clap::{Arg, ArgAction, Command};

/// The file's lines as arguments of the subcommand `name`. What the environment gives is left out, because
/// it stands above the file.
pub(super) fn arguments(file: &Path, program: &Command, name: &str) -> anyhow::Result<Vec<OsString>> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("the configuration {} cannot be read", file.display()))?;
    let command = program.find_subcommand(name).context("the command is known")?;
    from_text(&text, command, |variable| std::env::var_os(variable).is_some())
        .with_context(|| format!("the configuration {}", file.display()))
}

fn from_text(text: &str, command: &Command, is_set: impl Fn(&str) -> bool) -> anyhow::Result<Vec<OsString>> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text.get(..span.start).unwrap_or("").lines().count().max(1));
        anyhow::anyhow!("is not TOML in line {line}: {}", error.message())
    })?;
    let mut arguments = Vec::new();
    for (key, value) in &table {
        let flag =
            command.get_arguments().find(|argument| argument.get_long() == Some(key) && key != "config");
        let Some(flag) = flag else {
            bail!("has the unknown setting `{key}`; see `countersign {} --help`", command.get_name())
        };
        let from_environment = flag.get_env().and_then(|name| name.to_str()).is_some_and(&is_set);
        if !from_environment {
            push(&mut arguments, flag, key, value)?;
        }
    }
    Ok(arguments)
}

fn push(arguments: &mut Vec<OsString>, flag: &Arg, key: &str, value: &toml::Value) -> anyhow::Result<()> {
    let takes_no_value = matches!(flag.get_action(), ArgAction::SetTrue);
    let value_is_optional = flag.get_num_args().is_some_and(|range| range.min_values() == 0);
    match value {
        toml::Value::Boolean(true) if takes_no_value || value_is_optional => {
            arguments.push(format!("--{key}").into())
        }
        toml::Value::Boolean(false) if takes_no_value || value_is_optional => {}
        _ if takes_no_value => bail!("wants `{key} = true` or `{key} = false`"),
        toml::Value::Array(items) if matches!(flag.get_action(), ArgAction::Append) => {
            for item in items {
                push(arguments, flag, key, item)?;
            }
        }
        toml::Value::String(text) => arguments.push(format!("--{key}={text}").into()),
        toml::Value::Integer(number) => arguments.push(format!("--{key}={number}").into()),
        _ => bail!("has a value for `{key}` that is neither text nor a number"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::command_line::CommandLine;

    fn serve(text: &str) -> Result<Vec<String>, String> {
        let program = CommandLine::command();
        let command = program.find_subcommand("serve").unwrap();
        from_text(text, command, |variable| variable == "COUNTERSIGN_ACCESS_KEY_ID")
            .map(|arguments| arguments.into_iter().map(|argument| argument.into_string().unwrap()).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn every_line_is_a_flag_of_the_same_name() {
        let arguments =
            serve("app = \"127.0.0.1:1\"\nmax-size = 5\nlan = true\npin = true\nno-callback = false\n");
        let mut arguments = arguments.unwrap();
        arguments.sort();
        assert_eq!(arguments, ["--app=127.0.0.1:1", "--lan", "--max-size=5", "--pin"]);
    }

    #[test]
    fn a_list_is_a_flag_repeated() {
        assert_eq!(
            serve("type = [\"image/png\", \"image/gif\"]").unwrap(),
            ["--type=image/png", "--type=image/gif"]
        );
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        assert_eq!(
            serve("colour = \"red\"").unwrap_err(),
            "has the unknown setting `colour`; see `countersign serve --help`"
        );
        assert!(serve("[store]\nlisten = 1").is_err());
        assert!(serve("config = \"other.toml\"").is_err());
    }

    #[test]
    fn broken_toml_is_refused_with_its_line() {
        assert!(serve("app = \"x\"\nstore = [").unwrap_err().starts_with("is not TOML in line 2"));
    }

    #[test]
    fn the_environment_stands_above_the_file() {
        assert!(serve("access-key-id = \"from-file\"").unwrap().is_empty());
    }
}
