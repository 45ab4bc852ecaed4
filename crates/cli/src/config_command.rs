//! `countersign config`: shows every setting with its source, or checks a configuration file. Secrets are not shown.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Command;
use serde_json::{Value as Json, json};

use crate::command_line::config_flags::{ConfigCheckFlags, ConfigCommand, ConfigShowFlags};
use crate::command_line::program;
use crate::configuration::{
    ConfigError, ConfigFile, EnvironmentVariables, Held, Kind, Resolved, Source, Value, everything,
    is_server, resolve, sentence,
};
use crate::shown_address::{MASK, without_secrets};
use crate::wording::on_one_line;

/// Carries the command out.
pub(crate) fn run(command: &ConfigCommand) -> anyhow::Result<ExitCode> {
    let program = program();
    match command {
        ConfigCommand::Show(flags) => show(&program, flags),
        ConfigCommand::Check(flags) => check(&program, flags),
    }
}

/// Prints what holds for a command.
fn show(program: &Command, flags: &ConfigShowFlags) -> anyhow::Result<ExitCode> {
    let resolved = resolved(program, flags, &EnvironmentVariables::of_process())?;
    let text = if flags.json { format!("{:#}\n", as_json(&resolved)) } else { as_text(&resolved) };
    crate::wording::print(&text);
    for warning in &resolved.warnings {
        warn_line!("countersign: {warning}");
    }
    Ok(ExitCode::SUCCESS)
}

fn resolved(
    program: &Command,
    flags: &ConfigShowFlags,
    environment: &EnvironmentVariables,
) -> Result<Resolved, ConfigError> {
    let mut arguments: Vec<OsString> = vec!["countersign".into()];
    arguments.extend(flags.command.split_whitespace().map(OsString::from));
    if let Some(file) = &flags.config {
        arguments.extend([OsString::from("--config"), file.into()]);
    }
    arguments.extend(flags.flags.iter().cloned());
    let no_command = || ConfigError::NoCommand { words: flags.command.clone() };
    let resolved = resolve(program, &arguments, environment)?.ok_or_else(no_command)?;
    if resolved.words.join(" ") != flags.command.split_whitespace().collect::<Vec<_>>().join(" ") {
        return Err(no_command());
    }
    refuse_what_the_command_refuses(program, &resolved)?;
    Ok(resolved)
}

/// The command's own parser has the last word; only what is missing may still be given by a flag.
fn refuse_what_the_command_refuses(program: &Command, resolved: &Resolved) -> Result<(), ConfigError> {
    match program.clone().try_get_matches_from(&resolved.arguments) {
        Err(error) if error.kind() != clap::error::ErrorKind::MissingRequiredArgument => {
            let typed = || ConfigError::Together { problem: sentence(&error) };
            Err(resolved.explain(program, &error).unwrap_or_else(typed))
        }
        _ => Ok(()),
    }
}

/// Says whether a file is understood: by one command, or by which of those that serve.
fn check(program: &Command, flags: &ConfigCheckFlags) -> anyhow::Result<ExitCode> {
    let file = ConfigFile::read(&flags.file)?;
    let everything = everything(program);
    let of_file = |words: &[String]| -> Result<(), ConfigError> {
        file.for_command(words, &everything)?;
        // Without the environment: what is checked is the file.
        let show = ConfigShowFlags {
            command: words.join(" "),
            config: Some(flags.file.clone()),
            json: false,
            flags: Vec::new(),
        };
        resolved(program, &show, &EnvironmentVariables::default()).map(|_| ())
    };
    if let Some(command) = &flags.command {
        let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        if !everything.contains_key(&words) {
            return Err(ConfigError::NoCommand { words: command.clone() }.into());
        }
        of_file(&words)?;
        say!("{}: {command} understands it", flags.file.display());
        return Ok(ExitCode::SUCCESS);
    }
    let mut refused = Vec::new();
    let servers = everything.keys().filter(|words| is_server(words));
    let mut understood = Vec::new();
    for words in servers {
        match of_file(words) {
            Ok(()) => understood.push(words.join(" ")),
            Err(error) => refused.push((words.join(" "), error)),
        }
    }
    if understood.is_empty() {
        return Err(refused
            .into_iter()
            .map(|(_, error)| error)
            .next()
            .unwrap_or(ConfigError::NoCommand { words: String::new() })
            .into());
    }
    say!(
        "{}: {} understand{} it",
        flags.file.display(),
        understood.join(", "),
        if understood.len() == 1 { "s" } else { "" }
    );
    for (command, error) in refused {
        say!("not {command}: {}", on_one_line(&error.to_string()));
    }
    Ok(ExitCode::SUCCESS)
}

/// The values as they may be shown.
fn shown(held: &Held) -> Option<Vec<String>> {
    let value = held.value.as_ref()?;
    let words = match value {
        Value::On => vec!["true".to_owned()],
        Value::Off => vec!["false".to_owned()],
        Value::Words(_) if held.setting.secret => vec![MASK.to_owned()],
        Value::Words(words) => words.iter().map(|word| without_secrets(&word.to_string_lossy())).collect(),
    };
    Some(words)
}

fn whence(held: &Held) -> String {
    match (&held.source, &held.file) {
        (source, Some(file)) => format!("{source} ({})", file.display()),
        (Source::Default, None) if held.value.is_none() => "not set".to_owned(),
        (source, None) => source.to_string(),
    }
}

/// Hidden flags are shown when somebody has set them.
fn is_shown(held: &Held) -> bool {
    !held.setting.hidden || held.source != Source::Default
}

fn as_text(resolved: &Resolved) -> String {
    let mut text = format!("# what holds for countersign {}\n", resolved.words.join(" "));
    let width = resolved.held.iter().map(|held| held.setting.name.len()).max().unwrap_or_default();
    let mut heading = None;
    for held in resolved.held.iter().filter(|held| is_shown(held)) {
        if held.setting.heading != heading {
            heading.clone_from(&held.setting.heading);
            text.push_str(&format!("\n# {}\n", heading.as_deref().unwrap_or("Options")));
        }
        let value = shown(held).map_or_else(String::new, |words| words.join(", "));
        let line = format!(
            "{:width$}  {:32}  {}",
            held.setting.name,
            on_one_line(&value),
            on_one_line(&whence(held))
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    for name in &resolved.unused {
        text.push_str(&format!("\n# {name} is set and is no setting of this command"));
    }
    if !resolved.unused.is_empty() {
        text.push('\n');
    }
    text
}

fn as_json(resolved: &Resolved) -> Json {
    let settings = resolved.held.iter().filter(|held| is_shown(held)).map(|held| {
        let (kind, place) = match &held.source {
            Source::Flag => ("flag", Json::Null),
            Source::Variable(name) => ("environment", json!(name)),
            Source::Line(file, line) => ("file", json!(format!("{}:{line}", file.display()))),
            Source::Default if held.value.is_none() => ("unset", Json::Null),
            Source::Default => ("default", Json::Null),
        };
        let value = match (shown(held), held.setting.kind, &held.value) {
            (None, ..) => Json::Null,
            (Some(_), _, Some(Value::On)) => json!(true),
            (Some(_), _, Some(Value::Off)) => json!(false),
            (Some(words), Kind::List { .. }, _) => json!(words),
            (Some(words), ..) => json!(words.into_iter().next()),
        };
        let file = held.file.as_ref().map(|file| file.display().to_string());
        json!({
            "setting": held.setting.name, "value": value, "source": kind, "place": place, "secret_file": file,
            "variable": held.setting.variable, "takes": held.setting.value_name, "secret": held.setting.secret,
        })
    });
    json!({
        "command": resolved.words.join(" "),
        "settings": settings.collect::<Vec<_>>(),
        "unused_variables": resolved.unused,
    })
}

/// What `config show` prints, for the test that walks all flags.
#[cfg(test)]
pub(crate) fn shown_in_tests(command: &str, flags: &[&str], variables: &[(&str, &str)]) -> String {
    let flags = flags.iter().map(OsString::from).collect();
    let asked = ConfigShowFlags { command: command.to_owned(), config: None, json: false, flags };
    match resolved(&program(), &asked, &variables.iter().copied().collect()) {
        Ok(resolved) => as_text(&resolved),
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
