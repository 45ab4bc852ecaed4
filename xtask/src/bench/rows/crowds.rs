//! Measures a well-behaved client while many bad ones load the store: crawling uploads, heads without a key, and an
//! application that hangs. None of its requests may be refused.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::Context as _;

use crate::bench::bench_setup::Bench;
use crate::bench::measurements::{Turn, Turns};
use crate::bench::peers::Peer;
use crate::bench::report::{Goal, Outcome, short};

const CRAWLERS: usize = 1_024;
const HEADS: usize = 19;
const HANGING: usize = 520;
/// Most of what the fields of one form may have; nineteen fill the budget of heads.
const HEAD_BYTES: usize = 7 * 1024 * 1024 / 2;
const EXTRA: [&str; 2] = ["--callback-allow", "127.0.0.0/8"];

const ALONE: &str = "post 4 KiB ×4, alone";
const BESIDE_CRAWLERS: &str = "post 4 KiB ×4, beside 1,024 crawling uploads";
const BESIDE_HEADS: &str = "post 4 KiB ×4, beside 19 heads without a key";
const BESIDE_HANGING: &str = "post 4 KiB with callback ×4, beside 520 callbacks that hang";

pub(super) fn measure(bench: &Bench, outcome: &mut Outcome) -> anyhow::Result<()> {
    let application = Peer::Application.start(&bench.instruments, &bench.data, &[])?;
    let answering = format!("http://{}/callback", application.address());
    // The system takes the connections, and nothing ever answers.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let hanging = format!("http://{}/", silent.local_addr()?);
    let seconds = bench.seconds;
    let turns = Turns { extra: &EXTRA, ..Turns::of(bench, &[Peer::Countersign]) };
    let all = turns.measure(|turn| {
        let post = format!("--operation post --connections 4 --seconds {seconds}");
        turn.load(ALONE, &format!("{post} --prefix alone-"))?;
        {
            let crawling = format!(
                "--operation post --size 1M --pace 300 --connections {CRAWLERS} --count {CRAWLERS} --seconds 60 --prefix c-"
            );
            let _crowd = Crowd::load(bench, turn, &crawling)?;
            turn.load(BESIDE_CRAWLERS, &format!("{post} --prefix beside-c-"))?;
        }
        {
            let _heads = heads_without_a_key(turn.running.address())?;
            turn.load(BESIDE_HEADS, &format!("{post} --prefix beside-h-"))?;
        }
        let asking = format!(
            "--operation post --connections {HANGING} --count {HANGING} --seconds 60 --prefix h- --callback-url {hanging}"
        );
        let _crowd = Crowd::load(bench, turn, &asking)?;
        turn.load(BESIDE_HANGING, &format!("{post} --prefix beside-a- --callback-url {answering}"))
    });
    for case in [BESIDE_CRAWLERS, BESIDE_HEADS, BESIDE_HANGING] {
        let p99 = all.median(Peer::Countersign, case, |figures| figures.p99_ms);
        outcome.row(
            (case, "nothing refused, p99 ≤ 250 ms", Goal::AtMost(250.0)),
            p99.map(|ms| (format!("{} ms", short(ms)), ms)),
        );
    }
    outcome.medians(&all);
    Ok(())
}

/// A second load generator at work; ended when dropped.
struct Crowd(Child);

impl Crowd {
    fn load(bench: &Bench, turn: &Turn<'_>, arguments: &str) -> anyhow::Result<Self> {
        let mut command = bench.instruments.load_command(turn.running, arguments);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("the crowd")?;
        std::thread::sleep(Duration::from_millis(700));
        Ok(Self(child))
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Forms whose fields are large and never end, from senders that have shown no key.
fn heads_without_a_key(address: &str) -> anyhow::Result<Vec<TcpStream>> {
    let mut head = format!(
        "POST /bench HTTP/1.1\r\nHost: {address}\r\nContent-Type: multipart/form-data; boundary=b\r\n\
         Content-Length: 100000000\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"x:a\"\r\n\r\n"
    )
    .into_bytes();
    head.resize(HEAD_BYTES / 2, b'a');
    head.extend(b"\r\n--b\r\nContent-Disposition: form-data; name=\"x:b\"\r\n\r\n");
    head.resize(HEAD_BYTES, b'a');
    (0..HEADS)
        .map(|_| {
            let mut stream = TcpStream::connect(address)?;
            stream.set_write_timeout(Some(Duration::from_millis(500)))?;
            // One that has to give way is closed while it sends.
            let _taken = stream.write_all(&head);
            Ok(stream)
        })
        .collect()
}
