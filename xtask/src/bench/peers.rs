//! Starts the servers that are measured, one at a time on a free port of 127.0.0.1 with an empty folder, and ends and
//! removes them afterwards. What is not installed is left out, in words.

mod free_port;
mod garage;
mod nginx;

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::programs::Instruments;
use free_port::free_address;

/// The made-up access key of every run.
const KEY_ID: &str = "bench";
const KEY_SECRET: &str = "benchsecret";
/// How long a server may take to answer for the first time.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    /// The product.
    Countersign,
    /// The bare sink of `countersign-bench reference`.
    Reference,
    /// nginx: files by sendfile, and forms spooled as they are.
    Nginx,
    /// garage in its default set-up, which syncs nothing.
    Garage,
    /// `countersign app`, which signs.
    Signer,
    /// The bare handler that signs the same.
    BareSigner,
    /// The application that answers callbacks at once.
    Application,
}

impl Peer {
    const ALL: [Peer; 4] = [Peer::Reference, Peer::Countersign, Peer::Nginx, Peer::Garage];

    /// The name in flags and tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Peer::Countersign => "countersign",
            Peer::Reference => "reference",
            Peer::Nginx => "nginx",
            Peer::Garage => "garage",
            Peer::Signer => "signer",
            Peer::BareSigner => "bare axum",
            Peer::Application => "application",
        }
    }

    /// Whether `--peers` can leave it out; the others are parts of a row.
    pub(super) fn is_a_choice(self) -> bool {
        Peer::ALL.contains(&self)
    }

    /// What has reached the disk when this peer answers an upload with success.
    pub(super) fn durability(self) -> &'static str {
        match self {
            Peer::Countersign => "bytes and catalog, before the answer",
            Peer::Reference => "bytes and key in a raw log, before the answer; no conditions, no catalog",
            Peer::Nginx => "nothing: the raw body is spooled to a file without fsync, nothing is parsed",
            Peer::Garage => "nothing: its default set-up does not sync",
            Peer::Signer | Peer::BareSigner | Peer::Application => "takes no uploads",
        }
    }

    /// Those that are installed and wanted: all when none is named, Countersign in any case.
    pub(super) fn present(wanted: &[String]) -> anyhow::Result<Vec<Peer>> {
        if let Some(unknown) = wanted.iter().find(|name| !Peer::ALL.iter().any(|peer| peer.name() == *name)) {
            bail!("there is no peer named `{unknown}`");
        }
        let is_wanted = |peer: &Peer| {
            wanted.is_empty() || *peer == Peer::Countersign || wanted.iter().any(|name| name == peer.name())
        };
        Ok(Peer::ALL.into_iter().filter(|peer| is_wanted(peer) && peer.is_installed()).collect())
    }

    /// Those that are not installed, each with a sentence for the document.
    pub(super) fn missing() -> Vec<&'static str> {
        let mut missing = Vec::new();
        if !Peer::Nginx.is_installed() {
            missing.push("nginx was not installed (`apt-get install nginx-light`) and is left out.");
        }
        if !Peer::Garage.is_installed() {
            missing.push(
                "garage was not installed (`cargo install garage --locked --root \
                 ~/.cache/countersign-bench/opt/garage`) and is left out.",
            );
        }
        missing
    }

    /// Whether it can be started here.
    pub(super) fn is_installed(self) -> bool {
        match self {
            Peer::Nginx => nginx::is_installed(),
            Peer::Garage => garage::program().is_some(),
            _ => true,
        }
    }

    /// Starts it on an empty folder below `data` and waits until it answers. `extra` are further arguments of
    /// Countersign or of the reference.
    pub(super) fn start(
        self,
        instruments: &Instruments,
        data: &Path,
        extra: &[&str],
    ) -> anyhow::Result<RunningPeer> {
        let folder = tempfile::Builder::new().prefix(self.name()).tempdir_in(data)?;
        let address = free_address()?;
        let mut command = match self {
            Peer::Countersign => countersign(instruments, &address, folder.path()),
            Peer::Reference => reference(instruments, &address, folder.path()),
            Peer::Nginx => nginx::command(&address, folder.path())?,
            Peer::Garage => garage::command(&address, folder.path())?,
            Peer::Signer => signer(instruments, &address, folder.path()),
            Peer::BareSigner => instrument(instruments, "signature-reference", &address),
            Peer::Application => instrument(instruments, "application", &address),
        };
        command.args(extra);
        let mut running = RunningPeer::spawn(self, command, address, folder)?;
        running.wait_until_ready()?;
        if self == Peer::Countersign {
            running.create_bucket(instruments)?;
        }
        Ok(running)
    }
}

fn countersign(instruments: &Instruments, address: &str, folder: &Path) -> Command {
    let mut command = Command::new(&instruments.countersign);
    command.args(["store", "--listen", address, "--data"]).arg(folder.join("data"));
    command.env("COUNTERSIGN_ACCESS_KEY_ID", KEY_ID).env("COUNTERSIGN_ACCESS_KEY_SECRET", KEY_SECRET);
    command
}

fn signer(instruments: &Instruments, address: &str, folder: &Path) -> Command {
    let mut command = Command::new(&instruments.countersign);
    command.args(["app", "--listen", address, "--host", "http://127.0.0.1:9817/bench", "--bucket", "bench"]);
    command.args(["--dir", "user-dir/", "--data"]).arg(folder.join("data"));
    command.env("COUNTERSIGN_ACCESS_KEY_ID", KEY_ID).env("COUNTERSIGN_ACCESS_KEY_SECRET", KEY_SECRET);
    command
}

fn reference(instruments: &Instruments, address: &str, folder: &Path) -> Command {
    let mut command = instrument(instruments, "reference", address);
    command.args(["--access-key-secret", KEY_SECRET, "--data"]).arg(folder.join("data"));
    command
}

fn instrument(instruments: &Instruments, name: &str, address: &str) -> Command {
    let mut command = Command::new(&instruments.program);
    command.args([name, "--listen", address]);
    command
}

/// A server under measurement; dropping it ends it and removes its folder.
pub(super) struct RunningPeer {
    peer: Peer,
    command: Command,
    child: Child,
    address: String,
    folder: tempfile::TempDir,
}

impl RunningPeer {
    fn spawn(
        peer: Peer,
        mut command: Command,
        address: String,
        folder: tempfile::TempDir,
    ) -> anyhow::Result<Self> {
        let printed = File::create(folder.path().join("printed"))?;
        command.stdin(Stdio::null()).stdout(printed.try_clone()?).stderr(printed);
        let child = command.spawn().with_context(|| format!("{} does not start", peer.name()))?;
        Ok(Self { peer, command, child, address, folder })
    }

    /// Who it is.
    pub(super) fn peer(&self) -> Peer {
        self.peer
    }

    /// Host and port.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Its process; children of it count with it.
    pub(super) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// What the generator has to know about it.
    pub(super) fn load_arguments(&self) -> Vec<&'static str> {
        match self.peer {
            Peer::Countersign | Peer::Reference => {
                vec!["--access-key-id", KEY_ID, "--access-key-secret", KEY_SECRET]
            }
            Peer::Nginx | Peer::Signer | Peer::BareSigner | Peer::Application => vec!["--dialect", "none"],
            Peer::Garage => garage::load_arguments(),
        }
    }

    /// How many connections ever came to the application.
    pub(super) fn connections(&self) -> anyhow::Result<u64> {
        let last = get(&self.address, "/connections")?.lines().map_while(Result::ok).last();
        last.and_then(|line| line.parse().ok()).context("the application does not say")
    }

    /// Where everything of it lies.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills it as a crash would, starts it again on what is there, and says how long it took to answer.
    pub(super) fn ready_again_after_kill(&mut self) -> anyhow::Result<Duration> {
        self.child.kill()?;
        self.child.wait()?;
        let started = Instant::now();
        self.child = self.command.spawn()?;
        self.wait_until_ready()?;
        Ok(started.elapsed())
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        while !answers(&self.address, self.first_answer()) {
            let ended = self.child.try_wait()?;
            if ended.is_some() || Instant::now() > deadline {
                let printed = std::fs::read_to_string(self.folder.path().join("printed")).unwrap_or_default();
                bail!("{} is not ready: {}", self.peer.name(), printed.trim());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// How the answer begins that says it is ready.
    fn first_answer(&self) -> &'static str {
        if self.peer == Peer::Countersign { "HTTP/1.1 200 " } else { "HTTP/1.1 " }
    }

    fn create_bucket(&self, instruments: &Instruments) -> anyhow::Result<()> {
        let key = ["--access-key-id", KEY_ID, "--access-key-secret", KEY_SECRET];
        let mut command = Command::new(&instruments.program);
        let output = command.args(["create-bucket", "--endpoint", &self.address]).args(key).output()?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }
}

impl Drop for RunningPeer {
    fn drop(&mut self) {
        // nginx and garage end their children when they are asked to end, not when they are killed.
        if matches!(self.peer, Peer::Nginx | Peer::Garage) {
            let _ = Command::new("kill").arg(self.child.id().to_string()).status();
            let deadline = Instant::now() + Duration::from_secs(10);
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether what listens there answers, and with such a first line.
fn answers(address: &str, beginning: &str) -> bool {
    let first_line = || -> std::io::Result<String> {
        let mut line = String::new();
        get(address, "/_countersign/healthz")?.read_line(&mut line)?;
        Ok(line)
    };
    first_line().is_ok_and(|line| line.starts_with(beginning))
}

/// The answer to one GET.
fn get(address: &str, path: &str) -> std::io::Result<BufReader<TcpStream>> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    Ok(BufReader::new(socket))
}
