//! Tests that the settings files of the Debian package say what the commands understand, and leave no flag out.

use std::ffi::OsString;
use std::path::PathBuf;

use super::{Command, EnvironmentVariables, program, read_in};

/// Flags that have no place in a service's settings: where these are read from, and what only tests and trials use.
const ELSEWHERE: &[&str] = &["config", "clock-offset", "ephemeral", "ephemeral-in", "seed", "help"];
/// Flags that belong into the file that fewer people may read.
const SECRETS: &[&str] =
    &["access-key-id", "access-key-secret", "catalog-password", "security-token", "token"];

fn sample(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../packaging/deb").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// The lines that set something, or would without their `#`; comments have a blank behind it.
fn settings(text: &str) -> Vec<&str> {
    let setting =
        |line: &&str| line.trim_start_matches('#').starts_with(|sign: char| sign.is_ascii_lowercase());
    text.lines().map(|line| line.strip_prefix('#').unwrap_or(line)).filter(setting).collect()
}

fn key(line: &str) -> &str {
    line.split('=').next().unwrap().trim()
}

fn accepted(command: &str, lines: &[&str]) -> Result<Command, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let words: [OsString; 4] = ["countersign".into(), command.into(), "--config".into(), file.into()];
    read_in(&words, &EnvironmentVariables::default())
        .map(|read| read.command)
        .map_err(|error| format!("{lines:?}: {error:?}"))
}

fn holds_only_valid_lines_and_every_flag(command: &str, name: &str) {
    let text = sample(name);
    let whole: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    accepted(command, &whole).unwrap();
    // What belongs together stands together.
    for block in text.split("\n\n") {
        for line in settings(block) {
            let others = settings(block).into_iter().filter(|other| key(other) != key(line));
            let together: Vec<&str> = others.chain([line]).collect();
            let unique = together
                .iter()
                .enumerate()
                .filter(|(at, line)| together.iter().position(|other| key(other) == key(line)) == Some(*at));
            accepted(command, &unique.map(|(_, line)| *line).collect::<Vec<_>>()).unwrap();
        }
    }
    let told: Vec<&str> = settings(&text).into_iter().map(key).collect();
    let program = program();
    let flags = program.find_subcommand(command).unwrap().get_arguments();
    for flag in flags.filter_map(clap::Arg::get_long) {
        // Each secret may be read from a file of its own instead, which is said once for all of them.
        let of_file = flag.strip_suffix("-file").filter(|stem| SECRETS.contains(stem) || told.contains(stem));
        let flag = of_file.unwrap_or(flag);
        let secret = SECRETS.contains(&flag);
        assert!(!(secret && told.contains(&flag)), "--{flag} belongs into secrets.env");
        assert!(secret || ELSEWHERE.contains(&flag) || told.contains(&flag), "{name} lacks {flag}");
    }
}

#[test]
fn the_sample_for_the_store_holds_only_valid_lines_and_every_flag() {
    holds_only_valid_lines_and_every_flag("store", "countersign.toml");
}

#[test]
fn the_sample_for_the_application_server_holds_only_valid_lines_and_every_flag() {
    holds_only_valid_lines_and_every_flag("app", "app.toml");
}

#[test]
fn a_line_that_is_no_setting_would_be_seen() {
    assert!(accepted("store", &["colour = \"red\""]).unwrap_err().contains("there is no setting `colour`"));
    assert_eq!(settings("# Words.\n#a = 1\nb = 2\n\n#"), ["a = 1", "b = 2"]);
}

#[test]
fn the_sample_for_secrets_names_variables_that_flags_have() {
    let text = sample("secrets.env");
    let program = program();
    for line in
        text.lines().filter_map(|line| line.strip_prefix('#')).filter(|line| line.starts_with("COUNTERSIGN"))
    {
        let flag = key(line).trim_start_matches("COUNTERSIGN_").to_lowercase().replace('_', "-");
        assert!(SECRETS.contains(&flag.as_str()), "{line}");
        let known = ["store", "app"].iter().any(|command| {
            let mut flags = program.find_subcommand(command).unwrap().get_arguments();
            flags.any(|argument| argument.get_long() == Some(flag.as_str()))
        });
        assert!(known, "{line}");
    }
}
