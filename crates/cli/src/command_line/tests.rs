//! Settings from flags, variables, files and secret files: which one counts, and what is refused.

use std::path::Path;

use super::*;
use crate::configuration::{Kind, Setting, everything};

fn read(arguments: &[&str], variables: &[(&str, &str)]) -> Result<CommandRead, String> {
    let arguments: Vec<OsString> = ["countersign"].iter().chain(arguments).map(OsString::from).collect();
    let environment = variables.iter().copied().collect();
    read_in(&arguments, &environment).map_err(|error| match error {
        NotRead::Typed(error) => format!("typed: {error}"),
        NotRead::Elsewhere(error) => error.to_string(),
    })
}

/// What the command would be run with.
fn flags(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    format!(
        "{:?}",
        read(arguments, variables)
            .unwrap_or_else(|error| panic!("{arguments:?} {variables:?}: {error}"))
            .command
    )
}

/// A file with these lines, as `--config` would name it.
fn file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

/// A value that a flag of this kind takes and that is not its default.
fn sample(setting: &Setting) -> &'static str {
    match (setting.name.as_str(), setting.value_name.as_str()) {
        ("lan", _) => "127.0.0.1",
        ("callback-allow", _) => "10.0.0.0/8:81",
        ("catalog", _) => "postgres://a@b.example/c",
        ("root" | "dir", _) => "there/",
        (_, "1|4") => "4",
        (_, "text|json") => "json",
        (_, "md5|crc64") => "crc64",
        (_, "oss|countersign") => "oss",
        (_, "ADDR" | "ADDR|none") => "127.0.0.1:1",
        (_, "SIZE") => "5MB",
        (_, "TIME") => "9m",
        (_, "NUMBER" | "SECONDS") => "5",
        (_, "URL") => "https://a.example",
        (_, "NET") => "10.0.0.5",
        (_, "ORIGIN") => "https://b.example",
        (_, "HOST=BUCKET") => "c.example=photos",
        (_, "URL=FILE") => "https://d.example/k.pem=k.pem",
        (
            _,
            "NAME" | "ID" | "HOST" | "CLASS" | "TEMPLATE" | "TYPE" | "PATH" | "FILE" | "DIR" | "SECRET"
            | "TOKEN" | "NAME[=VALUE]",
        ) => "something",
        (name, value) => panic!("--{name} {value}: say here which value it takes"),
    }
}

/// What must stand beside a flag for it to be taken, as the parser asks for it.
fn companions(command: &str, flag: &str, settings: &[Setting]) -> Vec<String> {
    let arguments = ["countersign", command, flag].map(OsString::from);
    let Err(NotRead::Typed(error)) = read_in(&arguments, &EnvironmentVariables::default()) else {
        return Vec::new();
    };
    let Some(clap::error::ContextValue::Strings(missing)) = error.get(clap::error::ContextKind::InvalidArg)
    else {
        panic!("{flag} of {command}: {error}");
    };
    let name = |missing: &String| missing.trim_start_matches("--").split(' ').next().unwrap().to_owned();
    let wanted = |name: String| settings.iter().find(|setting| setting.name == name).unwrap();
    missing
        .iter()
        .map(name)
        .map(wanted)
        .map(|setting| match setting.kind {
            Kind::Switch => format!("--{}", setting.name),
            _ => format!("--{}={}", setting.name, sample(setting)),
        })
        .collect()
}

fn each_setting(mut told: impl FnMut(&[String], &Setting, &[Setting])) {
    for (words, settings) in everything(&program()) {
        if matches!(words[0].as_str(), "serve" | "store" | "app" | "instance") {
            settings.iter().for_each(|setting| told(&words, setting, &settings));
        }
    }
}

/// A setting with a value, as it is typed and as the file says it.
struct Given {
    command: String,
    companions: Vec<String>,
    value: String,
    flag: String,
}

impl Given {
    fn of(words: &[String], setting: &Setting, settings: &[Setting], secret: &str) -> Given {
        let value = match (&setting.file_of, setting.kind) {
            (Some(_), _) => secret,
            (None, Kind::Switch) => "true",
            (None, _) => sample(setting),
        };
        let flag = match (&setting.file_of, setting.kind) {
            (Some(of), _) => format!("--{of}=something"),
            (None, Kind::Switch) => format!("--{}", setting.name),
            (None, _) => format!("--{}={value}", setting.name),
        };
        let companions = companions(&words[0], &flag, settings);
        Given { command: words[0].clone(), companions, value: value.to_owned(), flag }
    }

    fn companions(&self) -> Vec<&str> {
        self.companions.iter().map(String::as_str).collect()
    }

    /// The command with what must stand beside the setting, and more.
    fn typed<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        [&[self.command.as_str()], &self.companions()[..], more].concat()
    }

    /// What `config show` says of a setting.
    fn shown(&self, name: &str, flags: &[&str], variables: &[(&str, &str)]) -> String {
        let flags = [&self.companions()[..], flags].concat();
        let shown = crate::config_command::shown_in_tests(&self.command, &flags, variables);
        let line = shown.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("{name} is not shown: {shown}")).to_owned()
    }
}

#[test]
fn every_flag_of_what_serves_is_a_variable_and_a_key_and_is_shown() {
    let (_folder, secret) = file("something\n");
    let mut seen = 0;
    each_setting(|words, setting, settings| {
        let given = Given::of(words, setting, settings, &secret);
        let as_typed = flags(&given.typed(&[&given.flag]), &[]);
        if given.companions.is_empty() {
            assert_ne!(as_typed, flags(&given.typed(&[]), &[]), "{} changes nothing", given.flag);
        }
        let variables = [(setting.variable.as_str(), given.value.as_str())];
        assert_eq!(
            flags(&given.typed(&[]), &variables),
            as_typed,
            "{} of {}",
            setting.variable,
            given.command
        );
        let of = setting.file_of.as_deref().unwrap_or(&setting.name);
        let line = given.shown(of, &[], &variables);
        assert!(line.contains(&setting.variable), "{line}");
        if setting.secret || setting.file_of.is_some() {
            assert!(!line.contains("something") && line.contains("********"), "{line}");
        } else if setting.kind != Kind::Switch {
            assert!(line.contains(&given.value), "{line}");
        }

        let value =
            if setting.kind == Kind::Switch { given.value.clone() } else { format!("{:?}", given.value) };
        let lines = |table: &str, key: &str| file(&format!("{table}\n{key} = {value}\n"));
        let (_folder, path) = lines("", &setting.name);
        assert_eq!(
            flags(&given.typed(&["--config", &path]), &[]),
            as_typed,
            "{} of {}",
            setting.name,
            given.command
        );
        let line = given.shown(of, &["--config", &path], &[]);
        assert!(line.contains(&format!("{path}:2")), "{line}");
        let (_folder, path) = lines(&format!("[{}]", given.command), &setting.name.replace('-', "_"));
        let named = [("COUNTERSIGN_CONFIG", path.as_str())];
        assert_eq!(flags(&given.typed(&[]), &named), as_typed, "{} in [{}]", setting.name, given.command);
        if let Some(heading) = &setting.heading {
            let heading = heading.to_lowercase().replace(' ', "-");
            let (_folder, path) = lines(&format!("[{heading}]"), &setting.name);
            assert_eq!(
                flags(&given.typed(&["--config", &path]), &[]),
                as_typed,
                "{} in [{heading}]",
                setting.name
            );
        }
        seen += 1;
    });
    assert!(seen > 70, "{seen}");
}

#[test]
fn a_flag_counts_before_a_variable_and_that_before_the_file() {
    let (_folder, path) = file("max-size = 1\ntype = [\"image/png\", \"image/gif\"]\npin = true\n");
    let of = |typed: &[&str], variables: &[(&str, &str)]| {
        let Command::Serve(flags) =
            read(&[&["serve", "--config", &path], typed].concat(), variables).unwrap().command
        else {
            panic!()
        };
        (flags.signing.max_size, flags.signing.types, flags.signing.pin, flags.signing.no_pin)
    };
    let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let variables =
        [("COUNTERSIGN_MAX_SIZE", "2"), ("COUNTERSIGN_TYPE", "a/b, c/d,"), ("COUNTERSIGN_PIN", "false")];
    assert_eq!(of(&[], &[]), (Some(1), list(&["image/png", "image/gif"]), true, false));
    assert_eq!(of(&[], &variables), (Some(2), list(&["a/b", "c/d"]), false, false));
    assert_eq!(
        of(&["--max-size", "3", "--type", "e/f", "--no-pin"], &variables),
        (Some(3), list(&["e/f"]), false, true)
    );
    assert!(!of(&["--no-pin"], &[]).2, "what is typed outweighs what contradicts it");
    assert_eq!(of(&[], &[("COUNTERSIGN_TYPE", "")]).1, list(&[]), "an empty list is a list");
}

#[test]
fn lists_of_paths_are_split_at_line_breaks_and_not_at_commas() {
    let files = |variables: &[(&str, &str)]| {
        let Command::Store(flags) = read(&["store"], variables).unwrap().command else { panic!() };
        (flags.settings.callback_ca, flags.settings.domain)
    };
    let (files, domains) = files(&[
        ("COUNTERSIGN_CALLBACK_CA", "a,b.pem\nc.pem\n"),
        ("COUNTERSIGN_DOMAIN", "a.example,b.example\nc.example"),
    ]);
    assert_eq!(files, [PathBuf::from("a,b.pem"), PathBuf::from("c.pem")]);
    assert_eq!(domains, ["a.example", "b.example", "c.example"]);
}

#[test]
fn a_bad_value_is_refused_by_its_variables_name_and_secrets_are_not_repeated() {
    for (command, variable, value, words) in [
        ("serve", "COUNTERSIGN_PIN", "yes", &["COUNTERSIGN_PIN=\"yes\"", "true or false"][..]),
        ("serve", "COUNTERSIGN_NO_CALLBACK", "", &["COUNTERSIGN_NO_CALLBACK", "true or false"]),
        ("serve", "COUNTERSIGN_PIN", "True", &["COUNTERSIGN_PIN"]),
        (
            "serve",
            "COUNTERSIGN_MAX_SIZE",
            "big",
            &["COUNTERSIGN_MAX_SIZE", "`max-size` is \"big\"", "number of bytes"],
        ),
        ("serve", "COUNTERSIGN_CALLBACK_ALLOW", "10.0.0.0/8,nowhere", &["COUNTERSIGN_CALLBACK_ALLOW"]),
        ("app", "COUNTERSIGN_TOKEN", "k3y", &["COUNTERSIGN_TOKEN", "at least 6 letters"]),
        ("app", "COUNTERSIGN_HOST", "https://u:k3y@h/?q=k3y", &["`host` is \"https://u:"]),
        (
            "store",
            "COUNTERSIGN_TLS_CERT",
            "c.pem",
            &["--tls-key", "--tls-cert comes from COUNTERSIGN_TLS_CERT"],
        ),
        ("store", "COUNTERSIGN_CONFIG", "/nonexistent/c.toml", &["/nonexistent/c.toml"]),
        ("store", "COUNTERSIGN_CONFIG", "/dev/zero", &["/dev/zero", "longer"]),
        ("app", "COUNTERSIGN_TOKEN_FILE", "/nonexistent/t", &["COUNTERSIGN_TOKEN_FILE", "/nonexistent/t"]),
    ] {
        let refused = read(&[command], &[(variable, value)]).unwrap_err();
        for word in words {
            assert!(refused.contains(word), "{variable}={value}: {refused}");
        }
        assert!(!refused.contains("k3y") && !refused.starts_with("typed"), "{refused}");
    }
    let typed = read(&["serve", "--colour"], &[("COUNTERSIGN_MAX_SIZE", "5")]).unwrap_err();
    assert!(typed.starts_with("typed"), "{typed}");
}

#[test]
fn a_wrong_line_is_refused_with_its_number_and_the_name_that_was_meant() {
    for (command, text, line, words) in [
        ("serve", "max-sise = 5", 1, &["`max-sise`", "`max-size`"][..]),
        ("serve", "\n# a\n[sining]\nmax-size = 5", 3, &["[sining]", "[signing]"]),
        ("serve", "[signing]\nmax_sise = 5", 2, &["`max-size`"]),
        (
            "serve",
            "[signing]\ncallback-allow = []",
            2,
            &["`callback-allow` does not belong into [signing]", "[serve], [store]"],
        ),
        ("store", "max-size = 5", 1, &["no setting of store", "serve", "[app] or [serve] or [signing]"]),
        ("serve", "max-size = 5\n[serve]\nmax-size = 6", 3, &["said twice", "line 1"]),
        ("serve", "max-size = 5\nmax_size = 6", 2, &["said twice", "line 1"]),
        ("serve", "[store]\nregion = \"a\"\n[serve]\nregion = \"b\"", 4, &["said twice", "line 2"]),
        ("serve", "max-size = 5\nmax-size = 6", 2, &["is not TOML"]),
        ("serve", "app = \"x\"\nstore = [", 2, &["is not TOML"]),
        ("serve", "max-size = true", 1, &["text or a number"]),
        ("serve", "max-size = [5]", 1, &["one value"]),
        ("serve", "max-size = 5.5", 1, &["fraction"]),
        ("serve", "pin = \"yes\"", 1, &["`pin = true`"]),
        ("serve", "type = [[\"a/b\"]]", 1, &["not a list"]),
        ("serve", "[serve.signing]\nmax-size = 5", 1, &["`signing`"]),
        ("serve", "config = \"other.toml\"", 1, &["`config`"]),
        ("serve", "\nmax-size = \"big\"", 2, &["`max-size` is \"big\""]),
        ("store", "[store]\nbucket = []\n[app]\nhosst = \"x\"", 4, &["`host`"]),
        ("serve", "pin = true\nno-pin = true", 1, &["cannot be used with"]),
    ] {
        let (_folder, path) = file(text);
        let refused = read(&[command, "--config", &path], &[]).unwrap_err();
        if !words[0].starts_with("cannot") {
            assert!(refused.starts_with(&format!("{path}:{line}: ")), "{text:?}: {refused}");
        }
        for word in words {
            assert!(refused.contains(word), "{text:?}: {refused}");
        }
    }
}

#[test]
fn one_file_serves_all_commands() {
    let (_folder, path) = file(
        "data = \"d\"\nlog_format = \"json\"\n[store]\nlisten = \"127.0.0.1:1\"\ncallback-allow = [\"10.0.0.0/8\"]\n\
         bucket = [\"photos\"]\n[app]\nlisten = \"127.0.0.1:2\"\nhost = \"https://a.example\"\n[signing]\nmax-size = \"5MB\"\n\
         [serve]\nstore = \"127.0.0.1:3\"\n[backup]\nkeep = 3\n",
    );
    let of = |words: &[&str]| read(&[words, &["--config", &path]].concat(), &[]).unwrap().command;
    let Command::Store(store) = of(&["store"]) else { panic!() };
    assert_eq!(
        (store.listen.unwrap().port(), store.bucket.len(), store.settings.callback_allow.len()),
        (1, 1, 1)
    );
    let Command::App(app) = of(&["app"]) else { panic!() };
    assert_eq!((app.listen.unwrap().port(), app.signing.max_size), (2, Some(5_000_000)));
    let Command::Serve(serve) = of(&["serve"]) else { panic!() };
    assert_eq!(
        (serve.store.unwrap().port(), serve.settings.callback_allow.len(), serve.signing.max_size),
        (3, 1, Some(5_000_000))
    );
    let Command::Backup(backup) = of(&["backup", "t"]) else { panic!() };
    assert_eq!((backup.data.as_path(), backup.keep), (Path::new("d"), Some(3)));
}

#[test]
fn a_variable_that_nothing_reads_is_warned_of_with_the_name_that_was_meant() {
    let warned = |variables: &[(&str, &str)]| -> Vec<String> {
        read(&["serve"], variables).unwrap().warnings.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        warned(&[("COUNTERSIGN_MAXSIZE", "5")]),
        ["COUNTERSIGN_MAXSIZE is set, and nothing reads it; is it COUNTERSIGN_MAX_SIZE?"]
    );
    assert_eq!(
        warned(&[("COUNTERSIGN_XYZZY_PLUGH", "5")]),
        ["COUNTERSIGN_XYZZY_PLUGH is set, and nothing reads it"]
    );
    let others = [
        ("COUNTERSIGN_LOG", "info"),
        ("COUNTERSIGN_BIN", "b"),
        ("COUNTERSIGN_STORE_URL", "u"),
        ("COUNTERSIGN_APP_URL", "u"),
        ("COUNTERSIGN_SIGNATURE_URL", "u"),
        ("COUNTERSIGN_CALLBACK_KEY_URL", "u"),
        ("COUNTERSIGN_CALLBACK_KEY_FILE", "f"),
        ("COUNTERSIGN_HOST", "of another command"),
        ("OTHER", "x"),
    ];
    assert!(warned(&others).is_empty(), "{:?}", warned(&others));
    assert_eq!(
        flags(&["serve"], &others),
        flags(&["serve"], &[]),
        "what tells of an instance configures nothing"
    );
}

#[test]
fn a_server_started_under_exec_does_not_use_the_instances_folder() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("COUNTERSIGN_DATA", folder.path().to_str().unwrap())];
    let data = |words: &[&str]| format!("{:?}", read(words, &variables).unwrap()).contains(variables[0].1);
    assert!(data(&["serve"]) && data(&["store"]) && data(&["scrub"]));
    std::fs::write(folder.path().join("EPHEMERAL"), "").unwrap();
    assert!(data(&["scrub"]) && data(&["bucket", "list"]), "what looks at the instance finds it");
    for server in ["serve", "store", "app"] {
        let read = read(&[server], &variables).unwrap();
        assert!(!format!("{:?}", read.command).contains(variables[0].1), "{server}");
        assert!(read.warnings[0].to_string().contains("COUNTERSIGN_DATA"), "{:?}", read.warnings);
    }
}

#[test]
fn flags_for_one_run_cannot_be_configured() {
    let (_folder, path) = file("[callbacks]\nall = true\n");
    assert!(read(&["callbacks", "drop", "--id", "1", "--config", &path], &[]).unwrap_err().contains("`all`"));
    for (words, variable, value) in [
        (&["callbacks", "drop"][..], "COUNTERSIGN_ALL", "true"),
        (&["callbacks", "drop"], "COUNTERSIGN_OLDER_THAN", "5m"),
    ] {
        assert!(read(words, &[(variable, value)]).unwrap_err().starts_with("typed"), "{variable}");
    }
    for (words, variable, value) in [
        (&["scrub"][..], "COUNTERSIGN_REMOVE_ORPHANS", "true"),
        (&["restore", "x"], "COUNTERSIGN_ACCEPT_DAMAGE", "true"),
        (&["bucket", "create", "photos"], "COUNTERSIGN_ALLOW_ORIGIN", "*"),
        (&["bucket", "list"], "COUNTERSIGN_ACCESS_KEY_ID", "x"),
    ] {
        assert_eq!(flags(words, &[(variable, value)]), flags(words, &[]), "{variable}");
    }
    assert_ne!(
        flags(&["callbacks", "check"], &[("COUNTERSIGN_OLDER_THAN", "5m")]),
        flags(&["callbacks", "check"], &[])
    );
}

#[test]
fn a_secret_comes_from_the_strongest_of_value_and_file_and_not_from_both() {
    let (_folder, path) = file("from-file\n");
    let token = |typed: &[&str], variables: &[(&str, &str)]| {
        let Command::App(flags) = read(&[&["app"], typed].concat(), variables)?.command else { panic!() };
        Ok::<_, String>(flags.token.map(|token| String::from_utf8_lossy(token.as_bytes()).into_owned()))
    };
    let named = ("COUNTERSIGN_TOKEN_FILE", path.as_str());
    assert_eq!(token(&[], &[named]).unwrap().unwrap(), "from-file");
    assert_eq!(token(&["--token", "from-flag"], &[named]).unwrap().unwrap(), "from-flag");
    assert_eq!(
        token(&["--token-file", &path], &[("COUNTERSIGN_TOKEN", "from-variable")]).unwrap().unwrap(),
        "from-file"
    );
    let both = token(&[], &[named, ("COUNTERSIGN_TOKEN", "from-variable")]).unwrap_err();
    assert!(
        both.contains("COUNTERSIGN_TOKEN and COUNTERSIGN_TOKEN_FILE") && !both.contains("from-"),
        "{both}"
    );
}

/// A terminal's scrollback and the log of a build keep what is printed.
#[test]
fn a_refused_address_is_repeated_without_its_password() {
    for arguments in [
        &["app", "--host", "http://user:pa55word@[bad"][..],
        &["app", "--callback-key", "http://user:pa55word@host"],
        &["serve", "--public-store-url", "x://user:pa55word@host"],
        &["serve", "--public-store-url", "user:pa55word@host"],
        &["serve", "--public-store-url", "ht tp://user:pa55/w@ord@host"],
        &["serve", "--allow-origin", "http://a.example/?pa55word"],
        &["upload", "file", "--to", "ftp://user:pa55word@host"],
        &["health", "--url", "ftp://host/?token=pa55word"],
        &["bucket", "set", "photos", "--allow-origin", "http://user:pa55word@host/"],
    ] {
        let refused = read(arguments, &[]).unwrap_err();
        assert!(refused.starts_with("typed: error: invalid value"), "{refused}");
        assert!(!refused.contains("pa55"), "{refused}");
    }
    let refused = read(&["serve", "--public-store-url", "ftp://host"], &[]).unwrap_err();
    assert!(refused.contains("'ftp://host'"), "what is no secret is repeated: {refused}");
}
