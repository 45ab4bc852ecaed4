//! The checkpoint policy, all of it: when the write-ahead log is moved into the database file, and how.
//!
//! It runs on a thread and a connection of its own. A PASSIVE checkpoint, which hinders nobody, is run every
//! [`PASSIVE_BYTES`] of commits. Under steady writing that never catches up with the writer, so the log would
//! grow for ever; when it has grown past [`RESTART_BYTES`], the writer is held at a gate for one RESTART,
//! which has only to move what came since the PASSIVE one just before it.
//!
//! The gate is ours because SQLite's own waiting for a busy lock sleeps in steps of milliseconds.

use crate::HealthFlag;
use rusqlite::{Connection, ErrorCode};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Written bytes (estimated) after which the log is moved while the writer goes on.
const PASSIVE_BYTES: u64 = 16 * 1024 * 1024;
/// Length of the log from which the writer is held for a moment, so that the log begins anew.
const RESTART_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of a frame in the log: a page and its header.
const FRAME_BYTES: u64 = 4096 + 24;

/// Says when, and does it.
pub(super) struct Checkpointer {
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
    pub(super) fn new(health: HealthFlag) -> Checkpointer {
        Checkpointer { state: Mutex::default(), wake: Condvar::new(), gate: Gate::default(), health }
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
            let outcome = checkpoint(connection, "PASSIVE").and_then(|log_bytes| {
                if log_bytes < RESTART_BYTES {
                    return Ok(log_bytes);
                }
                self.gate.set(|_| false, |gate| gate.closing = true);
                self.gate.set(|gate| gate.writing, |_| ());
                let restarted = checkpoint(connection, "RESTART");
                self.gate.set(|_| false, |gate| gate.closing = false);
                self.gate.changed.notify_all();
                restarted
            });
            self.report(outcome);
        }
        if self.health.refusal().is_none() {
            self.report(checkpoint(connection, "TRUNCATE"));
        }
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

    fn report(&self, outcome: rusqlite::Result<u64>) {
        match outcome {
            Ok(log_bytes) => tracing::trace!(log_bytes, "checkpoint"),
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

/// Runs a checkpoint and answers the length of the log in bytes.
fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<u64> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        let frames: i64 = row.get(1)?;
        Ok(u64::try_from(frames).unwrap_or(0) * FRAME_BYTES)
    })
}
