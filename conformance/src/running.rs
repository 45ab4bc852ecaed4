//! Runs the built binary as a child process on free loopback ports, with a temporary data folder; stopped when
//! dropped.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::wire::{Exchange, send};
use crate::{ACCESS_KEY_ID, ACCESS_KEY_SECRET};

/// A port that was free a moment ago on 127.0.0.1.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// Raises the number of files that this process may open to what the system permits, and says how many that is.
pub fn open_files_allowed() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    // Where it cannot be raised the old one stays in force, which is what is read back.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Bytes of all files below a folder.
pub fn bytes_on_disk(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_on_disk(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// Where the binary under test lies: `COUNTERSIGN_BIN`, else beside this test's own executable.
pub fn binary_path() -> PathBuf {
    if let Some(path) = std::env::var_os("COUNTERSIGN_BIN") {
        return path.into();
    }
    let own = std::env::current_exe().expect("own path");
    let profile_folder = own.ancestors().nth(2).expect("target/<profile>/deps/<test>");
    let path = profile_folder.join("countersign");
    assert!(path.exists(), "{} is missing: cargo build --release --package countersign", path.display());
    path
}

/// A running `countersign` with its data folder and what it printed.
pub struct Running {
    child: Child,
    /// `host:port` of the store.
    pub store: String,
    /// `host:port` of the application server; empty when only a store runs.
    pub app: String,
    data: Option<tempfile::TempDir>,
    arguments: Vec<String>,
    /// A command that starts the binary, in a narrower place.
    within: Vec<String>,
    printed: Arc<Mutex<String>>,
}

impl Running {
    /// `countersign serve` with `extra` arguments.
    pub fn serve(extra: &[&str]) -> Running {
        let data = tempfile::tempdir().expect("a temporary folder");
        Running::serve_in(data, extra)
    }

    /// `countersign serve` on a folder that exists already.
    pub fn serve_in(data: tempfile::TempDir, extra: &[&str]) -> Running {
        Running::serve_at((address(), address()), data, extra)
    }

    /// `countersign serve` on the loopback address of IPv6 alone.
    pub fn serve_on_ipv6() -> Running {
        let address = || format!("[::1]:{}", free_port());
        Running::serve_at((address(), address()), tempfile::tempdir().expect("a temporary folder"), &[])
    }

    fn serve_at((store, app): (String, String), data: tempfile::TempDir, extra: &[&str]) -> Running {
        let mut arguments = words(&["serve", "--data"]);
        arguments.push(data.path().display().to_string());
        arguments.extend(words(&["--store", &store, "--app", &app]));
        arguments.extend(words(extra));
        Running::start(arguments, store, app, data)
    }

    /// `countersign store`, alone, with callbacks to loopback allowed, and `extra` arguments.
    pub fn store(extra: &[&str]) -> Running {
        Running::store_in(tempfile::tempdir().expect("a temporary folder"), extra)
    }

    /// `countersign store` on a folder that exists already.
    pub fn store_in(data: tempfile::TempDir, extra: &[&str]) -> Running {
        let store = address();
        let mut arguments = words(&["store", "--data"]);
        arguments.push(data.path().display().to_string());
        arguments.extend(words(&["--listen", &store]));
        arguments.extend(words(extra));
        Running::start(arguments, store, String::new(), data)
    }

    /// `countersign store`, alone, which may never have more than so many files and connections open.
    pub fn store_with_open_files(open_files: u64) -> Running {
        let (data, store) = (tempfile::tempdir().expect("a temporary folder"), address());
        let folder = data.path().display().to_string();
        let arguments = words(&["store", "--data", &folder, "--listen", &store]);
        let within = words(&["prlimit", &format!("--nofile={open_files}:{open_files}")]);
        Running::start_with(arguments, within, store, String::new(), data)
    }

    /// `countersign store`, alone, as a user whom the rights of files bind; none where there is no such user who could
    /// start the binary.
    pub fn store_of_a_bound_user(extra: &[&str]) -> Option<Running> {
        let (data, store) = (tempfile::tempdir().expect("a temporary folder"), address());
        let within = if rustix::process::geteuid().is_root() {
            let nobody = words(&["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
            std::os::unix::fs::chown(data.path(), Some(65534), Some(65534)).expect("chown");
            let mut trial = Command::new(&nobody[0]);
            let trial = trial.args(&nobody[1..]).arg(binary_path()).arg("--version").output();
            if !trial.is_ok_and(|trial| trial.status.success()) {
                return None;
            }
            nobody
        } else {
            Vec::new()
        };
        let mut arguments = words(&["store", "--listen", &store, "--data"]);
        arguments.push(data.path().display().to_string());
        arguments.extend(words(extra));
        Some(Running::start_with(arguments, within, store, String::new(), data))
    }

    /// Changes how many files and connections the running process may have open.
    pub fn allow_open_files(&self, open_files: u64) {
        let limit = format!("--nofile={open_files}:");
        let status = Command::new("prlimit").args([&format!("--pid={}", self.child.id()), &limit]).status();
        assert!(status.is_ok_and(|status| status.success()), "prlimit {limit}");
    }

    /// `countersign app`, alone, with `extra` arguments.
    pub fn app(extra: &[&str]) -> Running {
        let data = tempfile::tempdir().expect("a temporary folder");
        let app = address();
        let mut arguments = words(&["app", "--data"]);
        arguments.push(data.path().display().to_string());
        arguments.extend(words(&["--listen", &app]));
        arguments.extend(words(extra));
        Running::start(arguments, String::new(), app, data)
    }

    fn start(arguments: Vec<String>, store: String, app: String, data: tempfile::TempDir) -> Running {
        Running::start_with(arguments, Vec::new(), store, app, data)
    }

    fn start_with(
        arguments: Vec<String>,
        within: Vec<String>,
        store: String,
        app: String,
        data: tempfile::TempDir,
    ) -> Running {
        let printed = Arc::new(Mutex::new(String::new()));
        let child = spawn(&arguments, &within, &printed);
        let mut running = Running { child, store, app, data: Some(data), arguments, within, printed };
        running.wait_until_ready();
        running
    }

    /// Ends the process with SIGKILL, as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("reaped");
    }

    /// Starts the same command on the same folder and ports again.
    pub fn restart(&mut self) {
        self.restart_with(&[]);
    }

    /// As [`Running::restart`], with further arguments.
    pub fn restart_with(&mut self, extra: &[&str]) {
        let mut arguments = self.arguments.clone();
        arguments.extend(words(extra));
        self.child = spawn(&arguments, &self.within, &self.printed);
        self.wait_until_ready();
    }

    /// Sends SIGINT, as Ctrl-C does, and waits for the exit; `None` when it had to be killed after `patience`.
    pub fn interrupt(&mut self, patience: Duration) -> Option<i32> {
        signal(self.child.id(), "INT");
        self.wait_for_end(patience)
    }

    /// As [`Running::interrupt`] with SIGTERM, as a service manager does.
    pub fn terminate(&mut self, patience: Duration) -> Option<i32> {
        signal(self.child.id(), "TERM");
        self.wait_for_end(patience)
    }

    /// Waits for the exit; `None` when it is still running after `patience`.
    pub fn wait_for_end(&mut self, patience: Duration) -> Option<i32> {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().expect("wait") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }

    /// Sends SIGINT and returns at once.
    pub fn press_ctrl_c(&self) {
        signal(self.child.id(), "INT");
    }

    /// The process id, for `/proc`.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        self.data.as_ref().expect("held until the end").path()
    }

    /// Everything printed so far to standard output and standard error.
    pub fn printed(&self) -> String {
        self.printed.lock().expect("not poisoned").clone()
    }

    /// What was printed, once it holds this text so often: the line of a request is logged when its answer has been
    /// sent.
    pub fn printed_with(&self, text: &str, count: usize) -> String {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let all = self.printed();
            if all.matches(text).count() >= count {
                return all;
            }
            assert!(Instant::now() < deadline, "{count} of {text:?} in:\n{all}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Peak resident memory in bytes (`VmHWM`).
    pub fn peak_resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("/proc");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("VmHWM");
        let kibibytes: u64 =
            line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("a number");
        kibibytes * 1024
    }

    fn wait_until_ready(&mut self) {
        let (address, path) = if self.app.is_empty() {
            (&self.store, "/_countersign/healthz")
        } else {
            (&self.app, "/healthz")
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let ready =
                Exchange::get(path).host(address).try_send(address).is_ok_and(|answer| answer.status == 200);
            if ready {
                return;
            }
            if let Some(status) = self.child.try_wait().expect("wait") {
                panic!("countersign ended with {status} before it was ready:\n{}", self.printed());
            }
            assert!(Instant::now() < deadline, "not ready after 20 s:\n{}", self.printed());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- what countersign printed ---\n{}", self.printed());
        }
    }
}

/// Runs the binary to its end: exit code, standard output and standard error.
pub fn run(arguments: &[impl AsRef<OsStr>]) -> (Option<i32>, String, String) {
    run_with(arguments, &[])
}

/// As [`run`], with further environment variables.
pub fn run_with(
    arguments: &[impl AsRef<OsStr>],
    environment: &[(&str, &str)],
) -> (Option<i32>, String, String) {
    let mut command = command(arguments);
    let output =
        command.envs(environment.iter().copied()).stdin(Stdio::null()).output().expect("countersign starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn command(arguments: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(binary_path());
    with_keys(&mut command, arguments);
    command
}

fn with_keys(command: &mut Command, arguments: &[impl AsRef<OsStr>]) {
    command
        .args(arguments)
        .env("COUNTERSIGN_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("COUNTERSIGN_ACCESS_KEY_SECRET", ACCESS_KEY_SECRET);
}

fn spawn(arguments: &[String], within: &[String], printed: &Arc<Mutex<String>>) -> Child {
    let mut command = match within {
        [] => command(arguments),
        [program, own @ ..] => {
            let mut narrower = Command::new(program);
            narrower.args(own).arg(binary_path());
            with_keys(&mut narrower, arguments);
            narrower
        }
    };
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("countersign starts");
    collect(child.stdout.take().expect("piped"), printed);
    collect(child.stderr.take().expect("piped"), printed);
    child
}

fn collect(stream: impl Read + Send + 'static, into: &Arc<Mutex<String>>) {
    let into = Arc::clone(into);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut text = into.lock().expect("not poisoned");
            text.push_str(&line);
            text.push('\n');
        }
    });
}

fn signal(process_id: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &process_id.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "kill -{name} {process_id}");
}

fn address() -> String {
    format!("127.0.0.1:{}", free_port())
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

/// Sends one GET to `address` and returns its answer.
pub fn get(address: &str, path: &str) -> crate::Answer {
    send(address, &Exchange::get(path).host(address))
}
