//! `countersign config`: what it shows, hides and refuses.

use super::*;

fn show(command: &str, flags: &[&str], variables: &[(&str, &str)]) -> Resolved {
    let asked = ConfigShowFlags {
        command: command.to_owned(),
        config: None,
        json: false,
        flags: flags.iter().map(OsString::from).collect(),
    };
    resolved(&program(), &asked, &variables.iter().copied().collect()).unwrap()
}

#[test]
fn shows_each_setting_with_its_source_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("s");
    std::fs::write(&secret, "hush-hush").unwrap();
    let variables = [
        ("COUNTERSIGN_MAX_SIZE", "5MB"),
        ("COUNTERSIGN_ACCESS_KEY_SECRET_FILE", secret.to_str().unwrap()),
        ("COUNTERSIGN_CALLBACK_URL", "https://u:hush-hush@a.example/cb?token=hush-hush"),
        ("COUNTERSIGN_TRUSTED_HEADER", "X-Key=hush-hush"),
        ("COUNTERSIGN_SCRUB_RATE", "3"),
    ];
    let resolved = show("app", &["--type", "image/png", "--type", "image/gif"], &variables);
    let text = as_text(&resolved);
    let line = |name: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")))
            .unwrap_or_else(|| panic!("{name}: {text}"));
        line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("max-size"), "5MB COUNTERSIGN_MAX_SIZE");
    assert_eq!(line("type"), "image/png, image/gif flag");
    assert_eq!(line("region"), "cn-hangzhou default");
    assert_eq!(line("host"), "not set");
    assert_eq!(line("pin"), "not set");
    assert!(line("access-key-secret").starts_with("******** COUNTERSIGN_ACCESS_KEY_SECRET_FILE ("), "{text}");
    assert!(line("callback-url").starts_with("https://u:********@a.example/cb?********"), "{text}");
    assert!(text.contains("COUNTERSIGN_SCRUB_RATE is set and is no setting of this command"), "{text}");
    let json = as_json(&resolved);
    assert!(!text.contains("hush") && !json.to_string().contains("hush"), "{text} {json}");
    let setting = |name: &str| {
        json["settings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|setting| setting["setting"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(
        (&setting("type")["value"], &setting("type")["source"]),
        (&json!(["image/png", "image/gif"]), &json!("flag"))
    );
    assert_eq!(
        (&setting("max-size")["source"], &setting("max-size")["place"]),
        (&json!("environment"), &json!("COUNTERSIGN_MAX_SIZE"))
    );
    assert_eq!((&setting("host")["value"], &setting("host")["source"]), (&Json::Null, &json!("unset")));
}

#[test]
fn escapes_control_characters_in_values() {
    let text = as_text(&show("serve", &[], &[("COUNTERSIGN_CALLBACK_BODY", "a\u{1b}[2J\nmax-size 5")]));
    assert!(!text.contains('\u{1b}') && !text.contains("\nmax-size 5"), "{text}");
}

#[test]
fn refuses_what_the_command_would_refuse() {
    let asked = |command: &str, flags: &[&str]| ConfigShowFlags {
        command: command.to_owned(),
        config: None,
        json: false,
        flags: flags.iter().map(OsString::from).collect(),
    };
    let refused = |command: &str, flags: &[&str]| {
        resolved(&program(), &asked(command, flags), &EnvironmentVariables::default())
            .err()
            .map(|error| error.to_string())
    };
    assert!(refused("serve", &["--max-size", "big"]).unwrap().contains("--max-size"));
    assert!(refused("serve", &["--colour"]).unwrap().contains("--colour"));
    for command in ["nonsense", "man", "config", "", "serve store"] {
        assert!(refused(command, &[]).is_some(), "{command}");
    }
    assert_eq!(refused("bucket list", &[]), None);
    assert_eq!(refused("upload", &[]), None, "what is required may be typed later");
}
