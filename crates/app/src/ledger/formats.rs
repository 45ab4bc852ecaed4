//! The formats of the ledger's file: numbered steps, forward only, that bring an older file to today's when it is
//! opened. Each step is one transaction that also writes its number, so a process that is killed leaves a file of a
//! number that the next start goes on from.
//!
//! A step is history and is not changed once it was released; the number of a format is how many steps made it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::ledger_error::LedgerError;

/// All steps there are; the first makes the table in a new file.
const STEPS: [&str; 1] = ["
    CREATE TABLE upload (
        id INTEGER PRIMARY KEY,
        identity TEXT NOT NULL UNIQUE,
        key TEXT, size INTEGER, mime_type TEXT, height INTEGER, width INTEGER,
        bucket TEXT, request_id TEXT,
        time_us INTEGER NOT NULL,
        calls INTEGER NOT NULL DEFAULT 1,
        method TEXT NOT NULL, path TEXT NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL,
        answer_status INTEGER NOT NULL, answer_type TEXT, answer_body BLOB NOT NULL
    );
    CREATE INDEX upload_by_key ON upload (key, id);"];

/// Where SQLite keeps the format's number in the file, in four bytes.
const FORMAT_AT: usize = 60;

/// Refuses the file of a later version before it is opened, which would write to it already: SQLite makes a log beside
/// it. A file that is missing, or none of SQLite's, is left to SQLite to judge.
pub(super) fn refuse_later(file: &Path) -> Result<(), LedgerError> {
    let mut header = [0; 100];
    let filled = File::open(file).and_then(|mut file| file.read_exact(&mut header)).is_ok();
    let format = header.get(FORMAT_AT..FORMAT_AT + 4).and_then(|format| format.try_into().ok());
    match format.map(i32::from_be_bytes) {
        Some(found) if filled && header.starts_with(b"SQLite format 3\0") => known(i64::from(found)),
        _ => Ok(()),
    }
}

/// Brings the file to today's format.
pub(super) fn bring_up_to_date(connection: &Connection) -> Result<(), LedgerError> {
    // What a later version has left in the log stays there when it is refused.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    known(format_of(connection)?)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    take(connection, &STEPS)
}

fn known(found: i64) -> Result<(), LedgerError> {
    let known = STEPS.len() as i64;
    if (0..=known).contains(&found) { Ok(()) } else { Err(LedgerError::LaterFormat { found, known }) }
}

fn format_of(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Takes the steps that the file has not taken.
fn take(connection: &Connection, steps: &[&str]) -> Result<(), LedgerError> {
    let taken = usize::try_from(format_of(connection)?).unwrap_or(0);
    for (step, number) in steps.iter().zip(1..).skip(taken) {
        let transaction = connection.unchecked_transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_taken_once_and_one_that_fails_leaves_the_format_before_it() {
        let connection = Connection::open_in_memory().unwrap();
        take(&connection, &STEPS).unwrap();
        let insert =
            "INSERT INTO upload (identity, time_us, method, path, headers, body, answer_status, answer_body)
            VALUES ('one', 1, 'POST', '/', '[]', x'', 200, x'')";
        connection.execute_batch(insert).unwrap();
        let [first] = STEPS;
        let later = [
            first,
            "ALTER TABLE upload ADD COLUMN owner TEXT NOT NULL DEFAULT 'nobody'",
            "UPDATE upload SET owner = 'x'; no",
        ];
        assert!(take(&connection, &later).is_err());
        assert_eq!(format_of(&connection).unwrap(), 2);
        take(&connection, &later[..2]).unwrap();
        let owner = connection.query_row("SELECT owner FROM upload", [], |row| row.get::<_, String>(0));
        assert_eq!(
            owner.unwrap(),
            "nobody",
            "the row of the first format is there, and the failed step is undone"
        );
    }
}
