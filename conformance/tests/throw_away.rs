//! `exec`, `instance` and `env` from outside: what a command finds in its environment, how it ends, and that nothing
//! is left behind.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use countersign_conformance::running::binary_path;

/// A folder for throw-away folders, which others of the machine do not use.
fn root() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("with a space ").tempdir().expect("a temporary folder")
}

fn exec(root: &Path, script: &str) -> Command {
    let mut command = Command::new(binary_path());
    command.args(["exec", "--bucket", "photos", "--bucket", "other", "--ephemeral-in"]).arg(root);
    command.args(["--", "sh", "-c", script]).stdin(Stdio::null());
    command
}

fn output(command: &mut Command) -> (Output, String) {
    let output = command.output().expect("countersign starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, text)
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).expect("readable").next().is_none()
}

fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is() {
        assert!(Instant::now() < deadline, "{what} within 20 s");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

#[test]
fn a_command_finds_the_instance_and_nothing_of_another_account() {
    let root = root();
    let mut command = exec(root.path(), "env");
    for junk in ["OSS_SESSION_TOKEN", "ALIBABA_CLOUD_SECURITY_TOKEN", "ALIBABA_CLOUD_PROFILE", "OSS_ENDPOINT"]
    {
        command.env(junk, "junk");
    }
    let (output, text) = output(command.env("NO_PROXY", ".corp").env_remove("no_proxy"));
    assert_eq!(output.status.code(), Some(0));
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
    let store = value("COUNTERSIGN_STORE_URL").expect("a store");
    assert!(store.starts_with("http://127.0.0.1:"));
    assert_eq!(value("OSS_ENDPOINT"), Some(store));
    assert_eq!((value("OSS_BUCKET"), value("OSS_REGION")), (Some("photos"), Some("cn-hangzhou")));
    let app = value("COUNTERSIGN_APP_URL").expect("an application server");
    assert_eq!(value("COUNTERSIGN_SIGNATURE_URL"), Some(&*format!("{app}/signature")));
    assert!(value("COUNTERSIGN_CALLBACK_KEY_URL").is_some_and(|url| url.starts_with(store)));
    assert!(value("COUNTERSIGN_CALLBACK_KEY_FILE").is_some_and(|file| file.contains("with a space ")));
    for half in ["ID", "SECRET"] {
        let given = value(&format!("OSS_ACCESS_KEY_{half}"));
        assert!(given.is_some_and(|given| given.len() >= 20));
        assert_eq!(value(&format!("ALIBABA_CLOUD_ACCESS_KEY_{half}")), given);
    }
    for name in ["NO_PROXY", "no_proxy"] {
        assert_eq!(value(name), Some(".corp,127.0.0.1,localhost,::1"));
    }
    for gone in ["OSS_SESSION_TOKEN", "ALIBABA_CLOUD_SECURITY_TOKEN", "ALIBABA_CLOUD_PROFILE"] {
        assert_eq!(value(gone), None, "{gone}");
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("callbacks may go to every port of this machine") && said.contains("nothing is synced")
    );
    assert!(is_empty(root.path()));
}

#[test]
fn a_client_with_a_dead_proxy_configured_reaches_the_instance_directly() {
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a port");
    proxy.set_nonblocking(true).expect("it may be asked");
    let address = format!("http://{}", proxy.local_addr().expect("an address"));
    let root = root();
    let script = "curl -sS --max-time 20 \"$COUNTERSIGN_SIGNATURE_URL?fields=1&bucket=other\" && \
                  curl -sS --max-time 20 \"$COUNTERSIGN_CALLBACK_KEY_URL\"";
    let mut command = exec(root.path(), script);
    for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        command.env(name, &address);
    }
    let (output, text) = output(command.env_remove("NO_PROXY").env_remove("no_proxy"));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("/other\"") && text.contains("BEGIN PUBLIC KEY"), "{text}");
    let heard = proxy.accept().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(heard, Err(std::io::ErrorKind::WouldBlock));
}

#[test]
fn exec_exits_as_its_command_did_and_ends_what_the_command_left_running() {
    let root = root();
    let code = |script: &str| output(&mut exec(root.path(), script)).0.status.code();
    assert_eq!(code("exit 7"), Some(7));
    assert_eq!(code("kill -TERM $$"), Some(128 + 15));
    let run = |program: &str| {
        let mut command = Command::new(binary_path());
        command.args(["exec", "--ephemeral-in"]).arg(root.path()).args(["--", program]);
        output(command.stdin(Stdio::null())).0.status.code()
    };
    assert_eq!(run("countersign-no-such-program"), Some(127));
    assert_eq!(run("/etc/passwd"), Some(126));
    let (output, text) =
        output(&mut exec(root.path(), "sleep 301 & echo $!; setsid sleep 302 & echo $!; exit 3"));
    assert_eq!(output.status.code(), Some(3));
    let left: Vec<&str> = text.lines().filter(|pid| runs(pid)).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(is_empty(root.path()));
}

/// Starts `exec` with a command that tells its own number and a child's that left its session, and then waits.
fn waiting(root: &Path) -> (Child, Vec<String>) {
    let script = "trap 'exit 5' TERM; setsid sleep 303 & echo $!; echo $$; echo $COUNTERSIGN_STORE_URL; sleep 304 & wait";
    let mut runner = exec(root, script).stdout(Stdio::piped()).spawn().expect("countersign starts");
    let lines = BufReader::new(runner.stdout.take().expect("piped")).lines();
    let told = lines.take(3).map(|line| line.expect("a line")).collect();
    (runner, told)
}

fn send(signal: &str, pid: u32) {
    let status = Command::new("kill").args([signal, &pid.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()));
}

#[test]
fn a_signal_is_passed_on_to_the_command() {
    let root = root();
    let (mut runner, _) = waiting(root.path());
    send("-TERM", runner.id());
    assert_eq!(runner.wait().expect("it ends").code(), Some(5));
    assert!(is_empty(root.path()));
}

#[test]
fn nothing_is_left_when_the_runner_is_killed() {
    let root = root();
    let (mut runner, told) = waiting(root.path());
    assert!(!is_empty(root.path()) && told[..2].iter().all(|pid| runs(pid)));
    runner.kill().expect("SIGKILL");
    runner.wait().expect("it is dead");
    wait_until("command and its child end", || told[..2].iter().all(|pid| !runs(pid)));
    wait_until("the folder is removed", || is_empty(root.path()));
    let address = told[2].trim_start_matches("http://");
    assert!(TcpStream::connect(address).is_err(), "nothing listens");
}

#[test]
fn an_instance_says_where_it_is_and_ends_with_its_standard_input() {
    let root = root();
    let mut command = Command::new(binary_path());
    command.args(["instance", "--ephemeral-in"]).arg(root.path());
    let mut instance =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("countersign starts");
    let mut printed = BufReader::new(instance.stdout.take().expect("piped"));
    let mut line = String::new();
    printed.read_line(&mut line).expect("a line");
    let told: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let data = told["COUNTERSIGN_DATA"].as_str().expect("a folder");
    let env = Command::new(binary_path()).args(["env", "--json", "--data", data]).output().expect("it runs");
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&env.stdout).expect("JSON"), told);
    let script = format!("eval \"$({} env --data '{data}')\"; echo $OSS_BUCKET", binary_path().display());
    let (_, text) = output(Command::new("sh").args(["-c", &script]));
    assert_eq!(text.trim(), "demo");
    drop(instance.stdin.take());
    assert_eq!(instance.wait().expect("it ends").code(), Some(0));
    let mut rest = String::new();
    printed.read_to_string(&mut rest).expect("the end");
    assert_eq!(rest, "", "one line and no more");
    assert!(is_empty(root.path()));
    let nothing =
        Command::new(binary_path()).args(["env", "--data"]).arg(root.path()).output().expect("it runs");
    assert_eq!(nothing.status.code(), Some(2));
}

/// Starts a server that keeps nothing, and reads what it says up to its last line.
fn ephemeral(root: &Path, arguments: &[&str]) -> (Child, String) {
    let mut command = Command::new(binary_path());
    command.args(arguments).args(["--ephemeral", "--ephemeral-in"]).arg(root);
    command.envs([("COUNTERSIGN_ACCESS_KEY_ID", "id"), ("COUNTERSIGN_ACCESS_KEY_SECRET", "secret")]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = command.spawn().expect("countersign starts");
    let mut lines = BufReader::new(server.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let mut said = String::new();
    for line in lines.by_ref() {
        said.push_str(&format!("{line}\n"));
        if line.starts_with("ephemeral") {
            break;
        }
    }
    // Read on, so that nothing it says later finds a closed pipe.
    std::thread::spawn(move || lines.for_each(drop));
    (server, said)
}

#[test]
fn a_server_that_keeps_nothing_says_so_takes_uploads_and_leaves_no_folder() {
    let root = root();
    let (mut server, said) =
        ephemeral(root.path(), &["serve", "--store", "127.0.0.1:0", "--app", "127.0.0.1:0"]);
    assert!(said.contains("removed at the end; nothing is synced"), "{said}");
    let page = said.lines().find_map(|line| line.strip_prefix("open this")).expect("an address").trim();
    let file = root.path().join("photo.txt");
    std::fs::write(&file, "five!").expect("a file");
    let upload = Command::new(binary_path()).arg("upload").arg(&file).args(["--to", page]).output();
    assert_eq!(upload.expect("countersign starts").status.code(), Some(0));
    std::fs::remove_file(&file).expect("removed");
    assert!(!is_empty(root.path()));
    server.kill().expect("killed");
    server.wait().expect("ended");
    wait_until("the folder of the killed server is gone", || is_empty(root.path()));

    for arguments in [
        &["store", "--listen", "127.0.0.1:0"][..],
        &["app", "--listen", "127.0.0.1:0", "--host", "http://127.0.0.1:9/demo"],
    ] {
        let (mut server, said) = ephemeral(root.path(), arguments);
        assert!(said.contains("nothing is synced"), "{said}");
        let columns = said.lines().filter_map(|line| line.rfind("  ").map(|at| at + 2));
        let columns: std::collections::BTreeSet<usize> = columns.collect();
        assert_eq!(columns.len(), 1, "all in one column: {said}");
        let ended = Command::new("kill").arg(server.id().to_string()).status();
        assert!(ended.expect("kill runs").success());
        assert_eq!(server.wait().expect("ended").code(), Some(0));
        assert!(is_empty(root.path()), "{arguments:?}");
    }
}

/// No monitor looks for it, and a test takes no port that was not asked for.
#[test]
fn a_server_that_keeps_nothing_has_metrics_only_where_they_are_asked_for() {
    let root = root();
    let serve = ["serve", "--store", "127.0.0.1:0", "--app", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    for (arguments, wanted) in [(&serve[..5], false), (&serve[..], true)] {
        let (mut server, said) = ephemeral(root.path(), arguments);
        server.kill().expect("killed");
        server.wait().expect("ended");
        assert_eq!(said.contains("metrics "), wanted, "{said}");
    }
    wait_until("the folders of the killed servers are gone", || is_empty(root.path()));
}

#[test]
fn refuses_data_and_ephemeral_together() {
    for arguments in [&["--ephemeral", "--data", "here"][..], &["--ephemeral-in", "here"]] {
        let refused = Command::new(binary_path()).arg("store").args(arguments).output().expect("starts");
        assert_eq!(refused.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("--ephemeral"));
    }
}

/// Tests run where few files may be open, and an instance has few connections: there is nothing to be warned of.
#[test]
fn a_throw_away_instance_does_not_warn_of_few_open_files() {
    let root = root();
    let script = "ulimit -n 400; exec \"$0\" exec --ephemeral-in \"$1\" -- true";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(binary_path()).arg(root.path()).stdin(Stdio::null());
    let output = command.output().expect("sh starts");
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("for tests only") && !said.contains("ulimit"), "{said}");
}

#[test]
fn a_seed_brings_its_own_buckets_and_no_other() {
    let root = root();
    let seed = root.path().join("seed");
    for bucket in ["films", "photos"] {
        std::fs::create_dir_all(seed.join(bucket)).expect("a folder");
        std::fs::write(seed.join(bucket).join("a.txt"), "five!").expect("a file");
    }
    for (flags, expected) in
        [(&[][..], "films\nfilms\nphotos\n"), (&["--bucket", "more"], "more\nfilms\nmore\nphotos\n")]
    {
        let script = "echo \"$OSS_BUCKET\"; \"$0\" bucket list";
        let mut command = Command::new(binary_path());
        command.arg("exec").args(flags).arg("--ephemeral-in").arg(root.path()).arg("--seed").arg(&seed);
        command.args(["--", "sh", "-c", script]).arg(binary_path());
        let (output, text) = output(command.stdin(Stdio::null()));
        assert_eq!((output.status.code(), text.as_str()), (Some(0), expected));
    }
}

/// What said that nothing is synced must not have been waiting for a disk, which only the system sees.
#[test]
fn ephemeral_servers_sync_nothing_to_the_disk() {
    let root = root();
    for arguments in [
        &["instance"][..],
        &["serve", "--ephemeral", "--store", "127.0.0.1:0", "--app", "127.0.0.1:0"],
        &["app", "--ephemeral", "--listen", "127.0.0.1:0", "--host", "http://127.0.0.1:9/demo"],
        // Watched alike, so that a watch that sees nothing is seen.
        &["store", "--listen", "127.0.0.1:0", "--data", "kept"],
    ] {
        let syncs = syncs_until_ready(root.path(), arguments);
        assert_eq!(syncs.is_empty(), !arguments.contains(&"kept"), "{arguments:?}: {syncs}");
    }
}

/// The calls by which a start made a file durable.
fn syncs_until_ready(root: &Path, arguments: &[&str]) -> String {
    let seen = root.join("seen");
    let mut command = Command::new("strace");
    command.args([
        "-f",
        "-qq",
        "-e",
        "trace=fsync,fdatasync,sync_file_range,syncfs,sync",
        "-e",
        "signal=none",
    ]);
    command.arg("-o").arg(&seen).arg(binary_path()).args(arguments).current_dir(root);
    if arguments.contains(&"app") {
        // The others make their own, which is a file that could be synced.
        command.envs([("COUNTERSIGN_ACCESS_KEY_ID", "id"), ("COUNTERSIGN_ACCESS_KEY_SECRET", "secret")]);
    }
    let mut watched = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("strace starts");
    let printed = BufReader::new(watched.stdout.take().expect("piped"));
    let ready = |line: &String| line.contains("Ctrl-C") || line.contains("COUNTERSIGN_STORE_URL");
    assert!(printed.lines().map_while(Result::ok).any(|line| ready(&line)), "{arguments:?}");
    // strace passes no signal on to what it watches.
    let children = Command::new("pgrep").args(["-P", &watched.id().to_string()]).output().expect("pgrep");
    for child in String::from_utf8_lossy(&children.stdout).lines() {
        send("-TERM", child.parse().expect("a number"));
    }
    watched.wait().expect("it ends");
    let seen = std::fs::read_to_string(seen).expect("what strace saw");
    seen.lines().filter(|line| line.contains("sync") && !line.contains("+++")).collect::<Vec<_>>().join("\n")
}
