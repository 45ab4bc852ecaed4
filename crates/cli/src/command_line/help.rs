//! The end of each command's help: examples, and what the environment chooses.

use clap::Command;

/// How the log is chosen; every command writes one.
const LOG: &str = "Environment: COUNTERSIGN_LOG chooses what is logged on standard error, as in \
`info`, `warn,request=off` (no line for each request) or `countersign_server=debug`. Flags are variables and lines of a \
file too: see countersign config --help.";

/// Examples of each command, by its words.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("serve", &["countersign serve", "countersign serve --lan --max-size 20MB"]),
    (
        "store",
        &[
            "countersign store --bucket photos --allow-origin https://www.example.com",
            "countersign store --listen 0.0.0.0:9817 --tls-cert chain.pem --tls-key key.pem --log-format json",
        ],
    ),
    (
        "app",
        &[
            "countersign app --host https://BUCKET.oss-cn-hangzhou.aliyuncs.com --public-app-url https://up.example.com",
        ],
    ),
    (
        "exec",
        &["countersign exec -- pytest", "countersign exec --bucket photos --bucket backups -- npm test"],
    ),
    ("instance", &["countersign instance --bucket photos"]),
    ("env", &["countersign env --data countersign-data", "countersign env --json"]),
    (
        "upload",
        &[
            "countersign upload photo.jpg --to http://127.0.0.1:9818",
            "countersign upload holiday/ --to http://127.0.0.1:9818 --path user-dir/2026/ --keep-name",
        ],
    ),
    ("scrub", &["countersign scrub --json", "countersign scrub --known"]),
    ("backup", &["countersign backup /mnt/backups --keep 7"]),
    ("restore", &["countersign restore /mnt/backups --data countersign-data"]),
    (
        "migrate",
        &[
            "countersign migrate --catalog postgres://countersign@db.example.com/countersign --check",
            "countersign migrate --catalog postgres://countersign@db.example.com/countersign",
        ],
    ),
    ("export", &["countersign export fixtures --data countersign-data"]),
    ("bucket show", &["countersign bucket show photos"]),
    ("bucket list", &["countersign bucket list"]),
    ("bucket rm", &["countersign bucket rm photos"]),
    ("callbacks list", &["countersign callbacks list --json"]),
    ("callbacks drop", &["countersign callbacks drop --older-than 30d --dry-run"]),
    ("callbacks check", &["countersign callbacks check --older-than 5m"]),
    ("completions", &["countersign completions bash > /usr/share/bash-completion/completions/countersign"]),
    (
        "health",
        &["countersign health --data /var/lib/countersign", "countersign health --url http://127.0.0.1:9817"],
    ),
    ("man", &["countersign man > /usr/share/man/man1/countersign.1", "countersign man serve | man -l -"]),
];

/// The program with the ends of its helps.
pub(super) fn complete(program: Command) -> Command {
    with_end(program, "")
}

fn with_end(command: Command, words: &str) -> Command {
    let examples = EXAMPLES.iter().find(|(of, _)| *of == words).map(|(_, examples)| *examples);
    let mut end = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    for example in examples.unwrap_or_default() {
        let break_or_none = if end.is_empty() { "" } else { "\n" };
        end.push_str(&format!("{break_or_none}Example: {example}"));
    }
    let end = if end.is_empty() { LOG.to_owned() } else { format!("{end}\n\n{LOG}") };
    let below = words.to_owned();
    command.after_help(end).mut_subcommands(move |command| {
        let words = format!("{below} {}", command.get_name());
        with_end(command, words.trim_start())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(command: &Command, words: &str, told: &mut impl FnMut(&str, &Command)) {
        for below in command.get_subcommands() {
            let words = format!("{words} {}", below.get_name());
            told(words.trim_start(), below);
            each(below, &words, told);
        }
    }

    #[test]
    fn every_help_has_an_example_that_parses_and_says_how_to_choose_the_log() {
        let program = crate::command_line::program();
        let mut seen = 0;
        each(&program, "", &mut |words, command| {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("COUNTERSIGN_LOG"), "{words}");
            let examples: Vec<&str> =
                help.lines().filter_map(|line| line.strip_prefix("Example: ")).collect();
            assert!(!examples.is_empty() || command.has_subcommands(), "{words} has no example");
            for example in examples {
                let parsed = program.clone().try_get_matches_from(
                    example.split([' ']).take_while(|word| !matches!(*word, ">" | "|")),
                );
                assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
                seen += 1;
            }
        });
        assert!(seen >= 12, "{seen}");
    }
}
