//! One event loop with its connections. Answers that arrive together are taken together, which is what keeps
//! the generator light: with a thread for each connection every answer would wake one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::event::{Timespec, epoll};
use rustix::fd::OwnedFd;

use super::answer_reader::Answer;
use super::connection::{Connection, Source, Wants};
use super::load_options::LoadOptions;
use super::request_plan::RequestPlan;
use crate::wall_clock;

/// How long an answer may take before the run gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);
/// A run with more failures than this ends early: it measures nothing.
const FAILURES_MAX: u64 = 200;
/// How many failures are told in words.
const FAILURES_TOLD_MAX: usize = 3;
/// The bytes that bodies are made of.
const NOISE_BYTES: usize = 1 << 20;
const READ_BYTES: usize = 256 * 1024;

/// One answered request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// From the first byte sent to the last byte received.
    pub(super) latency_microseconds: u32,
    /// When it was answered, from the beginning of the run.
    pub(super) ended_milliseconds: u32,
}

/// What an event loop saw.
#[derive(Default)]
pub(super) struct WorkerResult {
    /// Every success.
    pub(super) samples: Vec<Sample>,
    /// Bytes of bodies that went or came.
    pub(super) body_bytes: u64,
    /// Requests without success.
    pub(super) failures: u64,
    /// The first of them, in words.
    pub(super) failures_told: Vec<String>,
}

impl WorkerResult {
    /// Adds another loop's.
    pub(super) fn absorb(&mut self, other: WorkerResult) {
        self.samples.extend(other.samples);
        self.body_bytes += other.body_bytes;
        self.failures += other.failures;
        self.failures_told.extend(other.failures_told);
    }
}

/// An event loop that is connected and has sent nothing yet.
pub(super) struct Worker {
    options: LoadOptions,
    plan: Arc<RequestPlan>,
    next: Arc<AtomicU64>,
    connections: Vec<Connection>,
    paced: Vec<usize>,
    poller: OwnedFd,
    noise: Vec<u8>,
    stamp: u64,
    started: Instant,
    deadline: Instant,
    date: (Instant, String),
    result: WorkerResult,
}

impl Worker {
    /// Opens this many connections.
    pub(super) fn connect(
        options: &LoadOptions,
        plan: Arc<RequestPlan>,
        next: Arc<AtomicU64>,
        connections: usize,
    ) -> anyhow::Result<Worker> {
        let now = Instant::now();
        let stamp = wall_clock::now().as_nanosecond() as u64;
        let mut worker = Worker {
            options: options.clone(),
            plan,
            next,
            connections: Vec::new(),
            paced: Vec::new(),
            poller: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            noise: noise(stamp),
            stamp,
            started: now,
            deadline: now,
            date: (now, wall_clock::http_date()),
            result: WorkerResult::default(),
        };
        for index in 0..connections {
            let connection = Connection::open(&options.endpoint)?;
            worker.register(&connection, index)?;
            worker.connections.push(connection);
        }
        Ok(worker)
    }

    /// Sends until the deadline or the count, and waits for the answers under way.
    pub(super) fn run(mut self, started: Instant, deadline: Instant) -> anyhow::Result<WorkerResult> {
        (self.started, self.deadline) = (started, deadline);
        let mut buffer = vec![0; READ_BYTES];
        let mut events = Vec::with_capacity(1024);
        for index in 0..self.connections.len() {
            self.begin(index);
        }
        while self.connections.iter().any(Connection::is_busy) {
            let timeout =
                if self.paced.is_empty() { Duration::from_secs(1) } else { Duration::from_millis(10) };
            let timeout = Timespec::try_from(timeout).context("a timeout")?;
            events.clear();
            match epoll::wait(&self.poller, rustix::buffer::spare_capacity(&mut events), Some(&timeout)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error).context("waiting for answers"),
            }
            for event in &events {
                self.on_event(event.data.u64() as usize, event.flags, &mut buffer);
            }
            for index in std::mem::take(&mut self.paced) {
                self.write(index);
            }
            if events.is_empty() && Instant::now() > self.deadline + PATIENCE {
                let unanswered = self.connections.iter().filter(|connection| connection.is_busy()).count();
                self.fail(format!("{unanswered} requests were not answered within {PATIENCE:?}"));
                break;
            }
        }
        Ok(self.result)
    }

    fn register(&self, connection: &Connection, index: usize) -> anyhow::Result<()> {
        let data = epoll::EventData::new_u64(index as u64);
        epoll::add(&self.poller, &connection.socket, data, epoll::EventFlags::IN)
            .context("watching a connection")
    }

    fn on_event(&mut self, index: usize, flags: epoll::EventFlags, buffer: &mut [u8]) {
        if flags.contains(epoll::EventFlags::OUT) {
            self.write(index);
        }
        if !flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR) {
            return;
        }
        let Some(connection) = self.connections.get_mut(index) else { return };
        match connection.read(buffer) {
            Ok(None) => {}
            Ok(Some(answer)) => self.on_answer(index, &answer),
            Err(error) => self.on_broken(index, &error),
        }
    }

    fn on_answer(&mut self, index: usize, answer: &Answer) {
        let now = Instant::now();
        if (200..300).contains(&answer.status) {
            let began = self.connections.get(index).map_or(now, |connection| connection.began);
            self.result.samples.push(Sample {
                latency_microseconds: u32::try_from((now - began).as_micros()).unwrap_or(u32::MAX),
                ended_milliseconds: u32::try_from((now - self.started).as_millis()).unwrap_or(u32::MAX),
            });
            self.result.body_bytes +=
                if self.plan.sends_bytes() { self.plan.body_bytes() } else { answer.body_bytes };
        } else {
            let refusal = String::from_utf8_lossy(&answer.refusal);
            self.fail(format!("status {}: {refusal}", answer.status));
        }
        if answer.closes {
            self.reconnect(index);
        }
        self.begin(index);
    }

    fn on_broken(&mut self, index: usize, error: &anyhow::Error) {
        let busy = self.connections.get(index).is_some_and(Connection::is_busy);
        if busy {
            self.fail(format!("{error:#}"));
        }
        self.reconnect(index);
        if busy {
            self.begin(index);
        }
    }

    /// Puts a fresh connection in place of this one, which its closing takes off the poller.
    fn reconnect(&mut self, index: usize) {
        let fresh = Connection::open(&self.options.endpoint)
            .and_then(|fresh| self.register(&fresh, index).map(|()| fresh));
        match (fresh, self.connections.get_mut(index)) {
            (Ok(fresh), Some(place)) => *place = fresh,
            (Err(error), _) => {
                self.fail(format!("{error:#}"));
                // Nobody to send to: the run ends with what is under way elsewhere.
                self.deadline = self.started;
            }
            (Ok(_), None) => {}
        }
    }

    /// Begins the next request on this connection, unless the run is over.
    fn begin(&mut self, index: usize) {
        let now = Instant::now();
        if now >= self.deadline || self.result.failures > FAILURES_MAX {
            return;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if self.options.count.is_some_and(|count| number >= count) {
            return;
        }
        if now - self.date.0 > Duration::from_secs(1) {
            self.date = (now, wall_clock::http_date());
        }
        self.stamp = self.stamp.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let source = Source { plan: &self.plan, noise: &self.noise, pace: self.options.pace };
        if let Some(connection) = self.connections.get_mut(index) {
            connection.begin(number, self.stamp, &self.date.1, &source, now);
        }
        self.write(index);
    }

    fn write(&mut self, index: usize) {
        let source = Source { plan: &self.plan, noise: &self.noise, pace: self.options.pace };
        let Some(connection) = self.connections.get_mut(index) else { return };
        let waited_for_room = connection.waits_for_room;
        match connection.write(&source) {
            Ok(wants) => {
                if wants == Wants::Time {
                    self.paced.push(index);
                }
                let waits_for_room = wants == Wants::Room;
                if waits_for_room != waited_for_room {
                    connection.waits_for_room = waits_for_room;
                    let out =
                        if waits_for_room { epoll::EventFlags::OUT } else { epoll::EventFlags::empty() };
                    let data = epoll::EventData::new_u64(index as u64);
                    let flags = epoll::EventFlags::IN | out;
                    if let Err(error) = epoll::modify(&self.poller, &connection.socket, data, flags) {
                        self.fail(format!("watching a connection: {error}"));
                    }
                }
            }
            Err(error) => self.on_broken(index, &error),
        }
    }

    fn fail(&mut self, what: String) {
        self.result.failures += 1;
        if self.result.failures_told.len() < FAILURES_TOLD_MAX {
            self.result.failures_told.push(what);
        }
    }
}

/// Bytes without a pattern that a disk could make smaller.
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut bytes = Vec::with_capacity(NOISE_BYTES);
    while bytes.len() < NOISE_BYTES {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes
}
