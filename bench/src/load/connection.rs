//! One connection of the load generator: writes a request as far as the system takes it, then reads its answer. Never
//! blocks.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use anyhow::Context as _;

use super::answer_reader::{Answer, AnswerReader};
use super::request_plan::RequestPlan;

/// Bodies up to this size leave in one write with their head, as browsers send small forms.
const JOINED_BYTES_MAX: u64 = 256 * 1024;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing is under way.
    Idle,
    /// `out` is being written; then this many bytes of the body follow.
    Joined { then: u64 },
    /// The body is being written; this many bytes of it are left.
    Body { left: u64 },
    /// What follows the body is being written.
    Tail,
    /// The answer is awaited.
    Answer,
}

/// What has to happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    /// Room to write.
    Room,
    /// Time, because it writes at a pace.
    Time,
    /// The answer.
    Answer,
}

/// A connection with at most one request under way.
pub(super) struct Connection {
    /// The socket, for the poller.
    pub(super) socket: TcpStream,
    /// When the request under way was begun.
    pub(super) began: Instant,
    /// Whether the poller was asked to tell when there is room to write.
    pub(super) waits_for_room: bool,
    stage: Stage,
    out: Vec<u8>,
    written: usize,
    body_sent: u64,
    answer: AnswerReader,
}

/// What a connection writes from, the same for all connections of an event loop.
pub(super) struct Source<'a> {
    /// Heads and tails.
    pub(super) plan: &'a RequestPlan,
    /// Bytes without any pattern, which bodies are made of.
    pub(super) noise: &'a [u8],
    /// Bytes per second and connection, if not as fast as possible.
    pub(super) pace: Option<u64>,
}

impl Connection {
    /// Connects. From then on nothing blocks.
    pub(super) fn open(endpoint: &str) -> anyhow::Result<Connection> {
        let socket = TcpStream::connect(endpoint).with_context(|| format!("connecting to {endpoint}"))?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        Ok(Connection {
            socket,
            began: Instant::now(),
            waits_for_room: false,
            stage: Stage::Idle,
            out: Vec::new(),
            written: 0,
            body_sent: 0,
            answer: AnswerReader::default(),
        })
    }

    /// Whether a request is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.stage != Stage::Idle
    }

    /// Makes request `number` the one under way; [`Connection::write`] sends it.
    pub(super) fn begin(&mut self, number: u64, stamp: u64, date: &str, source: &Source<'_>, now: Instant) {
        let body = source.plan.body_bytes();
        self.began = now;
        self.out.clear();
        self.written = 0;
        self.body_sent = 0;
        source.plan.write_head(number, date, &mut self.out);
        // The first bytes of a body are its stamp, so that no two bodies are equal.
        let stamped = body.min(8);
        self.out.extend_from_slice(stamp.to_le_bytes().get(..stamped as usize).unwrap_or_default());
        if body <= JOINED_BYTES_MAX && (source.pace.is_none() || body == stamped) {
            self.out.extend_from_slice(source.noise.get(..(body - stamped) as usize).unwrap_or_default());
            self.out.extend_from_slice(source.plan.tail());
            self.stage = Stage::Joined { then: 0 };
        } else {
            self.stage = Stage::Joined { then: body - stamped };
        }
    }

    /// Writes as much as the system and the pace allow.
    pub(super) fn write(&mut self, source: &Source<'_>) -> anyhow::Result<Wants> {
        loop {
            let more = match self.stage {
                Stage::Joined { then } => self.write_joined(then)?,
                Stage::Body { left: 0 } => {
                    self.written = 0;
                    self.stage = if source.plan.tail().is_empty() { Stage::Answer } else { Stage::Tail };
                    true
                }
                Stage::Body { left } => match self.allowance(source, left) {
                    0 => return Ok(Wants::Time),
                    allowed => self.write_body(source, left, allowed)?,
                },
                Stage::Tail => self.write_tail(source.plan.tail())?,
                Stage::Idle | Stage::Answer => return Ok(Wants::Answer),
            };
            if !more {
                return Ok(Wants::Room);
            }
        }
    }

    /// Reads once. The answer, when it has arrived whole.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> anyhow::Result<Option<Answer>> {
        let read = match self.socket.read(buffer) {
            Ok(0) => anyhow::bail!("the server closed the connection"),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error).context("reading an answer"),
        };
        let answer = self.answer.push(buffer.get(..read).unwrap_or_default())?;
        if answer.is_some() {
            self.stage = Stage::Idle;
        }
        Ok(answer)
    }

    fn write_joined(&mut self, then: u64) -> anyhow::Result<bool> {
        let sent = send(&mut self.socket, self.out.get(self.written..).unwrap_or_default())?;
        self.written += sent.unwrap_or(0);
        if self.written < self.out.len() {
            return Ok(sent.is_some());
        }
        // A body that was joined is sent with its tail; one that was not goes on, be it of no length.
        self.stage = if then == 0 { Stage::Answer } else { Stage::Body { left: then } };
        Ok(true)
    }

    fn write_body(&mut self, source: &Source<'_>, left: u64, allowed: u64) -> anyhow::Result<bool> {
        let at = (self.body_sent % source.noise.len().max(1) as u64) as usize;
        let piece = source.noise.get(at..).unwrap_or_default();
        let piece = piece.get(..allowed.min(piece.len() as u64) as usize).unwrap_or_default();
        let Some(sent) = send(&mut self.socket, piece)? else { return Ok(false) };
        self.body_sent += sent as u64;
        self.stage = Stage::Body { left: left - sent as u64 };
        Ok(true)
    }

    fn write_tail(&mut self, tail: &[u8]) -> anyhow::Result<bool> {
        let Some(sent) = send(&mut self.socket, tail.get(self.written..).unwrap_or_default())? else {
            return Ok(false);
        };
        self.written += sent;
        if self.written == tail.len() {
            self.stage = Stage::Answer;
        }
        Ok(true)
    }

    /// How many bytes of the body may be written now.
    fn allowance(&self, source: &Source<'_>, left: u64) -> u64 {
        let Some(pace) = source.pace else { return left };
        let due = (self.began.elapsed().as_secs_f64() * pace as f64) as u64;
        due.saturating_sub(self.body_sent).min(left)
    }
}

/// Writes once; `None` when the system takes nothing now.
fn send(socket: &mut TcpStream, bytes: &[u8]) -> anyhow::Result<Option<usize>> {
    match socket.write(bytes) {
        Ok(sent) => Ok(Some(sent)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error).context("sending a request"),
    }
}
