//! The schema of the catalog, and how each kind of connection is set up.
//!
//! One number rises through the whole catalog: it is the sequence of an object, and the id of its inline row, the
//! outbox entry or the garbage made with it, and the revision of a bucket. A start takes the next block of numbers,
//! so none is used twice, even after what had it was deleted.
//!
//! An object is one row, in the order of sequences, with an index over bucket and key
//! (`docs/decisions/one-row-per-object.md`). A content of one piece is named in that row (`blob` or `inline`); only
//! contents of several pieces have rows in `extent`, by the object's sequence. That saves trees in the most frequent
//! commit.

use super::checkpoint::LOG_BYTES_KEPT;
use super::{CatalogError, EngineError, older_schema};
use crate::Trouble;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::path::Path;
use std::time::Duration;

/// The schema that this program writes.
pub(super) const SCHEMA: i64 = 2;
/// "CtSg": marks the file as ours.
const APPLICATION_ID: i64 = 0x4374_5367;

/// Name of the counter: the first number that no start has taken.
pub(super) const NEXT_NUMBER: &str = "next_number";
/// Name of the counter: the mark up to which every blob is settled.
pub(super) const BLOB_MARK: &str = "blob_mark";

const TABLES: &str = "
CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE bucket(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL,
    owner TEXT NOT NULL DEFAULT '', versioning INTEGER NOT NULL DEFAULT 0, revision INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE setting(
    bucket INTEGER NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY(bucket, name)
) WITHOUT ROWID;

CREATE TABLE object(
    seq INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, key BLOB NOT NULL, modified INTEGER NOT NULL,
    len INTEGER NOT NULL, md5 BLOB, crc INTEGER NOT NULL, blob BLOB, inline INTEGER, attributes BLOB NOT NULL
);
CREATE UNIQUE INDEX object_key ON object(bucket, key);
CREATE INDEX object_blob ON object(blob) WHERE blob IS NOT NULL;

CREATE TABLE extent(
    content INTEGER NOT NULL, ordinal INTEGER NOT NULL, \"end\" INTEGER NOT NULL, blob BLOB, inline INTEGER,
    PRIMARY KEY(content, ordinal)
) WITHOUT ROWID;
CREATE INDEX extent_blob ON extent(blob) WHERE blob IS NOT NULL;

CREATE TABLE inline(blob INTEGER PRIMARY KEY, bytes BLOB NOT NULL);

CREATE TABLE garbage(id INTEGER PRIMARY KEY, blob BLOB, inline INTEGER, not_before INTEGER NOT NULL);
CREATE INDEX garbage_due ON garbage(not_before);
CREATE INDEX garbage_blob ON garbage(blob) WHERE blob IS NOT NULL;

CREATE TABLE outbox(
    id INTEGER PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, seq INTEGER NOT NULL,
    created INTEGER NOT NULL, payload BLOB NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, last_error TEXT,
    owner BLOB, lease_until INTEGER
);

CREATE TABLE damage(
    content INTEGER PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, seq INTEGER NOT NULL,
    what TEXT NOT NULL, found INTEGER NOT NULL
);
";

impl From<rusqlite::Error> for CatalogError {
    fn from(error: rusqlite::Error) -> CatalogError {
        let trouble = trouble_of(&error);
        let corrupt = is_corrupt(&error);
        // Its cause says the same in other words.
        let said = EngineError::new(error.to_string());
        match trouble {
            Some(trouble) => CatalogError::Trouble { trouble, said },
            None if corrupt => CatalogError::Corrupt(said),
            None => CatalogError::Engine(said),
        }
    }
}

/// What SQLite says of a file that it may not, or cannot, use. It does not say which error the system gave, and opens
/// no file while it runs, so that it is never short of descriptors.
pub(super) fn trouble_of(error: &rusqlite::Error) -> Option<Trouble> {
    use rusqlite::ErrorCode::{CannotOpen, PermissionDenied, ReadOnly, SystemIoFailure};
    let code = error.sqlite_error_code()?;
    [CannotOpen, PermissionDenied, ReadOnly, SystemIoFailure].contains(&code).then_some(Trouble::DataFolder)
}

/// Whether SQLite says that its file is damaged.
fn is_corrupt(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    error.sqlite_error_code().is_some_and(|code| [DatabaseCorrupt, NotADatabase].contains(&code))
}

/// The connection that alone writes rows; makes the tables in a new file. One of an older schema is brought to this
/// one before ([`super::migrations`]).
pub(super) fn open_writer(path: &Path, durable: bool) -> Result<Connection, CatalogError> {
    let connection = Connection::open(path)?;
    set_up(&connection, durable, 16 * 1024)?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES_KEPT as i64, |_| Ok(()))?;
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match found {
        0 => {
            connection.execute_batch(&format!(
                "BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {SCHEMA}; PRAGMA application_id = {APPLICATION_ID}; COMMIT;"
            ))?;
        }
        SCHEMA => {}
        found => return Err(CatalogError::UnknownSchema { found, known: SCHEMA }),
    }
    Ok(connection)
}

/// The connection that moves the log into the database file.
pub(super) fn open_checkpointer(path: &Path, durable: bool) -> Result<Connection, CatalogError> {
    let connection = Connection::open(path)?;
    set_up(&connection, durable, 256)?;
    connection.busy_timeout(Duration::ZERO)?;
    Ok(connection)
}

/// A connection that answers queries.
pub(super) fn open_reader(path: &Path) -> Result<Connection, CatalogError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    keep_plans(&connection)?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.pragma_update(None, "cache_size", -2048)?;
    older_schema::show(&connection, SCHEMA)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Sets up a connection that may write.
pub(super) fn set_up(connection: &Connection, durable: bool, cache_kib: i64) -> Result<(), CatalogError> {
    keep_plans(connection)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(64);
    // First: the switch to the log writes already, and would be synced whatever was asked for.
    connection.pragma_update(None, "synchronous", if durable { "FULL" } else { "OFF" })?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "foreign_keys", false)?;
    Ok(())
}

/// Lets a prepared statement keep its plan. Otherwise SQLite compiles one with a partial index anew whenever
/// another value is bound, in case the new one fits the index better: a quarter of a point read's time.
fn keep_plans(connection: &Connection) -> Result<(), CatalogError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// A counter by name.
pub(super) fn counter(connection: &Connection, name: &str) -> Result<Option<u64>, CatalogError> {
    let mut statement = connection.prepare_cached("SELECT value FROM counter WHERE name = ?1")?;
    let value: Option<i64> = statement.query_row([name], |row| row.get(0)).optional()?;
    Ok(value.map(|value| value as u64))
}

/// Writes a counter.
pub(super) fn put_counter(connection: &Connection, name: &str, value: u64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO counter(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2",
        )?
        .execute((name, value as i64))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_a_catalog_of_a_schema_it_does_not_know() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.sqlite");
        drop(open_writer(&path, true).unwrap());
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let error = open_writer(&path, true).unwrap_err();
        assert!(matches!(error, CatalogError::UnknownSchema { found: 99, known: SCHEMA }), "{error}");
    }

    #[test]
    fn a_commit_is_synced_and_no_checkpoint_runs_on_the_writer() {
        let folder = tempfile::tempdir().unwrap();
        let connection = open_writer(&folder.path().join("catalog.sqlite"), true).unwrap();
        let pragma =
            |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!((pragma("synchronous"), pragma("wal_autocheckpoint")), (2, 0));
    }

    #[test]
    fn a_statement_is_not_compiled_anew_for_other_values() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.sqlite");
        drop(open_writer(&path, true).unwrap());
        let reader = open_reader(&path).unwrap();
        let mut statement = reader.prepare(crate::catalog::sqlite::rows::OBJECT).unwrap();
        for key in [&b"a"[..], b"b", b"c"] {
            assert!(statement.query((key.len() as i64, key)).unwrap().next().unwrap().is_none());
        }
        assert_eq!(statement.get_status(rusqlite::StatementStatus::RePrepare), 0);
    }
}
