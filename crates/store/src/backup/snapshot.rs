//! Copies a SQLite database as it is at one moment, page by page, while others write to it.
//!
//! It is read in one transaction: in steps it would begin anew with every commit between two of them, and under
//! steady uploads never end. Until it ends, the database's log cannot begin anew and grows; the checkpoints that
//! move the log into the database go on.

use super::backup_error::BackupError;
use super::names;
use crate::Clock;
use crate::catalog::CatalogError;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// How long a step waits for a lock that somebody holds.
const BUSY_WAIT: Duration = Duration::from_millis(5);

/// Copies the database into a file of its own, which needs no other file beside it. It is not yet durable.
pub(super) fn take(clock: &Clock, from: &Path, to: &Path) -> Result<(), BackupError> {
    names::remove(to)?;
    copy(clock, from, to).map_err(|error| BackupError::Catalog(CatalogError::from(error)))
}

fn copy(clock: &Clock, from: &Path, to: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(from, flags)?;
    let mut target = Connection::open(to)?;
    // The whole backup is made durable before it gets its name.
    target.pragma_update(None, "synchronous", "OFF")?;
    target.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
    {
        let backup = Backup::new(&source, &mut target)?;
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
