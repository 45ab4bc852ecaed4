//! Writes lines from a thread of its own, so that a reader of the log that has stopped stops no thread that serves.
//!
//! What waits to be written is bounded in bytes. A line that does not fit is dropped and counted, and the next line
//! that is written says how many there were.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use countersign_store::Clock;

/// So long after a write lines are gathered, so that a busy server wakes the thread and writes some hundred times a
/// second and not once for each request. A line that comes later is written at once.
const GATHERING: Duration = Duration::from_millis(5);
/// So much is written at once, without gathering more.
const GATHERED_BYTES_MAX: usize = WAITING_BYTES_MAX / 2;

/// How much may wait. As much again may be in the hands of the thread that writes.
pub(super) const WAITING_BYTES_MAX: usize = 512 * 1024;

/// Lines on their way; clones share them.
#[derive(Clone)]
pub(super) struct LineBuffer(Arc<Inner>);

struct Inner {
    /// Times the gathering.
    clock: Clock,
    state: Mutex<State>,
    comes: Condvar,
    written: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    /// How many lines were dropped since it was last told.
    dropped: u64,
    /// The thread writes what it took out.
    writes: bool,
    /// The thread waits to be woken by the next line. Waking it costs a system call, so that only that line does it.
    sleeps: bool,
    /// An end waits for the lines to be written: they are not gathered any longer.
    hurries: bool,
}

impl State {
    fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.dropped == 0 && !self.writes
    }
}

impl LineBuffer {
    /// Starts the thread that writes to this; `dropped` makes the line which says that so many were dropped.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(
        clock: Clock,
        to: impl Write + Send + 'static,
        dropped: impl Fn(u64) -> String + Send + 'static,
    ) -> io::Result<Self> {
        let inner = Inner { clock, state: Mutex::default(), comes: Condvar::new(), written: Condvar::new() };
        let buffer = Self(Arc::new(inner));
        let of_the_thread = buffer.clone();
        let run = move || of_the_thread.run(to, dropped);
        thread::Builder::new().name("log".to_owned()).spawn(run)?;
        Ok(buffer)
    }

    /// Waits until all is written, for no longer than this: a reader that has stopped must not keep the process.
    pub(super) fn flush(&self, time_max: Duration) {
        let clock = &self.0.clock;
        let deadline = clock.after(time_max);
        let mut state = self.lock();
        state.hurries = true;
        self.0.comes.notify_one();
        while !state.is_done() {
            let left = deadline.saturating_duration_since(clock.monotonic());
            if left.is_zero() {
                return;
            }
            (state, _) = clock.wait_timeout(&self.0.written, state, left);
        }
    }

    fn run(&self, mut to: impl Write, dropped_line: impl Fn(u64) -> String) {
        let mut taken = Vec::new();
        let mut gathered_until = self.0.clock.monotonic();
        loop {
            let dropped = self.take(&mut taken, gathered_until);
            if dropped > 0 {
                taken.extend_from_slice(dropped_line(dropped).as_bytes());
            }
            // Where the log cannot be written there is nowhere to say so.
            let _lost = to.write_all(&taken).and_then(|()| to.flush());
            taken.clear();
            gathered_until = self.0.clock.after(GATHERING);
            let mut state = self.lock();
            state.writes = false;
            state.hurries = false;
            drop(state);
            self.0.written.notify_all();
        }
    }

    /// Waits for a line, and where this moment is still to come for those that come until then; takes all of them, and
    /// says how many were dropped behind them.
    fn take(&self, into: &mut Vec<u8>, gathered_until: Instant) -> u64 {
        let mut state = self.lock();
        while state.waiting.is_empty() && state.dropped == 0 {
            state.sleeps = true;
            state = self.0.comes.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.sleeps = false;
        while !state.hurries && state.waiting.len() < GATHERED_BYTES_MAX {
            let left = gathered_until.saturating_duration_since(self.0.clock.monotonic());
            if left.is_zero() {
                break;
            }
            (state, _) = self.0.clock.wait_timeout(&self.0.comes, state, left);
        }
        state.writes = true;
        mem::swap(&mut state.waiting, into);
        mem::take(&mut state.dropped)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for LineBuffer {
    /// Takes whole lines, or drops them; never waits for the reader and never fails.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let mut state = self.lock();
        let was = state.waiting.len();
        // Behind a line that was dropped no shorter one slips in: the count stands where the lines are missing.
        if state.dropped > 0 || was + lines.len() > WAITING_BYTES_MAX {
            state.dropped += 1;
        } else {
            state.waiting.extend_from_slice(lines);
        }
        let gathered = was < GATHERED_BYTES_MAX && state.waiting.len() >= GATHERED_BYTES_MAX;
        let wakes = mem::take(&mut state.sleeps) || gathered;
        drop(state);
        if wakes {
            self.0.comes.notify_one();
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use countersign_testkit::simulated_clock::SimulatedClock;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// A reader that takes one write each time it is asked.
    struct Pipe(SyncSender<Vec<u8>>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn started() -> (LineBuffer, Receiver<Vec<u8>>) {
        timed_by(Clock::system())
    }

    fn timed_by(clock: Clock) -> (LineBuffer, Receiver<Vec<u8>>) {
        let (sender, receiver) = sync_channel(0);
        let dropped = |count| format!("{count} dropped\n");
        (LineBuffer::start(clock, Pipe(sender), dropped).unwrap(), receiver)
    }

    #[test]
    fn a_stalled_reader_blocks_no_thread_and_later_learns_what_it_missed() {
        let (mut buffer, reader) = started();
        buffer.write_all(b"first\n").unwrap();
        while !buffer.lock().writes {
            thread::yield_now();
        }
        let line = [b'a'; 1024];
        for _ in 0..2 * WAITING_BYTES_MAX / line.len() {
            buffer.write_all(&line).unwrap();
        }
        buffer.write_all(b"late\n").unwrap();
        assert_eq!(buffer.lock().waiting.len(), WAITING_BYTES_MAX);
        assert_eq!(reader.recv_timeout(PATIENCE).unwrap(), b"first\n");
        let next = reader.recv_timeout(PATIENCE).unwrap();
        assert_eq!(next.get(WAITING_BYTES_MAX..), Some(b"513 dropped\n".as_slice()));
        buffer.write_all(b"and on\n").unwrap();
        assert_eq!(reader.recv_timeout(PATIENCE).unwrap(), b"and on\n");
    }

    /// Takes what is written next, once the thread is done with it.
    fn written(buffer: &LineBuffer, reader: &Receiver<Vec<u8>>) -> String {
        let bytes = reader.recv_timeout(PATIENCE).unwrap();
        while buffer.lock().writes {
            thread::yield_now();
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_after_a_pause_is_written_at_once_and_those_right_behind_it_together() {
        let time = SimulatedClock::new();
        let (mut buffer, reader) = timed_by(time.clock());
        for _ in 0..2 {
            buffer.write_all(b"at once\n").unwrap();
            assert_eq!(written(&buffer, &reader), "at once\n");
            buffer.write_all(b"one\n").unwrap();
            time.advance(GATHERING / 2);
            assert!(reader.recv_timeout(Duration::from_millis(20)).is_err(), "it waits for more");
            buffer.write_all(b"two\n").unwrap();
            time.advance(GATHERING / 2);
            assert_eq!(written(&buffer, &reader), "one\ntwo\n");
            time.advance(GATHERING);
        }
        buffer.write_all(b"at once\n").unwrap();
        assert_eq!(written(&buffer, &reader), "at once\n");
        buffer.write_all(b"the last\n").unwrap();
        buffer.flush(Duration::ZERO);
        assert_eq!(written(&buffer, &reader), "the last\n", "an end does not wait for more");
    }

    #[test]
    fn shutdown_flushes_the_lines_but_does_not_wait_for_a_stalled_reader() {
        let (mut buffer, reader) = started();
        buffer.write_all(b"one\n").unwrap();
        let started = Instant::now();
        buffer.flush(Duration::from_millis(30));
        assert!(started.elapsed() >= Duration::from_millis(30), "it is not written");
        let reading = thread::spawn(move || reader.recv_timeout(PATIENCE));
        buffer.flush(PATIENCE);
        assert_eq!(reading.join().unwrap().unwrap(), b"one\n");
        assert!(buffer.lock().is_done());
    }
}
