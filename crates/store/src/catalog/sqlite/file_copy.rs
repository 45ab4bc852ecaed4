//! Copies a SQLite database as it is at one moment, page by page, while others write to it.
//!
//! It is read in one transaction: in steps it would begin anew with every commit between two of them, and under
//! steady uploads never end. Until it ends, the database's log cannot begin anew and grows; the checkpoints that
//! move the log into the database go on.

use crate::Clock;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::path::Path;
use std::time::Duration;

/// How long a step waits for a lock that somebody holds.
const BUSY_WAIT: Duration = Duration::from_millis(5);

/// Whether the copy's bytes are made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Synced {
    /// By this call; its name is not.
    Here,
    /// By the caller, or not at all.
    Elsewhere,
}

/// Copies the database into a file of its own, which needs no other file beside it and is not there yet. Blocks.
pub(crate) fn copy(clock: &Clock, source: &Connection, to: &Path, synced: Synced) -> rusqlite::Result<()> {
    let mut target = Connection::open(to)?;
    let synchronous = if synced == Synced::Here { "FULL" } else { "OFF" };
    target.pragma_update(None, "synchronous", synchronous)?;
    target.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
    {
        let backup = Backup::new(source, &mut target)?;
        loop {
            match backup.step(-1)? {
                StepResult::Done => break,
                StepResult::Busy | StepResult::Locked => clock.block(BUSY_WAIT),
                _ => {}
            }
        }
    }
    target.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
}
