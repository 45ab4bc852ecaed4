//! Checkpoints: when and how the write-ahead log is moved into the database file.
//!
//! A start makes the log durable first, see [`Checkpointer::begin`]. From then on it runs on a thread and a connection
//! of its own. A PASSIVE checkpoint, which hinders nobody, is run every
//! [`PASSIVE_BYTES`] of commits. Under steady writing that never catches up with the writer, so the log would
//! grow for ever; when it has grown past [`RESTART_BYTES`], the writer is held at a gate for one RESTART,
//! which has only to move what came since the PASSIVE one just before it.
//!
//! A PASSIVE checkpoint that does not catch up leaves the sync of the database file to a later one, in the end
//! to that RESTART, which holds the writer for all of it. So the steps are small on purpose: the longest commit is as
//! long as a step is large. Small ones move a page that changes often more times, which
//! costs some processor time and no rate (`docs/performance.md` has the figures).
//!
//! The gate is ours because SQLite's own waiting for a busy lock sleeps in steps of milliseconds.

use super::{CatalogError, EngineError};
use crate::{Clock, HealthFlag};
use rusqlite::{Connection, ErrorCode};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Written bytes (estimated) after which the log is moved while the writer goes on.
const PASSIVE_BYTES: u64 = 3 * 1024 * 1024;
/// Length of the log from which the writer is held for a moment, so that the log begins anew.
const RESTART_BYTES: u64 = 12 * 1024 * 1024;
/// What the log keeps of its length on the disk. It is longer only when a backup, or another long query, has kept it
/// from beginning anew.
pub(super) const LOG_BYTES_KEPT: u64 = 2 * RESTART_BYTES;
/// A query that still reads the log keeps it from beginning anew. Queries are short, and those that begin after
/// all is moved do not read the log, so a few short waits let the last one end.
const RESTART_TRIES: u32 = 8;
/// How long the writer is held for each of them.
const RESTART_PAUSE: Duration = Duration::from_micros(250);
/// Bytes of a frame in the log: a page and its header.
const FRAME_BYTES: u64 = 4096 + 24;

/// Says when, and does it.
pub(super) struct Checkpointer {
    clock: Clock,
    state: Mutex<State>,
    wake: Condvar,
    gate: Gate,
    health: HealthFlag,
}

/// Where the writer waits while the log begins anew. A plain mutex would let a busy writer pass for ever.
#[derive(Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    closing: bool,
    writing: bool,
}

impl Gate {
    fn set(&self, wait: impl FnMut(&mut GateState) -> bool, change: impl FnOnce(&mut GateState)) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.changed.wait_while(state, wait).unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
    }
}

impl Gate {
    /// Waits for the writer's transaction to end, and keeps it from the next until the answer is dropped.
    fn close(&self) -> Closed<'_> {
        self.set(|_| false, |gate| gate.closing = true);
        let closed = Closed(self);
        self.set(|gate| gate.writing, |_| ());
        closed
    }
}

/// The writer waits until this is dropped; by a panic too.
struct Closed<'a>(&'a Gate);

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.0.set(|_| false, |gate| gate.closing = false);
        self.0.changed.notify_all();
    }
}

/// The writer is within a transaction until this is dropped.
pub(super) struct Writing<'a>(&'a Gate);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.writing = false;
        if state.closing {
            drop(state);
            self.0.changed.notify_all();
        }
    }
}

#[derive(Default)]
struct State {
    written: u64,
    closed: bool,
}

impl Checkpointer {
    /// Nothing written yet.
    pub(super) fn new(clock: &Clock, health: HealthFlag) -> Checkpointer {
        let clock = clock.clone();
        Checkpointer { clock, state: Mutex::default(), wake: Condvar::new(), gate: Gate::default(), health }
    }

    /// Before anything of the catalog is shown or acted on: moves the log into the database file, which begins with a
    /// sync of the log.
    ///
    /// A process that was killed inside a commit leaves it in the log, written and perhaps not synced, and SQLite
    /// takes it as committed. If the sweeper then deleted for good what that commit had let go of, a power loss would
    /// take the commit back, and what it had replaced would be gone.
    ///
    /// # Errors
    /// When the log cannot be synced, or another program is moving it. That there is no room to move it is no error:
    /// the sync comes first.
    pub(super) fn begin(connection: &Connection) -> Result<(), CatalogError> {
        match checkpoint(connection, "PASSIVE") {
            Ok(moved) if moved.busy => Err(CatalogError::Engine(EngineError::new(
                "another program is moving the catalog's log; start again when it has ended",
            ))),
            Err(error) if error.sqlite_error_code() != Some(ErrorCode::DiskFull) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Held by the writer during a transaction.
    pub(super) fn writing(&self) -> Writing<'_> {
        self.gate.set(|gate| gate.closing, |gate| gate.writing = true);
        Writing(&self.gate)
    }

    /// The writer has committed about so many bytes.
    pub(super) fn committed(&self, bytes: u64) {
        let mut state = self.lock();
        let before = state.written;
        state.written += bytes;
        if before < PASSIVE_BYTES && state.written >= PASSIVE_BYTES {
            drop(state);
            self.wake.notify_one();
        }
    }

    /// Ends the thread after one last checkpoint.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    /// The thread.
    pub(super) fn run(&self, connection: &Connection) {
        while self.wait() {
            let outcome = checkpoint(connection, "PASSIVE");
            let grown = matches!(&outcome, Ok(moved) if moved.log_bytes >= RESTART_BYTES);
            self.report(if grown { self.restart(connection) } else { outcome });
        }
        if self.health.refusal().is_none() {
            self.report(checkpoint(connection, "TRUNCATE"));
        }
    }

    /// Holds the writer until the log begins anew; for a moment only, even when a query keeps it from that.
    fn restart(&self, connection: &Connection) -> rusqlite::Result<Moved> {
        let _closed = self.gate.close();
        let mut outcome = checkpoint(connection, "RESTART");
        for _ in 1..RESTART_TRIES {
            if !matches!(&outcome, Ok(moved) if moved.busy) {
                break;
            }
            self.clock.block(RESTART_PAUSE);
            outcome = checkpoint(connection, "RESTART");
        }
        outcome
    }

    /// Waits until there is enough to move; false when it is time to end.
    fn wait(&self) -> bool {
        let mut state = self.lock();
        while state.written < PASSIVE_BYTES && !state.closed {
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.written = 0;
        !state.closed
    }

    fn report(&self, outcome: rusqlite::Result<Moved>) {
        match outcome {
            Ok(Moved { log_bytes, busy }) => tracing::trace!(log_bytes, busy, "checkpoint"),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) => {
                self.health.refuse_writes(format!("the catalog's log could not be moved: {error}"));
            }
            Err(error) => tracing::warn!(%error, "a checkpoint failed; it is tried again"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a checkpoint found.
struct Moved {
    /// Length of the log.
    log_bytes: u64,
    /// Whether a query kept it from moving all, or the log from beginning anew.
    busy: bool,
}

fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<Moved> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        let (busy, frames): (bool, i64) = (row.get(0)?, row.get(1)?);
        Ok(Moved { log_bytes: u64::try_from(frames).unwrap_or(0) * FRAME_BYTES, busy })
    })
}

#[cfg(test)]
mod tests;
