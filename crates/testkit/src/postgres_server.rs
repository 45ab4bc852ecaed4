//! A PostgreSQL server for tests, one for the whole run: in a temporary folder, as an unprivileged user, on a free port
//! of the loopback.
//!
//! A test runner gives each test a process of its own, and a server for each would take longer than the tests. So
//! the first process starts one, in a folder named after its parent, which is the runner; the others find it. A shell
//! beside it watches the runner, and stops the server and removes the folder when the runner is gone, however it ended.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The role that tests connect as; it needs no password.
pub const ROLE: &str = "tester";
/// A role that is asked for [`PASSWORD`].
pub const ROLE_WITH_PASSWORD: &str = "guarded";
/// The password of [`ROLE_WITH_PASSWORD`].
pub const PASSWORD: &str = "correct horse battery staple";

/// How long a server may take to start on a machine that is busy.
const START_TIME: Duration = Duration::from_secs(120);

/// Watches the runner ($1), and ends the server ($2) and its folder ($3) with it.
const WATCH: &str = r#"
while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 1; done
kill -INT "$2" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$2" 2>/dev/null || break; sleep 0.2; done
kill -KILL "$2" 2>/dev/null
rm -rf "$3" "$3.lock"
"#;

/// A server that runs.
#[derive(Debug, Clone)]
pub struct PostgresServer {
    folder: PathBuf,
    port: u16,
}

impl PostgresServer {
    /// The server of this run; the first that asks starts it. Blocks.
    ///
    /// # Panics
    /// When PostgreSQL is not installed, or does not start: what would be tested was not.
    pub fn of_this_run() -> PostgresServer {
        let folder = std::env::temp_dir()
            .join(format!("countersign-postgres-{}", std::os::unix::process::parent_id()));
        let lock = folder.with_extension("lock");
        let held = File::options()
            .create(true)
            .append(true)
            .mode(0o666)
            .open(&lock)
            .expect("the lock of the server");
        held.lock().expect("the lock of the server");
        match PostgresServer::running(&folder) {
            Some(server) => server,
            None => {
                let _left_over = fs::remove_dir_all(&folder);
                PostgresServer::start(&folder).unwrap_or_else(|error| {
                    panic!("PostgreSQL 15 is needed by this test (Debian's package postgresql-15): {error}")
                })
            }
        }
    }

    fn running(folder: &Path) -> Option<PostgresServer> {
        let port = fs::read_to_string(folder.join("port")).ok()?.trim().parse().ok()?;
        TcpStream::connect(("127.0.0.1", port)).ok()?;
        Some(PostgresServer { folder: folder.to_owned(), port })
    }

    fn start(folder: &Path) -> io::Result<PostgresServer> {
        let programs = programs()?;
        let user = User::unprivileged()?;
        fs::DirBuilder::new().mode(0o755).create(folder)?;
        user.own(folder)?;
        let data = folder.join("data");
        let mut initdb = user.run(&programs.join("initdb"));
        initdb.args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username", ROLE, "-D"]);
        succeed(initdb.arg(&data).current_dir(folder))?;
        let guarded = format!("host all {ROLE_WITH_PASSWORD} 127.0.0.1/32 scram-sha-256\n");
        let rules = data.join("pg_hba.conf");
        fs::write(&rules, guarded + &fs::read_to_string(&rules)?)?;
        certificates(folder, &user)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = File::create(folder.join("log"))?;
        let mut postgres = user.run(&programs.join("postgres"));
        postgres.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-p", &port.to_string(), "-k"]).arg(folder);
        for setting in ["fsync=off", "full_page_writes=off", "max_connections=200", "ssl=on"] {
            postgres.args(["-c", setting]);
        }
        postgres.arg("-c").arg(format!("ssl_cert_file={}", folder.join("server.pem").display()));
        postgres.arg("-c").arg(format!("ssl_key_file={}", folder.join("server.key").display()));
        let child = postgres
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // A group of its own: what interrupts the runner is not to reach it before the tests have ended.
            .process_group(0)
            .spawn()?;
        let watch = Command::new("sh")
            .args([
                "-c",
                WATCH,
                "sh",
                &std::os::unix::process::parent_id().to_string(),
                &child.id().to_string(),
            ])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        drop((child, watch));
        let server = PostgresServer { folder: folder.to_owned(), port };
        server.wait()?;
        server.sql(
            "postgres",
            &format!("CREATE ROLE {ROLE_WITH_PASSWORD} LOGIN SUPERUSER PASSWORD '{PASSWORD}'"),
        )?;
        fs::write(folder.join("port"), port.to_string())?;
        Ok(server)
    }

    fn wait(&self) -> io::Result<()> {
        let started = Instant::now();
        loop {
            match self.sql("postgres", "SELECT 1") {
                Err(error) if started.elapsed() > START_TIME => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
                Ok(()) => return Ok(()),
            }
        }
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate of the authority that signed the server's, which is for `localhost`.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The address of a database, by way of this port: the server's own, or that of a proxy.
    pub fn url_by(&self, port: u16, database: &str) -> String {
        format!("postgres://{ROLE}@127.0.0.1:{port}/{database}")
    }

    /// Makes an empty database of a name that no other test has, and answers the name. Blocks.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn new_database(&self) -> String {
        let name = format!(
            "t{}_{}",
            std::process::id(),
            DATABASES.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
        );
        self.sql("postgres", &format!("CREATE DATABASE {name}")).expect("a database");
        name
    }

    /// Runs a statement by `psql`. Blocks.
    ///
    /// # Errors
    /// What psql said.
    pub fn sql(&self, database: &str, statement: &str) -> io::Result<()> {
        let mut psql = Command::new(programs()?.join("psql"));
        psql.args([
            "-X",
            "-q",
            "-w",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
        ]);
        succeed(psql.args(["-U", ROLE, "-d", database, "-c", statement]))
    }
}

static DATABASES: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

/// The folder of PostgreSQL's programs: the newest that Debian has installed.
fn programs() -> io::Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            let programs = entry.path().join("bin");
            programs.join("initdb").exists().then_some((version, programs))
        })
        .collect();
    found.sort();
    let (_, newest) = found.pop().ok_or_else(|| io::Error::other("no initdb below /usr/lib/postgresql"))?;
    Ok(newest)
}

/// A certificate for `localhost`, and that of the authority that signed it.
fn certificates(folder: &Path, user: &User) -> io::Result<()> {
    let failed = |error: rcgen::Error| io::Error::other(error.to_string());
    let (authority_key, key) =
        (rcgen::KeyPair::generate().map_err(failed)?, rcgen::KeyPair::generate().map_err(failed)?);
    let mut authority = rcgen::CertificateParams::new(Vec::new()).map_err(failed)?;
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let signed = authority.self_signed(&authority_key).map_err(failed)?;
    let issuer = rcgen::Issuer::new(authority, &authority_key);
    let server = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).map_err(failed)?;
    let server = server.signed_by(&key, &issuer).map_err(failed)?;
    fs::write(folder.join("ca.pem"), signed.pem())?;
    fs::write(folder.join("server.pem"), server.pem())?;
    let secret = folder.join("server.key");
    File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&secret)?
        .write_all(key.serialize_pem().as_bytes())?;
    user.own(&secret)?;
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600))
}

/// Who the server runs as: it refuses to run as root.
struct User(Option<(u32, u32)>);

impl User {
    fn unprivileged() -> io::Result<User> {
        if !rustix::process::geteuid().is_root() {
            return Ok(User(None));
        }
        let users = fs::read_to_string("/etc/passwd")?;
        let numbers = |name: &str| {
            let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut fields = line.split(':').skip(2);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        };
        let found = numbers("postgres").or_else(|| numbers("nobody"));
        found.map(|found| User(Some(found))).ok_or_else(|| io::Error::other("no unprivileged user"))
    }

    fn own(&self, path: &Path) -> io::Result<()> {
        self.0.map_or(Ok(()), |(user, group)| chown(path, Some(user), Some(group)))
    }

    fn run(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }
}

fn succeed(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{:?}: {}", command.get_program(), String::from_utf8_lossy(&output.stderr))))
}
